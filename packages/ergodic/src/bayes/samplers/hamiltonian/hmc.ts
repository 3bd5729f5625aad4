import { OptionError } from "../../../engine/errors/errors.ts";
import { sampler } from "../base/sampler.ts";
import { type AdaptationOptions, adaptation, adaptationJson, adaptationOptions, adapting, USUAL } from "./adaptation.ts";
import { HamiltonianRun } from "./hamiltonian-run.ts";

/** Options of `hmc`. */
export interface HmcOptions extends AdaptationOptions {
  /** Length of a trajectory in time units, > 0. Default 2. Cannot be combined with `leapfrogs`. */
  time?: number;
  /**
   * Jitter of the step size, in [0, 1): each transition draws its step uniformly from (1 ± jitter) times the step size.
   * Default 0.3.
   */
  jitter?: number;
  /** Number of leapfrog steps per trajectory, which replaces `time`; a whole number >= 1. */
  leapfrogs?: number;
}

const [TIME, JITTER] = [2, 0.3];

/**
 * Hamiltonian Monte Carlo: L leapfrogs of length ε with a fresh momentum; the endpoint is accepted with probability
 * min(1, exp(H₀ − H)).
 *
 * H(q, p) = p·M⁻¹p/2 − ℓ(q). L: `leapfrogs`, or max(1, ⌊time / ε⌋). With `jitter`, each transition draws its step from
 * (1 ± jitter) ε, which breaks the cycles of trajectories with a fixed length. L does not change, so a trajectory lasts
 * (1 ± jitter) `time`. ε and M⁻¹ are adapted as in nuts.ts.
 *
 * If the metric matches the posterior, coordinates have period 2π. Trajectories of length 2 ± 30 % then end far from
 * their start, both in x and in x². Trajectories never return to their start, even if scales are off by a third. ℓ: log
 * density in nats, up to a constant; x: float64[d], unconstrained.
 *
 * The sampler leaves the target invariant after warm-up. Source: Neal 2011. Differs from Stan: a trajectory ends and is
 * rejected at the first point without a finite density.
 *
 * @throws OptionError; also if both `time` and `leapfrogs` are given
 */
export const hmc = /* @__PURE__ */ sampler<HmcOptions>(
  {
    name: "hmc",
    family: "hamiltonian",
    exact: true,
    options: { ...adaptationOptions, time: { low: 0, open: true }, leapfrogs: { low: 1, high: 2 ** 31, integer: true } },
  },
  (options) => {
    if (options.time !== undefined && options.leapfrogs !== undefined)
      throw new OptionError(
        "hmc",
        "time and leapfrogs are both given, but one follows from the other; leave one out",
        "OPTION_CONFLICT",
      );
    const { time = TIME, leapfrogs = 0, jitter = JITTER } = options;
    const adapted = adaptation({ ...options, jitter }, USUAL);
    const run = { ...adapting(adapted), name: "hmc", kernel: "hmcRun", maxDepth: 1, leapfrogs, time } as const;
    const length: Record<string, number> = leapfrogs > 0 ? { leapfrogs } : { time };
    return {
      name: "hmc",
      verb: "sample",
      toJSON: () => ({ algorithm: "hmc", ...adaptationJson(adapted), ...length }),
      start: (density, plan, engine) => new HamiltonianRun(density, plan, engine, run),
    };
  },
);
