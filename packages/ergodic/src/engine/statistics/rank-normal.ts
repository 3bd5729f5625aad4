/**
 * Rank normalisation: z_i = Φ⁻¹((r_i − 3/8)/(S + 1/4)), where r_i is the rank of x_i among all S draws. Ties get their
 * average rank.
 *
 * The scores have the moments that the diagnostics need, however heavy the tails of x are. The scores do not change if
 * x is transformed by an increasing function. Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, equation 14;
 * Blom 1958 on 3/8.
 */
import { normalQuantile } from "../numbers/normal-quantile.ts";

/** Returns ranks, which count from 1. Equal values get their average rank. The rank of NaN is NaN. */
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
  return averageRanks(x).map((rank) => scoreOf(rank, x.length));
}

/**
 * Same as `rankNormalise`, for sorted draws: `sorted[i]` comes from position `order[i]`. Each score is stored at the
 * original position of its draw.
 */
export function rankNormaliseSorted({ order, sorted }: { order: Uint32Array; sorted: Float64Array }): Float64Array {
  const count = sorted.length;
  const scores = scoresOf(count);
  const z = new Float64Array(count);
  for (let start = 0, end = 0; start < count; start = end) {
    const value = sorted[start];
    for (end = start + 1; end < count && sorted[end] === value; ) end++;
    // Ties can have an average rank between two whole ranks.
    const score = end === start + 1 ? scores[start] : scoreOf((start + 1 + end) / 2, count);
    for (let i = start; i < end; i++) z[order[i]] = score;
  }
  return z;
}

const scoreOf = (rank: number, count: number): number => normalQuantile((rank - 3 / 8) / (count + 1 / 4));

/** Scores of the last call. Scores are cached, because all quantities of a posterior have the same number of draws. */
let latest = new Float64Array(0);

/** Returns the scores of the ranks 1 … count. */
function scoresOf(count: number): Float64Array {
  if (latest.length === count) return latest;
  latest = new Float64Array(count);
  for (let i = 0; i < count; i++) latest[i] = scoreOf(i + 1, count);
  return latest;
}
