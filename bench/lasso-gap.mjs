/**
 * Judges the lasso paths of all contestants: the relative duality gap of mean_i ½(y_i − b − x_i·w)² + λ‖w‖₁ at (w, b),
 * in float64.
 *
 * u = r − r̄ (r: residuals) is scaled by the best c with ‖Xᵀcu‖∞ ≤ nλ; then uᵀ1 = 0 and c uᵀy/n − c²‖u‖²/(2n) bounds
 * the minimum from below. The gap is relative to ‖y − ȳ‖²/(2n). `columns`: column-major. Only the returned weights are
 * judged, never a contestant's own report.
 */

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

export function relativeLassoGap({ rowCount: n, columnCount, columns, target }, lambda, weights, intercept) {
  const residual = target.map((y) => y - intercept);
  let norm = 0;
  for (let j = 0; j < columnCount; j++) {
    const weight = weights[j];
    if (weight === 0) continue;
    norm += Math.abs(weight);
    for (let i = 0, at = j * n; i < n; i++) residual[i] -= weight * columns[at + i];
  }
  const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / n;
  const primal = dot(residual, residual) / (2 * n) + lambda * norm;
  const centre = mean(residual);
  const u = residual.map((r) => r - centre);
  let steepest = 0;
  for (let j = 0; j < columnCount; j++) {
    let slope = 0;
    for (let i = 0, at = j * n; i < n; i++) slope += columns[at + i] * u[i];
    steepest = Math.max(steepest, Math.abs(slope) / n);
  }
  const c = Math.min(dot(u, target) / dot(u, u), lambda / steepest);
  const dual = (c * dot(u, target)) / n - (c * c * dot(u, u)) / (2 * n);
  const level = mean(target);
  const spread = target.reduce((sum, y) => sum + (y - level) ** 2, 0);
  return (primal - dual) / (spread / (2 * n));
}

/** Returns the largest gap of a path, or NaN; `at(k)` returns { weights, intercept } at lambdas[k]. */
export function worstLassoGap(problem, lambdas, at) {
  const gaps = Array.from(lambdas, (lambda, k) => {
    const { weights, intercept } = at(k);
    return relativeLassoGap(problem, lambda, weights, intercept);
  });
  return Math.max(...gaps);
}
