/**
 * Upper bounds on the curvature of f along each block. A bound is sup ℓ'' × an upper bound on the largest eigenvalue of
 * X_bᵀ diag(c) X_b, plus l2 w. A bound is Infinity if the loss has unbounded curvature.
 */
import type { ColumnTarget } from "../../../engine/contract/index.ts";
import type { CoordinatePieces } from "./coordinate-pieces.ts";

/**
 * If a block has at most this many columns, all products of its columns are computed. For larger blocks, the sum of
 * squares is used instead.
 */
const MOST_PRODUCTS = 100;

/** `gram`: returns X_bᵀ diag(c) X_b of the listed columns. */
export function curvatureBounds(
  { curvature }: ColumnTarget,
  { blocks, width, l2 }: CoordinatePieces,
  gram: (columns: readonly number[]) => Float64Array,
): Float64Array {
  if (curvature === undefined) return new Float64Array(blocks.length).fill(Infinity);
  const largest = (columns: readonly number[]): number =>
    columns.length > MOST_PRODUCTS
      ? columns.reduce((sum, j) => sum + gram([j])[0], 0)
      : eigenvalueBound(gram(columns), columns.length);
  return Float64Array.from(blocks, (members) => {
    const columns = [...new Set(members.map((i) => i % width))];
    return curvature * largest(columns) + members.reduce((most, i) => Math.max(most, l2[i]), 0);
  });
}

/**
 * Returns (tr A⁶⁴)^(1/64), an upper bound on the largest eigenvalue of a positive semidefinite A. The bound exceeds the
 * eigenvalue by a factor of at most m^(1/64).
 */
export function eigenvalueBound(matrix: Float64Array, m: number): number {
  if (m === 1) return matrix[0];
  const trace = (a: Float64Array): number => Array.from({ length: m }, (_, i) => a[i * m + i]).reduce((sum, v) => sum + v, 0);
  const scale = trace(matrix);
  if (!(scale > 0)) return 0;
  let power = matrix.map((v) => v / scale);
  for (let n = 0; n < 6; n++) power = squared(power, m);
  let root = trace(power);
  for (let n = 0; n < 6; n++) root = Math.sqrt(root);
  return scale * root * (1 + 1e-12);
}

/** Returns A² of a symmetric A. */
function squared(a: Float64Array, m: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += a[i * m + k] * a[j * m + k];
      out[i * m + j] = sum;
      out[j * m + i] = sum;
    }
  }
  return out;
}
