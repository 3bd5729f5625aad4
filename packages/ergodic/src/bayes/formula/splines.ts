/**
 * Natural cubic splines with a penalty on their curvature, as in mgcv's s(x, bs = "cr") and brms.
 *
 * f(x) = Σ_j a_j(x) β_j, where β are the values at k knots: quantiles of the distinct x. ∫ f″² = βᵀSβ, S = DᵀB⁻¹D. The
 * constraint Σ_i f(x_i) = 0 assigns the constant to the intercept. f is then the sum of a line (x − x̄)/sd(x), which
 * has no penalty, and k − 2 wiggles, which are the eigenvectors of S divided by √λ.
 *
 * So f has a normal prior with precision S/τ² if the weights of the wiggles are N(0, τ²). S is scaled as in mgcv, S
 * ‖X‖∞²/‖S‖₁, so τ has the same units as in mgcv.
 *
 * Beyond the outer knots f is a line. Source: Wood 2017, Generalized Additive Models, 5.3.1; the rotation is from 5.8
 * (mixed models).
 *
 * @throws DataError if there are fewer distinct x than knots
 */
import { assert, DataError } from "../../engine/errors/errors.ts";
import { symmetricEigen } from "../../engine/numbers/symmetric-eigen.ts";
import { quantileOfSorted } from "../../engine/statistics/quantile.ts";

export interface Spline {
  /** Number of wiggles in the basis: k − 2. */
  readonly width: number;
  /** Returns (x − x̄)/sd(x). */
  line(x: Float64Array): Float64Array;
  /** Returns the wiggles, [row, wiggle]. */
  wiggles(x: Float64Array): Float64Array;
}

/** Makes a spline. `label`: name of the term in error messages. */
export function splineOf(where: string, label: string, x: Float64Array, dimension: number): Spline {
  const sorted = Float64Array.from(new Set(x)).sort();
  const k = dimension;
  if (sorted.length < k)
    throw new DataError(
      where,
      `${label} has a basis of ${k}, but its column has only ${sorted.length} different values; write ${label.slice(0, -1)}, k = ${Math.max(3, sorted.length)})${sorted.length < 3 ? ", or the column alone" : ""}`,
      "DATA_SHAPE",
    );
  const knots = Float64Array.from({ length: k }, (_, j) => quantileOfSorted(sorted, j / (k - 1)));
  const { curvature, penalty } = natural(knots);
  const values = valuesAt(knots, curvature, x);
  const scale = rowNorm(values, k) ** 2 / columnNorm(penalty, k);
  const rotation = rotated(penalty, summed(values, k), k, scale);
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const sd = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (x.length - 1));
  const width = k - 2;
  return {
    width,
    line: (from) => from.map((value) => (value - mean) / sd),
    wiggles: (from) => product(valuesAt(knots, curvature, from), rotation, k, width),
  };
}

/**
 * Returns the matrix F [k, k], which maps values at the knots to second derivatives (0 at both ends), and the penalty S
 * [k, k].
 */
function natural(knots: Float64Array): { curvature: Float64Array; penalty: Float64Array } {
  const k = knots.length;
  const inner = k - 2;
  const h = Float64Array.from({ length: k - 1 }, (_, j) => knots[j + 1] - knots[j]);
  const d = new Float64Array(inner * k);
  const [diagonal, above] = [new Float64Array(inner), new Float64Array(inner)];
  for (let i = 0; i < inner; i++) {
    d[i * k + i] = 1 / h[i];
    d[i * k + i + 1] = -1 / h[i] - 1 / h[i + 1];
    d[i * k + i + 2] = 1 / h[i + 1];
    diagonal[i] = (h[i] + h[i + 1]) / 3;
    above[i] = h[i + 1] / 6;
  }
  // B⁻¹D, by elimination of the tridiagonal B.
  const solved = d.slice();
  for (let i = 1; i < inner; i++) {
    const share = above[i - 1] / diagonal[i - 1];
    diagonal[i] -= share * above[i - 1];
    for (let j = 0; j < k; j++) solved[i * k + j] -= share * solved[(i - 1) * k + j];
  }
  for (let i = inner - 1; i >= 0; i--)
    for (let j = 0; j < k; j++) {
      const below = i + 1 < inner ? above[i] * solved[(i + 1) * k + j] : 0;
      solved[i * k + j] = (solved[i * k + j] - below) / diagonal[i];
    }
  const curvature = new Float64Array(k * k);
  curvature.set(solved, k);
  const penalty = new Float64Array(k * k);
  for (let i = 0; i < inner; i++)
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) penalty[a * k + b] += d[i * k + a] * solved[i * k + b];
  return { curvature, penalty };
}

/** Evaluates the basis at x: [row, k]. */
function valuesAt(knots: Float64Array, curvature: Float64Array, x: Float64Array): Float64Array {
  const k = knots.length;
  const out = new Float64Array(x.length * k);
  for (let i = 0; i < x.length; i++) {
    const row = out.subarray(i * k, (i + 1) * k);
    const within = Math.min(Math.max(x[i], knots[0]), knots[k - 1]);
    let j = 0;
    while (j < k - 2 && within > knots[j + 1]) j++;
    const h = knots[j + 1] - knots[j];
    const [left, right] = [knots[j + 1] - within, within - knots[j]];
    const beyond = x[i] - within;
    // Beyond the outer knots, the curve continues along its tangent.
    row[j] += left / h - beyond / h;
    row[j + 1] += right / h + beyond / h;
    const [bentLeft, bentRight] = [
      ((left * left * left) / h - h * left) / 6 + beyond * (h / 6 - (left * left) / (2 * h)),
      ((right * right * right) / h - h * right) / 6 + beyond * ((right * right) / (2 * h) - h / 6),
    ];
    for (let c = 0; c < k; c++) row[c] += bentLeft * curvature[j * k + c] + bentRight * curvature[(j + 1) * k + c];
  }
  return out;
}

/** ‖X‖∞: the largest row sum of absolute values. */
function rowNorm(matrix: Float64Array, width: number): number {
  let most = 0;
  for (let from = 0; from < matrix.length; from += width)
    most = Math.max(
      most,
      matrix.subarray(from, from + width).reduce((sum, value) => sum + Math.abs(value), 0),
    );
  return most;
}

/** ‖S‖₁ of a symmetric matrix. */
const columnNorm = rowNorm;

function summed(matrix: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let at = 0; at < matrix.length; at++) sums[at % width] += matrix[at];
  return sums;
}

/**
 * Returns the wiggles' values at the knots, [k, k − 2]: Z U λ^(−½), where Z is an orthonormal basis of the complement
 * of `sums`, and U and λ are the eigenvectors and eigenvalues of ZᵀSZ · scale.
 */
function rotated(penalty: Float64Array, sums: Float64Array, k: number, scale: number): Float64Array {
  const n = k - 1;
  // Z: all columns but the first of the reflection I − 2vvᵀ/vᵀv that maps `sums` to the first axis.
  const length = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
  const v = sums.slice();
  v[0] += sums[0] < 0 ? -length : length;
  const factor = 2 / v.reduce((sum, value) => sum + value * value, 0);
  const z = new Float64Array(k * n);
  for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) z[i * n + j] = (i === j + 1 ? 1 : 0) - factor * v[i] * v[j + 1];
  const half = product(penalty, z, k, n);
  const inner = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++) for (let i = 0; i < k; i++) inner[a * n + b] += scale * z[i * n + a] * half[i * n + b];
  const [values, vectors] = [new Float64Array(n), new Float64Array(n * n)];
  assert(symmetricEigen(n, inner, values, vectors), "the penalty of a spline has no eigenvectors");
  // Eigenvalues are in ascending order. The first eigenvalue belongs to the line and is 0 up to rounding.
  const weights = new Float64Array(n * (n - 1));
  for (let j = 1; j < n; j++)
    for (let i = 0; i < n; i++) weights[i * (n - 1) + j - 1] = vectors[j * n + i] / Math.sqrt(values[j]);
  return product(z, weights, n, n - 1);
}

/** Returns the matrix product of A [·, inner] and B [inner, width]. */
function product(a: Float64Array, b: Float64Array, inner: number, width: number): Float64Array {
  const rows = a.length / inner;
  const out = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const value = a[i * inner + k];
      for (let j = 0; j < width; j++) out[i * width + j] += value * b[k * width + j];
    }
  return out;
}
