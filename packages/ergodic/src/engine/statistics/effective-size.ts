import { checkNumber } from "../errors/errors.ts";
import { log } from "../numbers/log.ts";
import { autocovarianceAt } from "./autocorrelation.ts";
import { type CentredChains, centredChains } from "./centred.ts";
import { bounds, drawsPerChain, isDegenerate, splitChains } from "./chains.ts";
import { mean, variance } from "./moments.ts";
import { quantile } from "./quantile.ts";
import { rankNormalise } from "./rank-normal.ts";

export function essBulk(draws: Float64Array, chainCount: number): number {
  drawsPerChain("essBulk", draws, chainCount);
  const split = splitChains(draws, chainCount);
  return effectiveSize(rankNormalise(split.draws), split.chainCount);
}

export function essTail(draws: Float64Array, chainCount: number): number {
  drawsPerChain("essTail", draws, chainCount);
  return Math.min(essQuantile(draws, chainCount, 0.05), essQuantile(draws, chainCount, 0.95));
}

export function essMean(draws: Float64Array, chainCount: number): number {
  drawsPerChain("essMean", draws, chainCount);
  return splitEffectiveSize(draws, chainCount);
}

export function essSd(draws: Float64Array, chainCount: number): number {
  drawsPerChain("essSd", draws, chainCount);
  return splitEffectiveSize(squaresAboutMean(draws), chainCount);
}

/**
 * Returns (x − x̄)². Squares that differ only by the rounding error of x − x̄ are all set to the largest square. Such
 * squares occur if x takes two values equally often.
 */
export function squaresAboutMean(draws: Float64Array): Float64Array {
  const centre = mean(draws);
  const squares = new Float64Array(draws.length);
  for (let i = 0; i < draws.length; i++) squares[i] = (draws[i] - centre) * (draws[i] - centre);
  const [low, high] = bounds(squares);
  const [lowest, highest] = bounds(draws);
  const rounding = 2 ** -51 * Math.max(-lowest, highest, highest - lowest) * Math.sqrt(high);
  return high - low <= rounding ? squares.fill(high) : squares;
}

/** @throws also OptionError unless probability lies within [0, 1] */
export function essQuantile(draws: Float64Array, chainCount: number, probability: number): number {
  drawsPerChain("essQuantile", draws, chainCount);
  checkNumber("essQuantile", "probability", probability, { low: 0, high: 1 });
  if (isDegenerate(draws)) return Number.NaN;
  // The indicator x ≤ maximum is always 1, so for probability 1 use a quantile just below the maximum, where the
  // indicator varies.
  const inside = probability === 1 ? (draws.length - 0.5) / draws.length : probability;
  return essBelow(draws, chainCount, quantile(draws, inside));
}

/** Returns the ESS of the indicator x ≤ bound. `below`: work array of the same length. */
export function essBelow(draws: Float64Array, chainCount: number, bound: number, below = new Float64Array(draws.length)): number {
  for (let i = 0; i < draws.length; i++) below[i] = draws[i] <= bound ? 1 : 0;
  return splitEffectiveSize(below, chainCount);
}

export function splitEffectiveSize(draws: Float64Array, chainCount: number): number {
  const split = splitChains(draws, chainCount);
  return effectiveSize(split.draws, split.chainCount);
}

/**
 * Effective sample size: the number of independent draws that would give an equally precise estimate. ESS = S/τ, τ = 1
 * + 2 Σ_{t>0} ρ_t, S = chains × draws. This function neither splits nor ranks the chains.
 *
 * ρ_t = 1 − (W − γ̄_t)/V, where γ̄_t is the autocovariance averaged over chains, W = n/(n − 1)·γ̄₀ and V = γ̄₀ + the
 * variance of the chains' means. Chains that disagree are therefore treated as one slow chain. The sum over pairs ρ_2k
 * + ρ_2k+1 stops before the first negative pair, and pairs are lowered so that they never increase (Geyer's initial
 * monotone sequence). For antithetic chains, the bound τ ≥ 1/log₁₀ S limits the ESS. The following functions split
 * chains into halves first.
 *
 * | function | of | purpose |
 * | --- | --- | --- |
 * | essBulk | the rank-normalised draws | overall: at least 100 per chain |
 * | essTail | x ≤ q, the smaller of the 5 % and 95 % quantiles q | the tails |
 * | essMean, essSd | x, (x − x̄)² | the error of the mean, of the standard deviation |
 * | essQuantile | x ≤ q | the error of a quantile |
 *
 * NaN if a draw is not finite (for essBulk: is NaN), if all are equal, or with fewer than three draws per half chain.
 * As in R's posterior package, τ = 2 and the result is S/2 in two cases: if the first pair is negative, or if only one
 * pair can be evaluated (halves of 3 to 5 draws). Differs from posterior: draws count as equal if they differ only by
 * rounding. In posterior, they count as equal if they differ by less than 2^-52. The unit of x therefore does not
 * matter.
 * Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021; Geyer 1992, section 3.3.
 *
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws
 */
export function effectiveSize(draws: Float64Array, chainCount: number): number {
  const n = drawsPerChain("effectiveSize", draws, chainCount);
  return n < 3 || isDegenerate(draws) ? Number.NaN : effectiveSizeOf(centredChains(draws, chainCount));
}

/** Same as `effectiveSize`, for at least three draws per chain that are not all equal. */
export function effectiveSizeOf(chains: CentredChains): number {
  const { chainCount, means, draws } = chains;
  const n = draws.length / chainCount;
  const gamma = autocovarianceAt(chains);
  const within = (gamma(0) * n) / (n - 1);
  const total = gamma(0) + (chainCount > 1 ? variance(means) : 0);
  if (!(total > 0)) return Number.NaN;
  const tau = autocorrelationTime((t) => (t === 0 ? 1 : 1 - (within - gamma(t)) / total), n);
  return draws.length / Math.max(tau, 1 / (log(draws.length) / Math.LN10));
}

/** Returns τ from ρ_t at lags below n, by Geyer's initial monotone sequence. */
function autocorrelationTime(rho: (t: number) => number, n: number): number {
  let end = 0;
  let pair = rho(0) + rho(1);
  let total = 0;
  let least = pair;
  // Pairs before `end` are positive and included in the sum. The pair at `end` is the first pair that is not positive,
  // or the last pair that can be evaluated.
  while (end < n - 5 && pair > 0) {
    total += least;
    end += 2;
    pair = rho(end) + rho(end + 1);
    least = Math.min(least, pair);
  }
  // The last pair contributes only its even lag, and only once. This reduces the variance for antithetic chains.
  const last = pair >= 0 ? rho(end) : Math.max(rho(end), 0);
  return end === 0 ? 2 : -1 + 2 * total + last;
}
