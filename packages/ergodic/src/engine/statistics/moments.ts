/**
 * Mean and variance in two passes. The second pass subtracts the mean and corrects the rounding error of the first
 * pass. Sums use four accumulators, so that an addition need not wait for the previous one.
 */

/** Returns the mean, or NaN if the array is empty. */
export function mean(x: Float64Array): number {
  return meanOf(x, 0, x.length);
}

/** Returns the mean over [start, end). */
export function meanOf(x: Float64Array, start: number, end: number): number {
  const count = end - start;
  const first = sumAbout(0, x, start, end) / count;
  return Number.isFinite(first) ? first + sumAbout(first, x, start, end) / count : first;
}

/** Returns Σ(x − x̄)²/(n − 1), or NaN if there are fewer than two values. */
export function variance(x: Float64Array): number {
  return squaresAbout(mean(x), x, 0, x.length) / (x.length - 1);
}

/** Returns Σ(x − c) over [start, end). */
function sumAbout(c: number, x: Float64Array, start: number, end: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    s0 += x[i] - c;
    s1 += x[i + 1] - c;
    s2 += x[i + 2] - c;
    s3 += x[i + 3] - c;
  }
  for (; i < end; i++) s0 += x[i] - c;
  return s0 + s1 + (s2 + s3);
}

/** Returns Σ(x − c)² over [start, end). */
export function squaresAbout(c: number, x: Float64Array, start: number, end: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    s0 += (x[i] - c) * (x[i] - c);
    s1 += (x[i + 1] - c) * (x[i + 1] - c);
    s2 += (x[i + 2] - c) * (x[i + 2] - c);
    s3 += (x[i + 3] - c) * (x[i + 3] - c);
  }
  for (; i < end; i++) s0 += (x[i] - c) * (x[i] - c);
  return s0 + s1 + (s2 + s3);
}
