/**
 * Monte Carlo standard errors. The standard error is the typical distance between an estimate from these draws and the
 * same estimate from infinitely many draws.
 *
 * mean: sd/√ESS_mean. sd: √((m₄ − m₂²)/(4 m₂·ESS_sd)), m_k = mean of (x − x̄)^k (the delta method). Quantile p: half
 * the distance between the order statistics at the 15.87 % and 84.13 % points of Beta(p·ESS + 1, (1 − p)·ESS + 1), ESS
 * = ESS_quantile(p). The method needs no density estimate. If the effective size is NaN, the error is NaN, too.
 * draws: float64[chains × draws], chain after chain. The results have the units of the draws.
 * Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021; Kenney, Keeping 1951 on sd.
 *
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws
 */
import { betaQuantile } from "../numbers/beta-quantile.ts";
import { essMean, essQuantile, essSd } from "./effective-size.ts";
import { mean, variance } from "./moments.ts";

/** Φ(−1) and Φ(1), with the same number of digits as in R's posterior package. */
const ONE_BELOW = 0.1586553;
const ONE_ABOVE = 0.8413447;

export function mcseMean(draws: Float64Array, chainCount: number): number {
  return Math.sqrt(variance(draws) / essMean(draws, chainCount));
}

export function mcseSd(draws: Float64Array, chainCount: number): number {
  return sdError(draws, essSd(draws, chainCount));
}

/** Returns the error of the standard deviation, given its effective size. */
export function sdError(draws: Float64Array, size: number): number {
  const centre = mean(draws);
  let second = 0;
  let fourth = 0;
  for (let i = 0; i < draws.length; i++) {
    const square = (draws[i] - centre) * (draws[i] - centre);
    second += square;
    fourth += square * square;
  }
  second /= draws.length;
  fourth /= draws.length;
  return Math.sqrt((fourth - second ** 2) / size / second / 4);
}

/** @throws also OptionError unless probability lies within [0, 1] */
export function mcseQuantile(draws: Float64Array, chainCount: number, probability: number): number {
  const size = essQuantile(draws, chainCount, probability);
  if (Number.isNaN(size)) return size;
  const sorted = draws.slice().sort();
  const count = sorted.length;
  const below = betaQuantile(ONE_BELOW, size * probability + 1, size * (1 - probability) + 1);
  const above = betaQuantile(ONE_ABOVE, size * probability + 1, size * (1 - probability) + 1);
  return (sorted[Math.min(Math.ceil(above * count), count) - 1] - sorted[Math.max(Math.floor(below * count), 1) - 1]) / 2;
}
