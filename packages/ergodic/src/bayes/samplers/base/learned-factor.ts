import { lowerFactor, type MetricEstimator } from "./metric.ts";

const SHRINK_COUNT = 5;

/**
 * L of the covariance that a window of warm-up saw: L Lᵀ = n/(n + 5) C + 5/(n + 5) diag(C) with lowerFactor, or by coordinate
 * √C_ii (C: divisor n − 1).
 *
 * Correlations are shrunk, scales are not: metric.ts adds an absolute 10⁻³ · 5/(n + 5), which is too wide for
 * proposals where a scale is small.
 * Undefined from fewer than two draws, where a coordinate has not moved, or where C is not positive definite in floating point.
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

/** Shapes of a covariance that warm-up learns. */
export const covarianceKinds = ["dense", "diagonal"] as const;
