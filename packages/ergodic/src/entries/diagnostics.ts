/**
 * `ergodic/diagnostics`: convergence diagnostics for draws from any source, given as plain arrays of numbers.
 *
 *   import { essBulk, rhat, summary } from "ergodic/diagnostics";
 *   rhat(chains, 4);                                       // the draws of 4 chains, chain after chain
 *   summary({ mu, tau }, { chainCount: 4 }).mu.essTail;
 *
 * Draws are [chains × draws], chain after chain, in the order in which they were drawn. Draws can be number[] or any
 * typed array; a Float64Array is not copied.
 */
import { isList, isPlainObject, refuse } from "../engine/errors/checks.ts";
import * as on from "../engine/statistics/index.ts";

export type { GeneralisedPareto } from "../engine/statistics/generalised-pareto.ts";
export type { LooOptions, LooResult } from "../engine/statistics/loo.ts";
export type { Estimate } from "../engine/statistics/pointwise.ts";
export { type PsisOptions, type PsisResult, paretoKThreshold } from "../engine/statistics/psis.ts";
export type { SummaryOptions, VariableSummary } from "../engine/statistics/summary.ts";
export type { WaicResult } from "../engine/statistics/waic.ts";

type Numbers = ArrayLike<number>;

function numbers(where: string, given: Numbers): Float64Array {
  // The length of a detached array is 0 too, and most of its methods throw errors of the host.
  if (given instanceof Float64Array) return given.length > 0 ? given : new Float64Array(0);
  if (!isList(given)) refuse(where, "the first argument", given, "a list of numbers", "[0.3, -1.2, 0.8, 0.1]");
  for (let i = 0; i < given.length; i++)
    if (typeof given[i] !== "number")
      refuse(where, `the first argument, at ${i},`, given[i], "a number", "[0.3, -1.2, 0.8, 0.1]");
  return Float64Array.from(given);
}

/** Wraps a function of a Float64Array so that it accepts any list of numbers. */
const onAny =
  <Rest extends readonly unknown[], R>(where: string, f: (x: Float64Array, ...rest: Rest) => R) =>
  (x: Numbers, ...rest: Rest): R =>
    f(numbers(where, x), ...rest);

/** Autocovariance γ_t = Σ (x_s − x̄)(x_{s+t} − x̄)/n at lags t = 0 … n − 1. */
export const autocovariance = onAny("autocovariance", on.autocovariance);
/** Autocorrelation γ_t/γ_0 at lags t = 0 … n − 1. */
export const autocorrelation = onAny("autocorrelation", on.autocorrelation);
/**
 * R̂ of rank-normalised split chains: the larger of bulk-R̂ and folded R̂. It should be below 1.01. Vehtari et al.
 * 2021. `(draws, chainCount)`.
 */
export const rhat = onAny("rhat", on.rhat);
/** Classic R̂ of the chains, without splitting or rank normalisation. `(draws, chainCount)`. */
export const basicRhat = onAny("basicRhat", on.basicRhat);
/**
 * Effective sample size of the chains, without splitting or ranks, by Geyer's initial sequences. `(draws, chainCount)`.
 */
export const effectiveSize = onAny("effectiveSize", on.effectiveSize);
/**
 * Bulk effective sample size, from rank-normalised split chains. This size should exceed 100 per chain. `(draws,
 * chainCount)`.
 */
export const essBulk = onAny("essBulk", on.essBulk);
/**
 * Tail effective sample size: the smaller of the effective sample sizes for the 5 % and 95 % quantiles. `(draws,
 * chainCount)`.
 */
export const essTail = onAny("essTail", on.essTail);
/** Effective sample size for the mean. `(draws, chainCount)`. */
export const essMean = onAny("essMean", on.essMean);
/** Effective sample size for the standard deviation. `(draws, chainCount)`. */
export const essSd = onAny("essSd", on.essSd);
/** Effective sample size for a quantile. `(draws, chainCount, probability)`. */
export const essQuantile = onAny("essQuantile", on.essQuantile);
/** Monte Carlo standard error of the mean: sd/√ESS. `(draws, chainCount)`. */
export const mcseMean = onAny("mcseMean", on.mcseMean);
/** Monte Carlo standard error of the standard deviation. `(draws, chainCount)`. */
export const mcseSd = onAny("mcseSd", on.mcseSd);
/** Monte Carlo standard error of a quantile. `(draws, chainCount, probability)`. */
export const mcseQuantile = onAny("mcseQuantile", on.mcseQuantile);
/**
 * E-BFMI of each chain, from its energies. A chain with a value below 0.3 explores the tails badly. Betancourt 2016.
 * `(energy, chainCount)`.
 */
export const ebfmi = onAny("ebfmi", on.ebfmi);
/**
 * Pareto k̂ of the heavier tail. Above 0.7, the error estimate of the mean is unreliable. Vehtari et al. 2024.
 * `(draws, chainCount)`.
 */
export const paretoKhat = onAny("paretoKhat", on.paretoKhat);
/** Pareto smoothed importance weights from log ratios. `(logRatios, { relativeEfficiency })`. */
export const psis = onAny("psis", on.psis);
/**
 * PSIS-LOO from pointwise log likelihoods [chains × draws, N], draw by draw.
 * `(logLikelihood, { observationCount, chainCount })`.
 */
export const psisLoo = onAny("psisLoo", on.psisLoo);
/** WAIC from pointwise log likelihoods [chains × draws, N], draw by draw. `(logLikelihood, { observationCount })`. */
export const waic = onAny("waic", on.waic);
/** Median; NaN for an empty list or if any number is NaN. */
export const median = onAny("median", on.median);
/** Quantile by linear interpolation, R's type 7. `(x, probability)`. */
export const quantile = onAny("quantile", on.quantile);
/** Quantiles by linear interpolation, R's type 7. `(x, probabilities)`. */
export const quantiles = onAny("quantiles", on.quantiles);
/** Rank-normalised values z = Φ⁻¹((rank − 3/8)/(S + 1/4)). Ties share their average rank. */
export const rankNormalise = onAny("rankNormalise", on.rankNormalise);

/**
 * Returns a posterior summary by variable name: mean, sd, their Monte Carlo errors, quantiles, effective sample sizes,
 * R̂ and k̂.
 *
 * `chainCount`: number of chains in the draws. `probabilities`: probabilities of the quantiles, default 0.05, 0.5,
 * 0.95.
 *
 * @throws OptionError unless chainCount is a positive integer and probabilities lie within [0, 1]; DataError if the
 * shapes differ
 */
export function summary<Name extends string>(
  variables: Readonly<Record<Name, Numbers>>,
  options: on.SummaryOptions,
): Record<Name, on.VariableSummary> {
  if (!isPlainObject(variables)) refuse("summary", "variables", variables, "draws by name", "{ mu, tau }");
  const entries = Object.entries<Numbers>(variables).map(([name, draws]) => [name, numbers(`summary: ${name}`, draws)]);
  return on.summary(Object.fromEntries(entries) as Record<Name, Float64Array>, options);
}
