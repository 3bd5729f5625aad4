/**
 * Returns the gradient D of the linear function that passes through d + 1 points: (x_i − x_0)ᵀ D = f_i − f_0 for i = 1
 * … d.
 *
 * vertices: float64[(d + 1) d], row by row; values: float64[d + 1]. The gradient is computed by Gaussian elimination
 * with row pivots, in d³/3 operations. If the simplex is flat up to rounding, or a value is not finite, entries are NaN
 * or infinite. Throws no errors.
 */
export function simplexGradient(vertices: Float64Array, values: Float64Array, d: number): Float64Array {
  const rows = Array.from({ length: d }, (_, i) => {
    const row = new Float64Array(d + 1);
    for (let j = 0; j < d; j++) row[j] = vertices[(i + 1) * d + j] - vertices[j];
    row[d] = values[i + 1] - values[0];
    return row;
  });
  for (let k = 0; k < d; k++) {
    let pivot = k;
    for (let i = k + 1; i < d; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = k + 1; i < d; i++) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= d; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const gradient = new Float64Array(d);
  for (let k = d - 1; k >= 0; k--) {
    let rest = rows[k][d];
    for (let j = k + 1; j < d; j++) rest -= rows[k][j] * gradient[j];
    gradient[k] = rest / rows[k][k];
  }
  return gradient;
}
