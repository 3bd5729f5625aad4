import type { JsonObject, LogDensity, Progression } from "../../../engine/contract/index.ts";
import { CapabilityError, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { type Declaration, type DeclaresAll, declare, type Factory } from "../../../engine/errors/options.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { ChainDraws } from "./chain-draws.ts";

/** Execution plan of a sampler's run: chains, lengths, seed, threads. */
export interface SamplingPlan {
  /** Number of independent chains. */
  chains: number;
  /** Number of warm-up transitions per chain, which adapt and are not stored. */
  warmup: number;
  /** Number of stored draws per chain. */
  draws: number;
  /** Seed of all random numbers. */
  seed: number;
  /** Number of threads. Draws do not depend on this number. */
  workers: number;
  /** Whether draws are bitwise identical on every host. */
  deterministic: boolean;
  /**
   * If false, transitions after warm-up are not stored. An outer sampler sets this to false for its inner samplers,
   * because it stores its own draws.
   */
  keep?: boolean;
  /** Name of the outer sampler, for error messages. */
  within?: string;
  /** Starting points: one for all chains, or one per chain. Absent: uniform in (−2, 2). */
  start?: Float64Array | readonly Float64Array[];
  /** Explains why the density is not finite at given points. */
  explain?: LogDensity["explain"];
}

/** A place of the posterior that a run visited, and its role in the result. */
export interface VisitedPlace {
  /**
   * Visitor of the place. "chain": a chain draws there. "left": a chain was there before it restarted. "scout": a short
   * search ended there.
   */
  readonly by: "chain" | "left" | "scout";
  /** Index of the chain; −1 for scouts. */
  readonly chain: number;
  /** Position in unconstrained numbers. */
  readonly point: Float64Array;
  /**
   * Log mass of the density around the place, in nats, up to the density's constant. The value is reliable if `paretoK`
   * is at most 0.7.
   */
  readonly logMass: number;
  /** Standard error of `logMass`. */
  readonly error: number;
  /** Tail shape of the importance weights from which `logMass` is computed. */
  readonly paretoK: number;
  /** m/(m + b), where m is the mass of this place and b the mass of the best place that a chain fills. */
  readonly share: number;
  /**
   * Whether a chain fills the place. If false, the chain was either still moving through the place or stuck in it.
   * Always false for scouts.
   */
  readonly settled: boolean;
  /**
   * Index, from 0, of the mode to which the place belongs. Every mode is filled by a chain or was found by a scout. −1
   * if it belongs to none.
   */
  readonly mode: number;
  /**
   * Whether the draws lack this place. Such a place has hardly any draws, although its mass implies some, or although a
   * few draws there would change a mean or standard deviation.
   */
  readonly missed: boolean;
  /**
   * Whether the place is too light for a run of this length to have draws there, but heavy enough to change a moment.
   */
  readonly rare?: boolean;
  /**
   * Quantity for which a missed or rare place would change the mean or standard deviation most. Absent if no change is
   * large.
   */
  readonly changes?: string;
  /** Lower bound on the factor by which the place would change the standard deviation of `changes`. */
  readonly sdFactor?: number;
}

/** A run in progress. A step is one transition of every chain. */
export interface Sampling extends Progression {
  /** Draws so far. */
  draws(): ChainDraws;
  /** All visited places, including discarded ones. Present if the sampler looks for places. */
  places?(): readonly VisitedPlace[];
}

/**
 * A run that another sampler can drive. Gibbs sampling drives one such run per block, and tempering drives one run for
 * all rungs.
 */
export interface InnerSampling extends Sampling {
  /** Names of the statistics stored for each transition. */
  readonly fields: readonly string[];
  /**
   * State of chain c. The position is a view. Once the run has begun, callers may change the position and then call
   * `refresh`.
   */
  chain(c: number): { readonly position: Float64Array; logDensity: number };
  /** Statistics of chain c's last transition. Valid right after `advance`. */
  lastTransition(c: number): Float64Array;
  /**
   * Recomputes log densities, and gradients if the sampler uses them, after the density or the positions have changed.
   */
  refresh(): Promise<void>;
}

/** @throws CapabilityError if the sampler cannot run inside another */
export function innerSampling(where: string, sampler: Sampler, sampling: Sampling): InnerSampling {
  if ("refresh" in sampling) return sampling as InnerSampling;
  sampling.dispose();
  throw new CapabilityError(
    where,
    `${sampler.name}() cannot run inside another sampler; use nuts(), hmc(), randomWalk() or slice()`,
    "SAMPLE_INNER",
  );
}

/** Options of a run that some samplers ignore. Each option is present only if the user gave it. */
export interface GivenOptions {
  /** Number of independent chains. */
  readonly chains?: number;
  /** Number of draws stored per chain. */
  readonly draws?: number;
  /** Name of the size that counts rows of data. */
  readonly rows?: string;
}

/**
 * A sampler, such as the result of nuts(). A sampler starts a run on a log density according to a plan.
 *
 * A sampler defines how draws are made, and the plan defines how many.
 */
export interface Sampler {
  /** Name of the sampler. */
  readonly name: string;
  /** Verb for which the sampler is used. */
  readonly verb: "sample";
  /** Whether the sampler draws batches of rows from a model conditioned with `rows`. Absent: no. */
  readonly readsRows?: boolean;
  /**
   * Checks options of the run that the sampler might ignore. Undefined if the sampler uses both `chains` and `draws`.
   * @throws OptionError for options that it ignores
   */
  checkGiven?(where: string, given: GivenOptions): void;
  /** JSON that names every option. */
  toJSON(): JsonObject;
  /** Starts a run on a log density. */
  start(density: LogDensity, plan: SamplingPlan, engine: Engine): Sampling;
}

/** Family of a sampler, for advice and tests. */
export type SamplerFamily =
  | "hamiltonian"
  | "metropolis"
  | "slice"
  | "stochasticGradient"
  | "approximation"
  | "population"
  | "tempering"
  | "gibbs"
  | "prior";

/**
 * A sampler's declaration. To add a sampler, write one file with its declaration, and add one line to
 * `samplers/all.ts`.
 */
export interface SamplerDeclaration extends Declaration {
  /** Family of the sampler. */
  readonly family: SamplerFamily;
  /**
   * Whether the sampler leaves the target invariant after warm-up. Conformance tests compare the draws of an exact
   * sampler with closed forms.
   */
  readonly exact: boolean;
  /** Options for conformance tests, to keep their runs short. Default: none. */
  readonly conformance?: object;
  /**
   * Makes the sampler from JSON. Needed only if some options contain other samplers in a special form. By default,
   * samplers in the options are created from their JSON, and then the factory is called.
   */
  readonly fromJson?: (options: JsonObject, sampler: (json: JsonObject) => Sampler) => Sampler;
}

/** Removes undefined options, whose values depend on the density. */
export const withoutUndefined = (json: Record<string, JsonObject[string] | undefined>): JsonObject =>
  Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined)) as JsonObject;

/** Function that makes a sampler from options, with its declaration. */
export type SamplerFactory<O> = Factory<O, Sampler, SamplerDeclaration>;

/** Makes a sampler's factory. Options are checked against `declaration` before `make` is called. */
export const sampler = <O extends object>(
  declaration: SamplerDeclaration & DeclaresAll<O>,
  make: (options: O) => Sampler,
): SamplerFactory<O> => declare(declaration, make);

/** @throws OptionError for an option that the sampler would ignore */
export function checkGivenOptions(where: string, sampler: Sampler, given: GivenOptions): void {
  if (given.rows !== undefined && !sampler.readsRows)
    throw new OptionError(
      where,
      `rows is "${given.rows}", but ${sampler.name}() with these options does not draw rows; leave rows out, or use a sampler that draws rows: sgld(), psgld(), sghmc(), sgnht(), or meanField(), fullRank() or svgd() with batch, as in meanField({ batch: 100 })`,
      "OPTION_MEANING",
    );
  sampler.checkGiven?.(where, given);
}

/** @throws OptionError */
export function checkSamplingPlan(where: string, plan: SamplingPlan, dimension: number): void {
  checkNumber(where, "chains", plan.chains, { low: 1, high: 65536, integer: true });
  checkNumber(where, "warmup", plan.warmup, { low: 0, high: 2 ** 31, integer: true });
  checkNumber(where, "draws", plan.draws, { low: 0, high: 2 ** 31, integer: true });
  checkNumber(where, "dimension", dimension, { low: 1, integer: true });
  const { start, chains } = plan;
  if (!start) return;
  const points = start instanceof Float64Array ? [start] : start;
  const fits = (start instanceof Float64Array || points.length === chains) && points.every((x) => x.length === dimension);
  if (fits) return;
  throw new OptionError(
    where,
    `start has ${start instanceof Float64Array ? "" : `${points.length} points of `}${points[0]?.length} numbers, but must be one point of ${dimension} numbers, or one for each of ${chains} chains; leave it out for random points`,
    "OPTION_SHAPE",
  );
}

/** @throws CapabilityError for a density without a gradient, or with whole numbers */
export function needGradient(where: string, density: LogDensity): void {
  if (density.hasGradient === false)
    throw new CapabilityError(
      where,
      "it follows gradients, but the log density has none; give a gradient next to the dimension, as in sample(f, { dimension: 2, gradient: (x) => [-x[0], -x[1]] }), or use algorithm: slice() or randomWalk()",
      "SAMPLE_GRADIENT",
    );
  const [whole] = density.discrete ?? [];
  if (whole)
    throw new CapabilityError(
      where,
      `"${whole.name}" is discrete, and has no gradient to follow; sum it out with marginalise(), or use algorithm: gibbs()`,
      "SAMPLE_DISCRETE",
    );
}
