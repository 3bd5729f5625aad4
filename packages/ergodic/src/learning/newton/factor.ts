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
 * solution is 0. Returns these rows, without rows of zeros. Yields every few milliseconds.
 */
export function* solving({ values, width }: Triangle, b: Float64Array, count: number): Generator<void, number[]> {
  const pauses = new Pauses();
  const dependent: number[] = [];
  for (let i = 0; i < count; i++) {
    if (pauses.due((i * i) / 2)) yield;
    const row = i * width;
    for (let j = 0; j < i; j++) {
      const above = j * width;
      values[row + j] = (values[row + j] - inner(values, row, values, above, j)) / values[above + j];
    }
    const diagonal = values[row + i];
    const pivot = diagonal - inner(values, row, values, row, i);
    const independent = pivot > DEPENDENT * diagonal;
    if (!independent && diagonal > 0) dependent.push(i);
    values[row + i] = independent ? Math.sqrt(pivot) : Infinity;
    b[i] = (b[i] - inner(values, row, b, 0, i)) / values[row + i];
  }
  for (let i = count - 1; i >= 0; i--) {
    b[i] /= values[i * width + i];
    for (let k = 0; k < i; k++) b[k] -= values[i * width + k] * b[i];
  }
  return dependent;
}

/** Returns a vector z with A z = 0 and z_i = 1 for each of the dependent rows i, from the factor of `solving`. */
export function* nullVectors({ values, width }: Triangle, dependent: readonly number[]): Generator<void, Float64Array[]> {
  const pauses = new Pauses();
  const vectors: Float64Array[] = [];
  for (const i of dependent) {
    const z = values.slice(i * width, i * width + i + 1).map((l) => -l);
    z[i] = 1;
    for (let j = i - 1; j >= 0; j--) {
      if (pauses.due(j)) yield;
      z[j] /= values[j * width + j];
      for (let k = 0; k < j; k++) z[k] -= values[j * width + k] * z[j];
    }
    vectors.push(z);
  }
  return vectors;
}

/**
 * Adds to `step` the combination of the null vectors with which Σ_j metric_j (x_j + step_j)² is least:
 * step −= Z (Zᵀ M Z)⁻¹ Zᵀ M (x + step). Each vector can be shorter than `step`.
 */
export function* shortening(
  step: Float64Array,
  x: Float64Array,
  vectors: readonly Float64Array[],
  metric: Float64Array,
): Generator<void, void> {
  const width = vectors.length;
  const pauses = new Pauses();
  const values = new Float64Array(width * width);
  const shares = new Float64Array(width);
  for (const [i, z] of vectors.entries()) {
    if (pauses.due(i * step.length)) yield;
    const scaled = z.map((value, j) => value * metric[j]);
    for (let k = 0; k <= i; k++) values[i * width + k] = inner(scaled, 0, vectors[k], 0, vectors[k].length);
    for (let j = 0; j < z.length; j++) shares[i] += scaled[j] * (x[j] + step[j]);
  }
  yield* solving({ values, width }, shares, width);
  for (const [i, z] of vectors.entries()) for (let j = 0; j < z.length; j++) step[j] -= shares[i] * z[j];
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
