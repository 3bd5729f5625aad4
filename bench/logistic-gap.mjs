/**
 * Judges the logistic lasso paths of all contestants on sparse rows: the relative duality gap of mean_i log(1 + e^(−s_i
 * z_i)) + λ‖w‖₁, z = Xw + b, s = ±1, in float64.
 *
 * v = (y − p)/n minus its mean, so that Σv = 0, is scaled by c = min(1, λ/‖Xᵀv‖∞); then the mean entropy of q = y − cnv
 * bounds the minimum from below. The gap is relative to the loss of the intercept alone. Only the returned weights are
 * judged, never a contestant's own report.
 */
const entropy = (q) => -(q > 0 ? q * Math.log(q) : 0) - (q < 1 ? (1 - q) * Math.log1p(-q) : 0);

export function relativeLogisticGap(problem, lambda, weights, intercept) {
  const { rowCount: n, columnCount, rowStart, columnIndex, values, target } = problem;
  const v = new Float64Array(n);
  let primal = 0;
  for (let i = 0; i < n; i++) {
    let z = intercept;
    for (let at = rowStart[i]; at < rowStart[i + 1]; at++) z += values[at] * weights[columnIndex[at]];
    primal += Math.max(z, 0) - target[i] * z + Math.log1p(Math.exp(-Math.abs(z)));
    v[i] = (target[i] - 1 / (1 + Math.exp(-z))) / n;
  }
  primal = primal / n + lambda * weights.reduce((sum, w) => sum + Math.abs(w), 0);
  const mean = v.reduce((sum, x) => sum + x, 0) / n;
  const slopes = new Float64Array(columnCount);
  for (let i = 0; i < n; i++) {
    v[i] -= mean;
    for (let at = rowStart[i]; at < rowStart[i + 1]; at++) slopes[columnIndex[at]] += values[at] * v[i];
  }
  const steepest = slopes.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0);
  const c = Math.min(1, lambda / steepest);
  const dual = v.reduce((sum, x, i) => sum + entropy(Math.min(1, Math.max(0, target[i] - c * n * x))), 0) / n;
  return (primal - dual) / entropy(target.reduce((sum, y) => sum + y, 0) / n);
}

/** Returns the largest gap of a path, or NaN; `at(k)` returns { weights, intercept } at lambdas[k]. */
export function worstLogisticGap(problem, lambdas, at) {
  const gaps = Array.from(lambdas, (lambda, k) => {
    const { weights, intercept } = at(k);
    return relativeLogisticGap(problem, lambda, weights, intercept);
  });
  return Math.max(...gaps);
}
