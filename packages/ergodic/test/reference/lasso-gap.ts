/**
 * Duality gaps of the lasso and of L1 logistic regression in plain numbers. These certificates share no code with the
 * solvers that they check.
 *
 * x is rowCount × columnCount, row-major. The intercept b is unpenalised, so a dual point u must have Σu = 0. X's part
 * of the dual ball is ‖Xᵀu‖∞ ≤ nλ.
 *
 * Squared loss: P = ‖r‖²/(2n) + λ‖β‖₁, r = y − Xβ − b; D(u) = uᵀy/n − ‖u‖²/(2n). u = c(r − r̄), with the best c that
 * stays in the ball.
 *
 * Logistic loss (y = ±1): P = mean log(1 + exp(−y z)) + λ‖β‖₁; D = mean H(α), u = yα, 0 ≤ α ≤ 1,
 * H(α) = −α ln α − (1 − α) ln(1 − α). α starts as the slopes 1/(1 + exp(y z)). The class with the larger sum is scaled
 * down until Σyα = 0, and then all are scaled by the best c that stays in the ball.
 *
 * `relative` is relative to the objective of the best intercept alone: ‖y − ȳ‖²/(2n), or the entropy of the class
 * shares.
 */
import type { Gap } from "../../src/engine/contract/index.ts";

export interface Rows {
  x: ArrayLike<number>;
  rowCount: number;
  columnCount: number;
  y: ArrayLike<number>;
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => sum(Array.from(a, (v, i) => v * b[i]));

/** X β + b. */
export function outputs({ x, rowCount, columnCount }: Rows, weights: ArrayLike<number>, intercept: number): number[] {
  return Array.from({ length: rowCount }, (_, i) => {
    let z = intercept;
    for (let j = 0; j < columnCount; j++) z += x[i * columnCount + j] * weights[j];
    return z;
  });
}

/** ‖Xᵀu‖∞ / n. */
export function steepest({ x, rowCount, columnCount }: Rows, u: ArrayLike<number>): number {
  const slopes = new Float64Array(columnCount);
  for (let i = 0; i < rowCount; i++) for (let j = 0; j < columnCount; j++) slopes[j] += x[i * columnCount + j] * u[i];
  return slopes.reduce((most, s) => Math.max(most, Math.abs(s)), 0) / rowCount;
}

const centred = (values: ArrayLike<number>): number[] => {
  const mean = sum(values) / values.length;
  return Array.from(values, (v) => v - mean);
};

const norm1 = (weights: ArrayLike<number>): number => sum(Array.from(weights, Math.abs));

/** Smallest λ at which all coefficients of the lasso are 0. */
export function largestLambda(rows: Rows): number {
  return steepest(rows, centred(rows.y));
}

export function lassoGap(rows: Rows, weights: ArrayLike<number>, intercept: number, lambda: number): Gap {
  const { rowCount: n, y } = rows;
  const residual = outputs(rows, weights, intercept).map((z, i) => y[i] - z);
  const primal = dot(residual, residual) / (2 * n) + lambda * norm1(weights);
  const u = centred(residual);
  const [uy, uu, slope] = [dot(u, y), dot(u, u), steepest(rows, u)];
  const c = uu === 0 ? 0 : Math.min(uy / uu, slope === 0 ? Infinity : lambda / slope);
  const dual = (c * uy - (c * c * uu) / 2) / n;
  const deviation = centred(y);
  return { primal, dual, relative: (primal - dual) / (dot(deviation, deviation) / (2 * n)) };
}

/** −α ln α − (1 − α) ln(1 − α), which is 0 at both ends. */
function entropy(alpha: number): number {
  const part = (a: number): number => (a > 0 ? -a * Math.log(a) : 0);
  return part(alpha) + part(1 - alpha);
}

/** y: −1 or 1. */
export function logisticGap(rows: Rows, weights: ArrayLike<number>, intercept: number, lambda: number): Gap {
  const { rowCount: n, y } = rows;
  const margins = outputs(rows, weights, intercept).map((z, i) => z * y[i]);
  const loss = margins.map((m) => Math.max(0, -m) + Math.log1p(Math.exp(-Math.abs(m))));
  const primal = sum(loss) / n + lambda * norm1(weights);

  const slopes = margins.map((m) => 1 / (1 + Math.exp(m)));
  const share = (sign: number): number => sum(slopes.filter((_, i) => y[i] === sign));
  const least = Math.min(share(1), share(-1));
  const alpha = slopes.map((a, i) => a * (least / share(y[i])));
  const slope = steepest(
    rows,
    alpha.map((a, i) => a * y[i]),
  );
  const most = Math.min(1 / Math.max(...alpha), slope === 0 ? Infinity : lambda / slope);
  const value = (c: number): number => sum(alpha.map((a) => entropy(Math.min(1, c * a)))) / n;
  const dual = value(bestScale(value, most));
  const positive = Array.from(y).filter((v) => v > 0).length / n;
  return { primal, dual, relative: (primal - dual) / entropy(positive) };
}

/** Maximiser of a concave function on [0, most], by golden section. The exact end is returned if it is best. */
function bestScale(value: (c: number) => number, most: number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [0, most];
  for (let k = 0; k < 80; k++) {
    const left = high - golden * (high - low);
    const right = low + golden * (high - low);
    if (value(left) > value(right)) high = right;
    else low = left;
  }
  return value(most) >= value((low + high) / 2) ? most : (low + high) / 2;
}
