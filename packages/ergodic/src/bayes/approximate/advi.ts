import type { Accepted } from "../../engine/errors/options.ts";
import { batchOf } from "../samplers/base/gradient-estimate.ts";
import { type Sampler, type SamplerFactory, sampler } from "../samplers/base/sampler.ts";
import type { AdviOptions, ResolvedAdvi } from "./advi-options.ts";
import { AdviRun } from "./advi-run.ts";

export type { AdviOptions };

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

const count = { low: 1, high: 1e6, integer: true };
const most = { low: 0, high: 1e9, integer: true };
const accepted = {
  start: ["pathfinder", "point"],
  gradientDraws: count,
  elboDraws: count,
  maxIterations: most,
  tolerance: { low: 0 },
  evaluateEvery: count,
  adaptIterations: count,
  refineDraws: most,
  psis: "boolean",
  rate: { low: 0, open: true },
  batch: { low: 1, integer: true },
} satisfies Accepted;
const absent = { rule: "the ascent scales its steps by past gradients; rate sets their length" };

const advi = (name: "meanField" | "fullRank"): SamplerFactory<AdviOptions> =>
  sampler({ name, family: "approximation", exact: false, options: accepted, absent }, (given) => make(name, given));

function make(name: "meanField" | "fullRank", given: AdviOptions): Sampler {
  const options: ResolvedAdvi = { ...defaults, ...(given.batch === undefined ? {} : { refineDraws: 0 }), ...given };
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
 * Variational inference with independent normals: the diagonal normal with the highest ELBO, in unconstrained
 * coordinates.
 *
 * If parameters are correlated, its standard deviations are too small. The k̂ in the verdict then reveals this. x = o +
 * W(μ + Cz), with C and W diagonal; options and stages are the same as for fullRank(). @throws OptionError;
 * CapabilityError without a gradient
 */
export const meanField = /* @__PURE__ */ advi("meanField");

/**
 * Variational inference with a full covariance matrix: finds the normal distribution q with the highest ELBO, E_q[ℓ(x)
 * − log q(x)], by gradient ascent.
 *
 * x = o + W(μ + Cz), z standard normal. `meanField`: C = diag e^ω, W diagonal. `fullRank`: C and W lower triangular. ℓ:
 * log density in nats, up to a constant, x: float64[d], unconstrained. The algorithm has three stages, and each stage
 * can be skipped:
 * - `start: "pathfinder"`: o and W are the mean and scale of the best normal of four Pathfinder paths, so that the
 *   optimum is near μ = 0, C = I in any units; "point": o is the starting point, W = I.
 * - Stochastic ascent with `gradientDraws` draws per step: s₁ = g², s_t = 0.9 s + 0.1 g², step η t^-½ g/(1 + √s_t). η
 *   is `rate`, or the first of 100, 10, 1, 0.1, 0.01 whose ELBO after `adaptIterations` exceeds both the initial ELBO
 *   and the next candidate's. The ELBO is estimated every `evaluateEvery` steps from `elboDraws` draws. The ascent ends
 *   when the mean or median of the last relative changes (ten by default) is below `tolerance`, or after
 *   `maxIterations`; 0 skips it.
 * - `refineDraws`: L-BFGS maximises the ELBO on this many fixed draws (whitened, in pairs ±z; at least 4d for
 *   `fullRank`); 0 skips it.
 *
 * With `batch`, each evaluation of the ascent reads this many rows, with control variates about o (batch-point.ts). The
 * paths, the refinement and k̂ read all rows.
 *
 * With `psis`, draws are resampled by Pareto-smoothed importance weights (approximation-run.ts). The normal with the
 * highest ELBO is narrower than the posterior, for example by a tenth if the posterior of 46 observations has heavy
 * tails. Resampling corrects this. Without `psis`, draws are from q.
 *
 * Streams: ("path", i, …) as in Pathfinder; ("advi", "gradient"), ("advi", "elbo"), ("advi", "rows"), ("advi",
 * "refine"), ("advi", "draw").
 *
 * Source: Kucukelbir, Tran, Ranganath, Gelman, Blei 2017; fixed draws: Giordano, Ingram, Broderick 2024. These options
 * give Stan's algorithm: { start: "point", refineDraws: 0, psis: false }. The noise of the last steps limits the
 * accuracy of its result.
 *
 * @throws OptionError; CapabilityError without a gradient, or without rows for batches; ErgodicError if no starting
 *   point has a finite density, or no η improves the ELBO
 */
export const fullRank = /* @__PURE__ */ advi("fullRank");
