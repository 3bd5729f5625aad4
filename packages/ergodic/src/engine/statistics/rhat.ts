import { type CentredChains, centredChains } from "./centred.ts";
import { drawsPerChain, isDegenerate, splitChains } from "./chains.ts";
import { mean, variance } from "./moments.ts";
import { median } from "./quantile.ts";
import { rankNormalise } from "./rank-normal.ts";

/**
 * R̂, the potential scale reduction factor: the spread of all draws, divided by the spread within chains. R̂ = √(((n −
 * 1)/n·W + B/n)/W).
 *
 * W: mean of the chains' variances; B/n: variance of the chains' means; n: draws per chain. `rhat` is the larger of two
 * values: R̂ of the rank-normalised draws (do the chains agree on the bulk?) and R̂ of the rank-normalised distances
 * from the median (do they agree on the spread?). Chains are split into halves, so that a single chain that drifts is
 * detected by a disagreement between its halves. Values should be below 1.01. R̂ is NaN if a draw is NaN, if all draws
 * or all distances are equal, or if a half has only one draw. R̂ is ∞ if each half is constant but the constants
 * differ. An infinite draw counts by its rank. draws: float64[chains × draws], chain after chain.
 * Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021.
 *
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws
 */
export function rhat(draws: Float64Array, chainCount: number): number {
  drawsPerChain("rhat", draws, chainCount);
  const centre = median(draws);
  const folded = draws.map((x) => Math.abs(x - centre));
  return Math.max(splitRankRhat(draws, chainCount), splitRankRhat(folded, chainCount));
}

function splitRankRhat(draws: Float64Array, chainCount: number): number {
  const split = splitChains(draws, chainCount);
  const z = rankNormalise(split.draws);
  return isDegenerate(z) ? Number.NaN : potentialScaleReduction(centredChains(z, split.chainCount));
}

/**
 * R̂ of the chains as they are, without splitting or ranking. NaN if a draw is not finite; otherwise NaN and ∞ as in
 * `rhat`.
 */
export function basicRhat(draws: Float64Array, chainCount: number): number {
  drawsPerChain("basicRhat", draws, chainCount);
  return isDegenerate(draws) ? Number.NaN : potentialScaleReduction(centredChains(draws, chainCount));
}

/** R̂ of chains that are not all equal. */
export function potentialScaleReduction({ chainCount, means, squares, draws }: CentredChains): number {
  const n = draws.length / chainCount;
  const between = n * variance(means);
  const variances = squares.map((own) => own / (n - 1));
  return Math.sqrt((between / mean(variances) + n - 1) / n);
}
