/**
 * Coordinate descent on mean_i w_i ½(y_i − x_i·β − b)² + l1 Σ ω_j|β_j| + l2/2 Σ ω_j β_j² in plain numbers. It moves b
 * and then each β_j to its minimum, until a pass makes no significant change. It is slow and simple.
 */
import { outputs, type Rows } from "./lasso-gap.ts";

export interface LassoOptions {
  l1: number;
  l2?: number;
  /** w, 1 by default. */
  rowWeights?: ArrayLike<number>;
  /** ω, 1 by default. */
  factors?: ArrayLike<number>;
  nonNegative?: boolean;
}

export function lassoDescent(rows: Rows, options: LassoOptions): { weights: Float64Array; intercept: number; passes: number } {
  const { x, rowCount: n, columnCount, y } = rows;
  const { l1, l2 = 0, rowWeights, factors, nonNegative = false } = options;
  const w = Array.from({ length: n }, (_, i) => rowWeights?.[i] ?? 1);
  const weights = new Float64Array(columnCount);
  let intercept = 0;
  const residual = (): number[] => outputs(rows, weights, intercept).map((z, i) => y[i] - z);
  const total = w.reduce((a, b) => a + b, 0);
  const scale = Math.max(...Array.from(y, Math.abs), 1e-300);

  for (let passes = 1; passes <= 200_000; passes++) {
    let r = residual(); // recomputed in each pass, so that rounding errors do not accumulate
    let change = 0;
    const shift = r.reduce((a, v, i) => a + w[i] * v, 0) / total;
    intercept += shift;
    r = r.map((v) => v - shift);
    for (let j = 0; j < columnCount; j++) {
      const factor = factors?.[j] ?? 1;
      let curvature = 0;
      let slope = 0;
      for (let i = 0; i < n; i++) {
        const v = x[i * columnCount + j];
        curvature += (w[i] * v * v) / n;
        slope += (w[i] * v * r[i]) / n;
      }
      const target = slope + curvature * weights[j];
      const shrunk = Math.max(0, Math.abs(target) - l1 * factor);
      const moved = shrunk === 0 || (nonNegative && target < 0) ? 0 : (Math.sign(target) * shrunk) / (curvature + l2 * factor);
      const step = moved - weights[j];
      for (let i = 0; i < n; i++) r[i] -= step * x[i * columnCount + j];
      weights[j] = moved;
      change = Math.max(change, Math.abs(step) * Math.sqrt(curvature));
    }
    if (Math.max(change, Math.abs(shift)) <= 1e-14 * scale) return { weights, intercept, passes };
  }
  throw new Error("lassoDescent: 200,000 passes were not enough");
}
