import type { JsonObject, LogDensity, Progression } from "../../../engine/contract/index.ts";
import { CapabilityError, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { type Declaration, declare, type Factory } from "../../../engine/errors/options.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { ChainDraws } from "./chain-draws.ts";

/** How a sampler's run executes: chains, lengths, seed, threads. */
export interface SamplingPlan {
  /** Independent chains. */
  chains: number;
  /** Transitions of each chain that adapt and are not kept. */
  warmup: number;
  /** Transitions of each chain that are kept. */
  draws: number;
  /** Seed of all random numbers. */
  seed: number;
  /** Threads; draws do not depend on them. */
  workers: number;
  /** Whether draws are the same bytes on every host. */
  deterministic: boolean;
  /** false: the transitions after warm-up are not kept either, as another sampler runs this one and keeps its own. */
  keep?: boolean;
  /** The sampler that runs this one, as errors call it. */
  within?: string;
  /** Where the chains start, one point for all or one each; absent: uniform in (−2, 2). */
  start?: Float64Array | readonly Float64Array[];
  /** What the density says of points where it is not finite. */
  explain?: LogDensity["explain"];
}

/** A place of the posterior that a run visited, and what became of it. */
export interface VisitedPlace {
  /** "chain": where one draws; "left": where one was before it restarted; "scout": where a short search has been. */
  readonly by: "chain" | "left" | "scout";
  /** −1 of scouts. */
  readonly chain: number;
  /** Unconstrained. */
  readonly point: Float64Array;
  /** Of the density around it, in nats, up to the density's constant; its standard error, and the tail shape of its weights: known where that is at most 0.7. */
  readonly logMass: number;
  /** Standard error of `logMass`. */
  readonly error: number;
  /** Tail shape of the weights behind `logMass`. */
  readonly paretoK: number;
  /** Its part of the mass of itself and of the best place of a chain. */
  readonly share: number;
  /** Whether a chain fills it; false of scouts. One that does not was on its way, or stuck. */
  readonly settled: boolean;
  /** The number, from 0, of the mode that it is of: one that a chain fills, or at which a scout's search ended; −1 where it is of none. */
  readonly mode: number;
  /** Whether the chains have next to no draws there, though there should be some, or the few that there should be change a mean or a standard deviation. */
  readonly missed: boolean;
  /** true: the place is too light for a run of this length to hold draws there, but heavy enough to change a moment. */
  readonly rare?: boolean;
  /** Quantity whose moments a missed or rare place would change most. Absent if it changes none much. */
  readonly changes?: string;
  /** The factor by which the place would change that standard deviation, at least. */
  readonly sdFactor?: number;
}

/** A run in progress; a step is one transition of every chain. */
export interface Sampling extends Progression {
  /** What has been drawn so far. */
  draws(): ChainDraws;
  /** Every place that was visited, discarded ones too, where the sampler looks for them. */
  places?(): readonly VisitedPlace[];
}

/** A run that another sampler can drive: Gibbs sampling on a block, tempering on each rung. */
export interface InnerSampling extends Sampling {
  /** Names of the numbers kept of each transition. */
  readonly fields: readonly string[];
  /** The state of chain c. The position is a view that may be written before `refresh`, once the run has begun. */
  chain(c: number): { readonly position: Float64Array; logDensity: number };
  /** Numbers of chain c's last transition, right after `advance`. */
  lastTransition(c: number): Float64Array;
  /** Log densities, and gradients where the sampler follows them, anew: the density or the positions have changed. */
  refresh(): Promise<void>;
}

/** @throws CapabilityError for a sampler that cannot run inside another */
export function innerSampling(where: string, sampler: Sampler, sampling: Sampling): InnerSampling {
  if ("refresh" in sampling) return sampling as InnerSampling;
  sampling.dispose();
  throw new CapabilityError(
    where,
    `${sampler.name}() cannot run inside another sampler; take nuts(), hmc(), randomWalk() or slice()`,
    "SAMPLE_INNER",
  );
}

/** Options of a run that not every sampler heeds, as far as the user gave them. */
export interface GivenOptions {
  /** Independent chains. */
  readonly chains?: number;
  /** Draws kept per chain. */
  readonly draws?: number;
  /** Name of the size that counts rows of data. */
  readonly rows?: string;
}

/**
 * A sampler, as nuts() and its kind make it: given a log density and a plan, it starts a run.
 *
 * HOW draws are made.
 */
export interface Sampler {
  /** The sampler's name. */
  readonly name: string;
  /** The verb that it is for. */
  readonly verb: "sample";
  /** Whether it draws rows of a model that is conditioned with `rows`; absent: no. */
  readonly readsRows?: boolean;
  /**
   * Checks options of the run that the sampler might ignore. Absent: it takes chains and draws as given. @throws OptionError
   * for others
   */
  checkGiven?(where: string, given: GivenOptions): void;
  /** JSON that names every option. */
  toJSON(): JsonObject;
  /** A run on a log density. */
  start(density: LogDensity, plan: SamplingPlan, engine: Engine): Sampling;
}

/** How a sampler moves, for advice and tests. */
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

/** A sampler's declaration. A new sampler is one file with its declaration, and one line in `samplers/all.ts`. */
export interface SamplerDeclaration extends Declaration {
  /** How it moves. */
  readonly family: SamplerFamily;
  /** Whether it leaves the target invariant once warm-up has ended. Conformance tests compare its draws with closed forms. */
  readonly exact: boolean;
  /** Options with which conformance tests run it, to keep runs short. Default: none. */
  readonly conformance?: object;
  /** Makes it from JSON whose options hold other samplers in a form of their own. Default: the factory, with samplers made. */
  readonly fromJson?: (options: JsonObject, sampler: (json: JsonObject) => Sampler) => Sampler;
}

/** JSON without the options that depend on the density. */
export const withoutUndefined = (json: Record<string, JsonObject[string] | undefined>): JsonObject =>
  Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined)) as JsonObject;

/** A function that makes a sampler from options, with its declaration. */
export type SamplerFactory<O> = Factory<O, Sampler, SamplerDeclaration>;

/** Makes the factory of a sampler; options are checked against `declaration` before `make` is called. */
export const sampler = <O extends object>(declaration: SamplerDeclaration, make: (options: O) => Sampler): SamplerFactory<O> =>
  declare(declaration, make);

/** @throws OptionError for an option that the sampler would ignore */
export function checkGivenOptions(where: string, sampler: Sampler, given: GivenOptions): void {
  if (given.rows !== undefined && !sampler.readsRows)
    throw new OptionError(
      where,
      `rows is "${given.rows}", but ${sampler.name}() as it is given does not draw rows; leave rows out, or take a sampler that draws rows: sgld(), psgld(), sghmc(), sgnht(), or meanField(), fullRank() or svgd() with batch, as in meanField({ batch: 100 })`,
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

/** @throws CapabilityError for a density without a gradient, or one of whole numbers */
export function needGradient(where: string, density: LogDensity): void {
  if (density.hasGradient === false)
    throw new CapabilityError(
      where,
      "it follows gradients, but the log density has none; give it next to the dimension, as in sample(f, { dimension: 2, gradient: (x) => [-x[0], -x[1]] }), or take algorithm: slice() or randomWalk()",
      "SAMPLE_GRADIENT",
    );
  const [whole] = density.discrete ?? [];
  if (whole)
    throw new CapabilityError(
      where,
      `"${whole.name}" is discrete, and has no gradient to follow; sum it out with marginalise(), or take algorithm: gibbs()`,
      "SAMPLE_DISCRETE",
    );
}
