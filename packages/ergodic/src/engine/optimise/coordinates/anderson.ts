/**
 * Anderson extrapolation of a repeated map. From the last K + 1 points x⁰ … x^K of the map, computes Σ c_k x^k, where c
 * minimises ‖Σ c_k (x^k − x^{k−1})‖ subject to Σ c_k = 1.
 *
 * K: `HISTORY`. Solves (UᵀU + ε tr(UᵀU) I) z = 1 by Cholesky, where U holds the K differences, and sets c = z / Σz. If
 * the differences are linearly dependent, the ridge term determines c. The extrapolated point is only a guess, so the
 * caller must check whether it is better.
 * Source: Bertrand, Massias 2021 (algorithm 2: coordinate descent; K = 5). The ridge term differs from this source and
 * follows Scieur et al. 2016.
 */
export const HISTORY = 5;
const RIDGE = 1e-14;

/** Returns a new point, or null if the points do not differ or are not finite. */
export function extrapolate(points: readonly Float64Array[]): Float64Array | null {
  const last = points[points.length - 1];
  const differences = points.slice(1).map((x, k) => x.map((v, j) => v - points[k][j]));
  const gram = differences.map((a) => differences.map((b) => a.reduce((sum, v, j) => sum + v * b[j], 0)));
  const trace = gram.reduce((sum, row, k) => sum + row[k], 0);
  if (!(trace > 0 && trace < Infinity)) return null;
  for (let k = 0; k < gram.length; k++) gram[k][k] += RIDGE * trace;
  const z = solve(gram);
  const total = z.reduce((sum, v) => sum + v, 0);
  if (!Number.isFinite(total) || total === 0) return null;
  // Starts from the last point. A coordinate that has the same value in all points (0, or a bound) thus keeps exactly
  // this value.
  const x = last.slice();
  for (let k = 0; k < z.length; k++) {
    const c = z[k] / total;
    for (let j = 0; j < x.length; j++) x[j] += c * (points[k + 1][j] - last[j]);
  }
  return x;
}

/** Solves M z = (1, …, 1) for a symmetric, positive definite M, and overwrites M. */
function solve(m: number[][]): number[] {
  const z = new Array<number>(m.length).fill(1);
  for (let i = 0; i < m.length; i++) {
    for (let j = 0; j <= i; j++) {
      for (let k = 0; k < j; k++) m[i][j] -= m[i][k] * m[j][k];
      m[i][j] = i === j ? Math.sqrt(m[i][i]) : m[i][j] / m[j][j];
    }
    for (let k = 0; k < i; k++) z[i] -= m[i][k] * z[k];
    z[i] /= m[i][i];
  }
  for (let i = m.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < m.length; k++) z[i] -= m[k][i] * z[k];
    z[i] /= m[i][i];
  }
  return z;
}
