/**
 * Exact draws of counts in logarithmic time. A binomial count is split at the median of its n uniform numbers. This
 * median has a beta distribution. A Poisson count is split at the time of a later arrival. This time has a gamma
 * distribution. Small counts are counted one by one. Source: Ahrens, Dieter 1974; Devroye 1986, X.4.3 and X.3.
 */

import { drawBeta, drawGamma } from "../../engine/random/draw-gamma.ts";
import type { Draws } from "../../engine/random/stream.ts";

const FEW = 16;

/** Draws the number of successes in n trials: n whole, p in [0, 1]. */
export function drawBinomial(draws: Draws, n: number, p: number): number {
  let before = 0;
  while (n > FEW) {
    const middle = 1 + Math.floor(n / 2);
    const median = drawBeta(draws, middle, n + 1 - middle);
    if (median <= p) {
      // `middle` of the uniform numbers are at or below p. The others are above the median.
      before += middle;
      n -= middle;
      p = median < 1 ? Math.min(1, (p - median) / (1 - median)) : 1;
    } else {
      n = middle - 1;
      p = p / median;
    }
  }
  for (let i = 0; i < n; i++) if (draws.uniform() < p) before++;
  return before;
}

/** Draws the number of arrivals of a Poisson process with rate 1 in a period of length `mean` ≥ 0. */
export function drawPoisson(draws: Draws, mean: number): number {
  let before = 0;
  while (mean > FEW) {
    const arrival = Math.floor(0.875 * mean);
    const time = drawGamma(draws, arrival);
    if (time > mean) return before + drawBinomial(draws, arrival - 1, mean / time);
    before += arrival;
    mean -= time;
  }
  for (let time = draws.exponential(); time <= mean; time += draws.exponential()) before++;
  return before;
}

/** Draws an index with probability proportional to its weight. */
export function drawIndex(draws: Draws, weights: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  let left = draws.uniform() * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] > 0) last = i;
    left -= weights[i];
    if (left < 0) return i;
  }
  // If rounding leaves a remainder, it belongs to the last index with a positive weight.
  return last;
}

/** Distributes n trials over the categories, in proportion to their weights. */
export function drawMultinomial(draws: Draws, n: number, weights: ArrayLike<number>): Float64Array {
  const counts = new Float64Array(weights.length);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  for (let i = 0; i < weights.length && n > 0; i++) {
    counts[i] = i === weights.length - 1 ? n : drawBinomial(draws, n, Math.min(1, Math.max(0, weights[i] / total)));
    n -= counts[i];
    total -= weights[i];
  }
  return counts;
}
