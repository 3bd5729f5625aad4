import { symmetricEigen } from "../../../engine/numbers/symmetric-eigen.ts";

const SINGULAR = 1e-13;

/**
 * Returns P_ii / Σ_ii, where Σ = Λ⁻¹ and ΛP + PΛ = 2I + M. These are the variances of draws with covariance P, divided
 * by the variances of the posterior.
 *
 * P, M: float64[d, d], symmetric. In the basis of P's eigenvectors Λ_kl = (2δ_kl + M_kl) / (p_k + p_l). If γ =
 * `friction` (a / √h) is given, entries of M between directions with curvatures λ ≈ 1/p are divided by 1 + (λ_k − λ_l)²
 * / (2 γ² (λ_k + λ_l)), as for Langevin dynamics with inertia.
 *
 * Undefined if P or Λ is numerically singular or not finite. Costs about 12 d³ operations.
 */
export function marginalRatios(
  covariance: Float64Array,
  { matrix, friction }: { matrix: Float64Array; friction: number | undefined },
): Float64Array | undefined {
  const d = Math.round(Math.sqrt(covariance.length));
  const values = new Float64Array(d);
  const vectors = new Float64Array(d * d);
  if (!symmetricEigen(d, covariance.slice(), values, vectors)) return undefined;
  if (!(values[0] > SINGULAR * values[d - 1])) return undefined;
  const precision = turned(matrix, vectors, d);
  for (let k = 0; k < d; k++)
    for (let l = 0; l < d; l++) {
      const at = k * d + l;
      const [first, second] = [1 / values[k], 1 / values[l]];
      if (friction !== undefined) precision[at] /= 1 + (first - second) ** 2 / (2 * friction ** 2 * (first + second));
      precision[at] = ((k === l ? 2 : 0) + precision[at]) / (values[k] + values[l]);
    }
  if (!factorise(precision, d)) return undefined;
  return Float64Array.from({ length: d }, (_, i) => covariance[i * d + i] / inverseAt(precision, vectors, d, i));
}

/** Returns U A Uᵀ, where the rows of U are the vectors. */
function turned(a: Float64Array, u: Float64Array, d: number): Float64Array {
  const half = new Float64Array(d * d);
  for (let k = 0; k < d; k++)
    for (let i = 0; i < d; i++) {
      const scale = u[k * d + i];
      for (let j = 0; j < d; j++) half[k * d + j] += scale * a[i * d + j];
    }
  const whole = new Float64Array(d * d);
  for (let k = 0; k < d; k++)
    for (let l = 0; l < d; l++) for (let j = 0; j < d; j++) whole[k * d + l] += half[k * d + j] * u[l * d + j];
  return whole;
}

/** Factorises A = L Lᵀ in place, with L in the lower triangle. */
function factorise(a: Float64Array, d: number): boolean {
  for (let j = 0; j < d; j++)
    for (let i = j; i < d; i++) {
      let sum = a[i * d + j];
      for (let k = 0; k < j; k++) sum -= a[i * d + k] * a[j * d + k];
      if (i > j) a[i * d + j] = sum / a[j * d + j];
      else if (sum > 0) a[j * d + j] = Math.sqrt(sum);
      else return false;
    }
  return true;
}

/** Returns uᵀ (L Lᵀ)⁻¹ u, u_k = vectors[k, i]. */
function inverseAt(l: Float64Array, vectors: Float64Array, d: number, i: number): number {
  const y = new Float64Array(d);
  let sum = 0;
  for (let k = 0; k < d; k++) {
    let value = vectors[k * d + i];
    for (let j = 0; j < k; j++) value -= l[k * d + j] * y[j];
    y[k] = value / l[k * d + k];
    sum += y[k] * y[k];
  }
  return sum;
}
