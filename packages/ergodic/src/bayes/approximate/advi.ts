import { checkBoolean, checkChoice } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { batchOf } from "../samplers/base/gradient-estimate.ts";
import type { Sampler } from "../samplers/base/sampler.ts";
import { AdviRun } from "./advi-run.ts";

/** Options of `meanField` and `fullRank`. */
export interface AdviOptions {
  /**
   * Where the normal starts: "pathfinder" (the best normal of four Pathfinder paths) or "point" (the starting point, unit
   * scale). Default "pathfinder".
   */
  start?: "pathfinder" | "point";
  /** Draws per gradient of the ascent. Default 1; a whole number >= 1. */
  gradientDraws?: number;
  /** Draws per estimate of the ELBO. Default 100; a whole number >= 1. */
  elboDraws?: number;
  /** Most steps of the ascent; 0 skips it. Default 10,000. */
  maxIterations?: number;
  /** The ascent ends where the relative change of the ELBO falls below this. Default 0.01; >= 0. */
  tolerance?: number;
  /** Steps between two estimates of the ELBO. Default 100; a whole number >= 1. */
  evaluateEvery?: number;
  /** Steps for which each step size is tried. Default 50; a whole number >= 1. */
  adaptIterations?: number;
  /** η, the step size of the ascent, > 0. Default: the best of 100, 10, 1, 0.1 and 0.01. */
  rate?: number;
  /** Rows that each evaluation of the ascent reads, for a model conditioned with `rows`. Default: all. */
  batch?: number;
  /** Fixed draws on which L-BFGS maximises the ELBO at the end; 0 skips this. Default 200; 0 with `batch`. */
  refineDraws?: number;
  /** Whether draws are picked by Pareto smoothed importance weights. Default true. */
  psis?: boolean;
}

const defaults = {
  start: "pathfinder",
  gradientDraws: 1,
  elboDraws: 100,
  maxIterations: 10_000,
  tolerance: 0.01,
  evaluateEvery: 100,
  adaptIterations: 50,
  refineDraws: 200,
  psis: true,
} satisfies AdviOptions;

export type ResolvedAdvi = Required<Omit<AdviOptions, "rate" | "batch">> & Pick<AdviOptions, "rate" | "batch">;

function resolve(where: string, given: AdviOptions): ResolvedAdvi {
  const absent = { rule: "the ascent scales its steps by past gradients; rate sets their length" };
  checkKeys(where, given, [...Object.keys(defaults), "rate", "batch"], { absent });
  const options: ResolvedAdvi = { ...defaults, ...(given.batch === undefined ? {} : { refineDraws: 0 }), ...given };
  if (options.batch !== undefined) checkNumber(where, "batch", options.batch, { low: 1, integer: true });
  checkChoice(where, "start", options.start, ["pathfinder", "point"]);
  for (const key of ["gradientDraws", "elboDraws", "evaluateEvery", "adaptIterations"] as const)
    checkNumber(where, key, options[key], { low: 1, high: 1e6, integer: true });
  for (const key of ["maxIterations", "refineDraws"] as const)
    checkNumber(where, key, options[key], { low: 0, high: 1e9, integer: true });
  checkNumber(where, "tolerance", options.tolerance, { low: 0 });
  if (options.rate !== undefined) checkNumber(where, "rate", options.rate, { low: 0, open: true });
  checkBoolean(where, "psis", options.psis);
  return options;
}

function advi(name: "meanField" | "fullRank", given: AdviOptions): Sampler {
  const options = resolve(name, given);
  return {
    name,
    verb: "sample",
    readsRows: options.batch !== undefined,
    toJSON: () => ({ algorithm: name, ...options }),
    start(density, plan, engine) {
      if (options.batch !== undefined) batchOf(name, { batch: options.batch, centre: undefined }, density);
      return new AdviRun(name, density, plan, engine, options);
    },
  };
}

/**
 * Variational inference by independent normals: the diagonal normal with the highest ELBO, in unconstrained coordinates.
 *
 * Where parameters are correlated its standard deviations are too small, which k̂ in the verdict reports. x = o + W(μ + Cz), C
 * and W diagonal;
 * the stages are those of fullRank(). @throws OptionError; CapabilityError without a gradient
 */
export const meanField = (options: AdviOptions = {}): Sampler => advi("meanField", options);

/**
 * Variational inference by a normal of any covariance: the normal q that has the highest ELBO, E_q[ℓ(x) − log q(x)], by its gradient.
 *
 * x = o + W(μ + Cz), z standard normal. `meanField`: C = diag e^ω, W diagonal. `fullRank`: C lower triangular, W too.
 * ℓ: log density in nats, up to a constant, x: float64[d], unconstrained. Three stages, each of which can be skipped:
 * - `start: "pathfinder"`: o and W are mean and scale of the best normal of four Pathfinder paths, so that the optimum is near
 * μ = 0, C = I whatever the
 *   units; "point": o is the starting point, W = I.
 * - stochastic ascent on `gradientDraws` draws a step: s₁ = g², s_t = 0.9 s + 0.1 g², step η t^-½ g/(1 + √s_t). η is the first
 * of 100, 10, 1, 0.1, 0.01
 *   whose ELBO after `adaptIterations` is above the start's and above the next one's. Every `evaluateEvery` steps the ELBO is estimated by `elboDraws`
 *   draws; ends where the mean or the median of the last ten relative changes is below `tolerance`. `maxIterations: 0` skips it.
 * - `refineDraws`: the ELBO on that many fixed draws (whitened, ± in pairs; for `fullRank` at least 4d) is maximised by L-BFGS; 0 skips it.
 * With `batch` the ascent reads so many rows an evaluation, with control variates about o (batch-point.ts); the paths, the
 * refinement and k̂ read all rows.
 * With `psis` draws are picked by Pareto smoothed importance weights (approximation-run.ts): they undo that the highest ELBO is a narrower normal's,
 * by a tenth where 46 observations leave tails. Without it draws are of q.
 * Streams: ("path", i, …) as Pathfinder; ("advi", "gradient"), ("advi", "elbo"), ("advi", "rows"), ("advi", "refine"), ("advi", "draw").
 * Source: Kucukelbir, Tran, Ranganath, Gelman, Blei 2017; fixed draws: Giordano, Ingram, Broderick 2024. Stan's algorithm is
 * { start: "point", refineDraws: 0, psis: false }: it ends within the noise of its last steps.
 *
 * @throws OptionError; CapabilityError without a gradient, or without rows for batches; ErgodicError where no starting point
 * has a finite density, or no η climbs
 */
export const fullRank = (options: AdviOptions = {}): Sampler => advi("fullRank", options);
