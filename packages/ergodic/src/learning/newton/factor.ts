import { Pauses } from "../../engine/threads/steps.ts";

/** A pivot so much smaller than its diagonal is 0: the column depends on those before. */
const DEPENDENT = 1e-11;

/** The lower triangle of a symmetric matrix, row-major, `width` numbers apart. */
export interface Triangle {
  readonly values: Float64Array;
  readonly width: number;
}

/**
 * A⁻¹b in place of b, by Cholesky's factor in place of A's lower triangle; `count` rows. A must be positive semidefinite: rows that depend on those
 * before, to rounding, get 0. Yields every few milliseconds.
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

/** Σ a b over n numbers from i and from j on, in four sums, which do not wait for each other. */
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
