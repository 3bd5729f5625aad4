import type { JsonObject } from "../../../engine/contract/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import { sampler } from "../base/sampler.ts";
import { SequentialRun } from "./sequential-run.ts";

/** Options of `sequentialMonteCarlo`. */
export interface SequentialMonteCarloOptions {
  /** Number of particles per population, at least the number of stored draws. Default: the number of stored draws. */
  particles?: number;
  /** Effective number of particles after each stage, as a share of all particles, in (0, 1). Default 0.5. */
  essTarget?: number;
  /** Kind of move: "randomWalk" or "hmc". Default "randomWalk". */
  move?: "randomWalk" | "hmc";
  /** Number of moves per stage. Default 10 for "randomWalk", 3 for "hmc"; a whole number >= 1. */
  moves?: number;
  /** Number of leapfrog steps per move with "hmc". Default 8; a whole number >= 1. */
  leapfrogs?: number;
  /** Step size in the first stage, in standard deviations of the particles, > 0. Default 2.38/√d, or d^−¼ for "hmc". */
  stepSize?: number;
  /** Powers of the likelihood, ascending to 1. If they are given, `essTarget` is not used. */
  temperatures?: readonly number[];
  /**
   * Whether moves adapt to the population. Default true. If `adapt` is false and `temperatures` are given, the estimate
   * of the evidence is unbiased.
   */
  adapt?: boolean;
}

/**
 * Sequential Monte Carlo from the prior to the posterior, with an estimate of the evidence. A population of particles
 * passes through powers 0 = β₀ < β₁ < … < 1 of the likelihood.
 *
 * In each stage, which raises the power from β to β', particles have weights w_i = exp((β' − β) L_i), where L is the
 * log likelihood. In each stage, the estimate of the evidence ∫ prior × likelihood is multiplied by the mean of w.
 * After systematic resampling by w, every particle makes `moves` moves that leave prior × likelihood^β' invariant. β'
 * solves (Σw)²/Σw² = `essTarget` × n.
 *
 * The draws are the particles at β = 1. Each chain of a run is a separate population; `warmup` has no effect. n →
 * `particles` (default: the number of stored draws).
 *
 * Moves (`move`) use the population's covariance C = LLᵀ (shrunk slightly towards its diagonal): x' = x + s L z, z
 * standard normal ("randomWalk"), or `leapfrogs` leapfrogs of length s (1 ± 0.2) with metric M⁻¹ = C ("hmc"). s starts
 * at `stepSize` and is adapted to the acceptance after each stage.
 *
 * With given `temperatures` and `adapt: false` the estimate of the evidence (not of its log) is unbiased; otherwise its
 * bias is O(1/n).
 *
 * Reports `logEvidence`: log of the populations' mean evidence, in nats, with the constants that the model includes;
 * `logEvidenceError`: standard error of `logEvidence`. The error is computed from the differences between populations.
 * For a single population, it is computed from the number of initial particles that have surviving descendants.
 *
 * Source: Neal 2001; Del Moral, Doucet, Jasra 2006; error of one population: Lee & Whiteley 2018 (derived for
 * multinomial resampling, so the error tends to be too large here). Differs from other implementations: it resamples at
 * every stage.
 *
 * @throws OptionError; CapabilityError for a density without a prior to draw from or without a separate likelihood, or
 *   with discrete parameters
 */
export const sequentialMonteCarlo = /* @__PURE__ */ sampler<SequentialMonteCarloOptions>(
  {
    name: "sequentialMonteCarlo",
    family: "population",
    exact: false,
    options: {
      particles: { low: 2, high: 2 ** 24, integer: true },
      essTarget: { low: 0, open: true, high: 1 - 2 ** -20 },
      move: ["randomWalk", "hmc"],
      moves: { low: 1, high: 2 ** 20, integer: true },
      leapfrogs: { low: 1, high: 2 ** 20, integer: true },
      stepSize: { low: 0, open: true },
      temperatures: { numbers: { low: 0, high: 1 } },
      adapt: "boolean",
    },
    conformance: { particles: 64 },
  },
  (options) => {
    const where = "sequentialMonteCarlo";
    const { move = "randomWalk", essTarget = 0.5, particles, stepSize, temperatures, adapt = true } = options;
    const { moves = move === "hmc" ? 3 : 10, leapfrogs = 8 } = options;
    if (temperatures && options.essTarget !== undefined)
      throw new OptionError(where, "temperatures and essTarget are both given; leave one out", "OPTION_CONFLICT");
    const ascends = temperatures?.every((power, k) => power > (temperatures[k - 1] ?? 0)) ?? true;
    if (temperatures && !(ascends && temperatures[temperatures.length - 1] === 1))
      throw new OptionError(
        where,
        `temperatures are ${temperatures.join(", ")}, but must ascend from above 0 to 1`,
        "OPTION_RANGE",
      );
    const json: JsonObject = {
      algorithm: where,
      ...(particles === undefined ? {} : { particles }),
      ...(temperatures ? { temperatures: [...temperatures] } : { essTarget }),
      move,
      moves,
      ...(move === "hmc" ? { leapfrogs } : {}),
      ...(stepSize === undefined ? {} : { stepSize }),
      adapt,
    };
    const run = { particles, essTarget, moves, leapfrogs: move === "hmc" ? leapfrogs : 0, stepSize, temperatures, adapt };
    return {
      name: where,
      verb: "sample",
      toJSON: () => json,
      start: (density, plan, engine) => new SequentialRun(density, plan, engine, run),
    };
  },
);
