import { DataError } from "../engine/errors/errors.ts";
import { solvePositive } from "../engine/numbers/cholesky.ts";

export interface RatedCell {
  features: ArrayLike<number>;
  target: number;
  weight: number;
}

/** Settings for fitting the row of a new user. `scale`: scale of the training ratings, otherwise 1. */
export interface FoldedBy {
  l2: number;
  alpha: number | null;
  weighted: boolean;
  scale?: number;
}

/**
 * Solves for a new row of one side of a factorisation while the other side is fixed: (G + Σ (weight − base) z zᵀ + Λ) x
 * = Σ weight target z.
 *
 * Λ is the diagonal matrix of `penalties`. Each rating has features z, a target and a weight. `sum` is G = Σ q qᵀ over
 * all items, float64[n × n], in which every cell already has weight 1 and target 0, so base is 1. Without `sum`, only
 * the rated cells count: G = 0 and base is 0.
 *
 * @throws DataError if the equations are numerically singular
 */
export function foldIn(cells: readonly RatedCell[], penalties: ArrayLike<number>, sum?: Float64Array): Float64Array {
  const n = cells[0].features.length;
  const matrix = sum?.slice() ?? new Float64Array(n * n);
  const right = new Float64Array(n);
  for (let j = 0; j < n; j++) matrix[j * n + j] += penalties[j];
  for (const { features, target, weight } of cells) {
    const added = sum ? weight - 1 : weight;
    for (let j = 0; j < n; j++) {
      right[j] += weight * target * features[j];
      for (let k = 0; k <= j; k++) matrix[j * n + k] += added * features[j] * features[k];
    }
  }
  if (solvePositive(matrix, right)) return right;
  throw new DataError(
    "recommendFor",
    "the ratings give equations that are numerically singular; train with a larger l2",
    "MODEL_SINGULAR",
  );
}

/** Returns Σ q qᵀ over rows of `n` numbers. */
export function outerSum(rows: Float64Array, n: number): Float64Array {
  const sum = new Float64Array(n * n);
  for (let at = 0; at < rows.length; at += n) {
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) sum[j * n + k] += rows[at + j] * rows[at + k];
  }
  return sum;
}
