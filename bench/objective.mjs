/**
 * Judges both sides: f(w, b) = mean_i log(1 + exp(−s_i (x_i·w + b))) + ½ l2 ‖w‖², s_i = ±1, in float64.
 *
 * w: Float64Array[columnCount] and b: number, as a contestant returned them; the intercept b is not penalised. The rows
 * come from the problem of data.mjs, never from a contestant's copy, so that no side is judged by its own arithmetic.
 */

const log1pExp = (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

export function logisticObjective(problem, l2, weights, intercept) {
  const { format, rowCount, columnCount, rowStart, columnIndex, values, target } = problem;
  if (weights.length !== columnCount)
    throw new Error(`objective: ${weights.length} weights were returned, but the data has ${columnCount} columns`);
  let loss = 0;
  for (let i = 0; i < rowCount; i++) {
    let margin = intercept;
    if (format === "dense") {
      for (let j = 0, at = i * columnCount; j < columnCount; j++) margin += weights[j] * values[at + j];
    } else {
      for (let k = rowStart[i]; k < rowStart[i + 1]; k++) margin += weights[columnIndex[k]] * values[k];
    }
    loss += log1pExp(target[i] > 0 ? -margin : margin);
  }
  let squares = 0;
  for (const weight of weights) squares += weight * weight;
  return loss / rowCount + (l2 / 2) * squares;
}
