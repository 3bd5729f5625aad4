/**
 * ELBO of a normal family on fixed draws: a smooth function of θ, for quasi-Newton methods.
 *
 * The `count` draws z come in pairs ±z, so that odd moments are exactly 0. The draws are whitened (mean z zᵀ = I), so
 * that the optimum is exact for a normal target. With fewer than 2d pairs, each coordinate is only scaled. Source:
 * Giordano, Ingram, Broderick 2024; the whitening is ours.
 */
import { solvePositive } from "../../engine/numbers/cholesky.ts";
import type { Draws } from "../../engine/random/stream.ts";
import type { NormalFamily } from "./normal-family.ts";

/** Returns [pairs, d]: one draw of each pair. */
export function whitenedPairs(pairs: number, d: number, draws: Draws): Float64Array {
  const z = Float64Array.from({ length: pairs * d }, () => draws.normal());
  if (pairs >= 2 * d) whiten(z, pairs, d);
  else scale(z, pairs, d);
  return z;
}

/** z ← L⁻¹ z, mean z zᵀ = L Lᵀ. */
function whiten(z: Float64Array, pairs: number, d: number): void {
  const covariance = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < pairs; k++) sum += z[k * d + i] * z[k * d + j];
      covariance[i * d + j] = sum / pairs;
    }
  }
  solvePositive(covariance, new Float64Array(d));
  for (let k = 0; k < pairs; k++) {
    for (let i = 0; i < d; i++) {
      let rest = z[k * d + i];
      for (let j = 0; j < i; j++) rest -= covariance[i * d + j] * z[k * d + j];
      z[k * d + i] = rest / covariance[i * d + i];
    }
  }
}

/** Scales each coordinate to a mean square of 1. */
function scale(z: Float64Array, pairs: number, d: number): void {
  const squares = new Float64Array(d);
  for (let at = 0; at < z.length; at += d) for (let i = 0; i < d; i++) squares[i] += z[at + i] * z[at + i];
  for (let i = 0; i < d; i++) squares[i] = Math.sqrt(squares[i] / pairs);
  for (let at = 0; at < z.length; at += d) for (let i = 0; i < d; i++) z[at + i] /= squares[i];
}

/**
 * Returns the function −(mean of ℓ over the pairs + Σ log C_ii) of θ, which is ∞ if a draw leaves the support. The
 * function writes its gradient unless `gradient` is null.
 */
export function fixedLoss(
  family: NormalFamily,
  z: Float64Array,
  evaluate: (x: Float64Array, gradient: Float64Array) => number,
): (theta: Float64Array, gradient: Float64Array | null) => number {
  const d = family.dimension;
  const [one, between, x, slope] = Array.from({ length: 4 }, () => new Float64Array(d));
  const rising = new Float64Array(family.size);
  return (theta, gradient) => {
    rising.fill(0);
    let sum = 0;
    for (let at = 0; at < z.length; at += d) {
      for (const sign of [1, -1]) {
        for (let i = 0; i < d; i++) one[i] = sign * z[at + i];
        family.point(theta, one, between, x);
        sum += evaluate(x, slope);
        if (!Number.isFinite(sum)) return Infinity;
        if (gradient) family.addGradient(theta, one, slope, between, rising);
      }
    }
    const count = (2 * z.length) / d;
    for (let i = 0; i < rising.length; i++) rising[i] /= count;
    family.addEntropyGradient(rising);
    if (gradient) for (let i = 0; i < rising.length; i++) gradient[i] = -rising[i];
    return -(sum / count + family.entropy(theta));
  };
}
