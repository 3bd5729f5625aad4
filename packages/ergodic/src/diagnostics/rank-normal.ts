/**
 * Rank normalisation: z_i = Φ⁻¹((r_i − 3/8)/(S + 1/4)), r_i the rank of x_i among all S draws, ties sharing their average.
 *
 * It gives every distribution, however heavy its tails, the moments that the diagnostics need, and stays the same under every increasing
 * transformation of x. Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, equation 14; Blom 1958 on 3/8.
 */
import { normalQuantile } from "../base/normal-quantile.ts";

/** Ranks from 1; of equal values the average. NaN draws have no rank: NaN. */
export function averageRanks(x: Float64Array): Float64Array {
  const sorted = x.slice().sort();
  const ranks = new Float64Array(x.length);
  for (let start = 0, end = 0; start < x.length; start = end) {
    while (end < x.length && (end === start || sorted[end] === sorted[start])) end++;
    ranks.fill((start + 1 + end) / 2, start, end);
  }
  return x.map((value) => (Number.isNaN(value) ? value : ranks[firstNotBelow(sorted, value)]));
}

function firstNotBelow(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function rankNormalise(x: Float64Array): Float64Array {
  return averageRanks(x).map((rank) => normalQuantile((rank - 3 / 8) / (x.length + 1 / 4)));
}
