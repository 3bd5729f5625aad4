import { lowerFactor, type MetricEstimator } from "./metric.ts";

const SHRINK_COUNT = 5;

/**
 * Returns the factor L of the covariance in a warm-up window: L Lᵀ = n/(n + 5) C + 5/(n + 5) diag(C) by lowerFactor, or
 * √C_ii for each coordinate (C has divisor n − 1).
 *
 * Only correlations are shrunk, not scales. metric.ts instead adds the constant 10⁻³ · 5/(n + 5). For a small scale,
 * this constant would make proposals too wide.
 *
 * Undefined for fewer than two draws, if a coordinate has not moved, or if C is not numerically positive definite.
 */
export function learnedFactor({ kind, dimension: d, state, count }: MetricEstimator): Float64Array | undefined {
  if (count < 2) return undefined;
  const sums = state.subarray(1 + d);
  const dense = kind === "dense";
  const factor = dense ? new Float64Array(d * d) : new Float64Array(d);
  for (let i = 0; i < d; i++) {
    const variance = sums[dense ? i * (d + 1) : i] / (count - 1);
    if (!(variance > 0 && variance < Infinity)) return undefined;
    if (!dense) factor[i] = Math.sqrt(variance);
    else {
      for (let j = 0; j < i; j++) {
        const covariance = sums[i * d + j] / (count - 1);
        factor[i * d + j] = factor[j * d + i] = (count / (count + SHRINK_COUNT)) * covariance;
      }
      factor[i * d + i] = variance;
    }
  }
  return dense ? lowerFactor(factor, d) : factor;
}

/** Shapes of a covariance learned during warm-up. */
export const covarianceKinds = ["dense", "diagonal"] as const;
