import { isList, refuse } from "../errors/checks.ts";
import { checkNumber } from "../errors/errors.ts";

/**
 * Sample quantiles by linear interpolation: with h = (n − 1)p, Q(p) = x_(⌊h⌋) + (h − ⌊h⌋)(x_(⌈h⌉) − x_(⌊h⌋)), x_(0) ≤ …
 * ≤ x_(n−1).
 *
 * x: float64[n] in any order. The quantile is NaN if the array is empty or if any draw is NaN.
 * Source: Hyndman, Fan 1996, type 7: R's and NumPy's default.
 *
 * @throws OptionError unless every probability lies within [0, 1]
 */
export function quantile(x: Float64Array, probability: number): number {
  return quantiles(x, [probability])[0];
}

export function quantiles(x: Float64Array, probabilities: ArrayLike<number>): Float64Array {
  if (!isList(probabilities)) refuse("quantiles", "probabilities", probabilities, "a list of probabilities", "[0.05, 0.5, 0.95]");
  const sorted = x.slice().sort();
  return Float64Array.from({ length: probabilities.length }, (_, i) => {
    checkNumber("quantiles", "probability", probabilities[i], { low: 0, high: 1 });
    return quantileOfSorted(sorted, probabilities[i]);
  });
}

/** Returns a quantile of sorted values. NaN is sorted to the end, so it suffices to check the last value. */
export function quantileOfSorted(sorted: Float64Array, probability: number): number {
  const last = sorted.length - 1;
  if (last < 0 || Number.isNaN(sorted[last])) return Number.NaN;
  // Positions count from 1, as in R, so that the weight is rounded as in R. The rounding decides whether a draw equal
  // to a quantile lies below it.
  const position = 1 + last * probability;
  const low = Math.floor(position);
  const weight = position - low;
  const below = sorted[low - 1];
  const above = sorted[Math.ceil(position) - 1];
  const value = weight === 0 || below === above ? below : (1 - weight) * below + weight * above;
  // Adding 0 turns −0 into 0, because the two are equal when sorted.
  return value + 0;
}

export function median(x: Float64Array): number {
  return medianOfSorted(x.slice().sort());
}

export function medianOfSorted(sorted: Float64Array): number {
  const n = sorted.length;
  if (n === 0 || Number.isNaN(sorted[n - 1])) return Number.NaN;
  return n % 2 === 1 ? sorted[(n - 1) / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
