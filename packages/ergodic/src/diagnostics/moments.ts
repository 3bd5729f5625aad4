/** Mean and variance, in two passes: the second takes the mean out first, and corrects it by what the first rounded away. */

/** NaN of nothing. */
export function mean(x: Float64Array): number {
  let total = 0;
  for (const value of x) total += value;
  const first = total / x.length;
  if (!Number.isFinite(first)) return first;
  let rest = 0;
  for (const value of x) rest += value - first;
  return first + rest / x.length;
}

/** Σ(x − x̄)²/(n − 1); NaN of fewer than two. */
export function variance(x: Float64Array): number {
  const centre = mean(x);
  let total = 0;
  for (const value of x) total += (value - centre) ** 2;
  return total / (x.length - 1);
}

/** x̄ of each chain. */
export function chainMeans(draws: Float64Array, chainCount: number): Float64Array {
  const length = draws.length / chainCount;
  return Float64Array.from({ length: chainCount }, (_, chain) => mean(draws.subarray(chain * length, (chain + 1) * length)));
}
