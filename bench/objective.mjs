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

/**
 * The same for several classes: mean multinomial log loss + ½ l2 ‖W‖² on dense rows. Weights are listed class by class.
 */
export function multinomialObjective(problem, l2, weights, intercepts) {
  const { rowCount, columnCount, classCount, values, target } = problem;
  if (weights.length !== columnCount * classCount || intercepts.length !== classCount)
    throw new Error(`objective: ${weights.length} weights were returned, but ${columnCount * classCount} were expected`);
  const z = new Float64Array(classCount);
  let loss = 0;
  for (let i = 0; i < rowCount; i++) {
    let most = -Infinity;
    for (let k = 0; k < classCount; k++) {
      let sum = intercepts[k];
      for (let j = 0, at = i * columnCount, w = k * columnCount; j < columnCount; j++) sum += weights[w + j] * values[at + j];
      z[k] = sum;
      most = Math.max(most, sum);
    }
    let sum = 0;
    for (const each of z) sum += Math.exp(each - most);
    loss += most + Math.log(sum) - z[target[i]];
  }
  return loss / rowCount + (l2 / 2) * weights.reduce((sum, w) => sum + w * w, 0);
}
