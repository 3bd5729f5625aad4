import { Pauses } from "../../engine/threads/steps.ts";

/**
 * Smallest pivot, relative to its diagonal entry. A column with a smaller pivot counts as linearly dependent on earlier
 * columns.
 */
const DEPENDENT = 1e-11;

/** Lower triangle of a symmetric matrix, row-major. `width` is the distance between rows. */
export interface Triangle {
  readonly values: Float64Array;
  readonly width: number;
}

/**
 * Solves A x = b by Cholesky factorisation for `count` rows. The solution replaces b, and the factor replaces the lower
 * triangle of A. A must be positive semidefinite. If a row depends linearly on earlier rows, up to rounding, its
 * solution is 0. Yields every few milliseconds.
 */
export function* solving({ values, width }: Triangle, b: Float64Array, count: number): Generator<void, void> {
  const pauses = new Pauses();
  for (let i = 0; i < count; i++) {
    if (pauses.due((i * i) / 2)) yield;
    const row = i * width;
    for (let j = 0; j < i; j++) {
      const above = j * width;
      values[row + j] = (values[row + j] - inner(values, row, values, above, j)) / values[above + j];
    }
    const diagonal = values[row + i];
    const pivot = diagonal - inner(values, row, values, row, i);
    values[row + i] = pivot > DEPENDENT * diagonal ? Math.sqrt(pivot) : Infinity;
    b[i] = (b[i] - inner(values, row, b, 0, i)) / values[row + i];
  }
  for (let i = count - 1; i >= 0; i--) {
    b[i] /= values[i * width + i];
    for (let k = 0; k < i; k++) b[k] -= values[i * width + k] * b[i];
  }
}

/**
 * Inner product of n elements of a, starting at index i, and n elements of b, starting at index j. Four independent
 * sums hide the latency of additions.
 */
function inner(a: Float64Array, i: number, b: Float64Array, j: number, n: number): number {
  let s = 0;
  let t = 0;
  let u = 0;
  let v = 0;
  let k = 0;
  for (; k + 3 < n; k += 4) {
    s += a[i + k] * b[j + k];
    t += a[i + k + 1] * b[j + k + 1];
    u += a[i + k + 2] * b[j + k + 2];
    v += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < n; k++) s += a[i + k] * b[j + k];
  return s + t + (u + v);
}
