import { Dataset } from "../../../engine/data/dataset.ts";
import { solvePositive } from "../../../engine/numbers/cholesky.ts";

/**
 * Ridge that is added to the Gram matrix, relative to the mean square of the rows. Without this ridge, linearly
 * dependent rows could not be factored.
 */
const RIDGE = 1e-10;

/**
 * Returns the rows in coordinates of their span. The result has as many columns as rows, and it has the same products
 * x_i·x_j.
 *
 * The weights of a linear model with an L2 penalty lie in the span of its rows, so outputs and the norm of the weights
 * do not change: X Xᵀ = L Lᵀ, and row i of L replaces x_i (Schölkopf, Herbrich, Smola 2001). Costs n²/2 products of
 * rows. Target, weights and offsets do not change.
 * `centre`: vector subtracted from each row first. With an intercept, this does not change the model.
 */
export function inRowSpan(data: Dataset, centre?: Float64Array): Dataset {
  const { rowCount, target, weights, offset } = data;
  const rows = Array.from({ length: rowCount }, (_, i) => data.row(i).map((x, j) => x - (centre?.[j] ?? 0)));
  const factor = new Float64Array(rowCount * rowCount);
  let squares = 0;
  for (let i = 0; i < rowCount; i++) {
    for (let j = 0; j <= i; j++) factor[i * rowCount + j] = dot(rows[i], rows[j]);
    squares += factor[i * rowCount + i];
  }
  const ridge = (RIDGE * squares) / rowCount || 1;
  for (let i = 0; i < rowCount; i++) factor[i * rowCount + i] += ridge;
  solvePositive(factor, new Float64Array(rowCount));
  const { levels } = target;
  return Dataset.fromArrays({
    x: { values: factor, columnCount: rowCount },
    y: levels ? Array.from(target.values, (k) => levels[k]) : target.values,
    ...(weights ? { weights } : {}),
    ...(offset ? { offset } : {}),
    type: "f64",
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}
