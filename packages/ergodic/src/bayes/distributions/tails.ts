/**
 * Distribution functions of standard variates in plain numbers, shared by several distributions and exact in the lower
 * tail.
 */

import { positiveBoundary } from "../../engine/errors/boundary.ts";
import { betaLower, betaUpper } from "../../engine/numbers/beta-tails.ts";
import { erfc } from "../../engine/numbers/error-function.ts";
import { gammaLower, gammaUpper } from "../../engine/numbers/incomplete-gamma.ts";

/** Returns Φ(z). */
export const normalCdf = (z: number): number => 0.5 * erfc(-z * Math.SQRT1_2);

/** Returns P(T ≤ t) of Student's t, as half an incomplete beta function. */
export function studentCdf(t: number, nu: number): number {
  if (t > 0) return 1 - studentCdf(-t, nu);
  const square = t * t;
  return 0.5 * betaLower(nu / 2, 0.5, nu / (nu + square), square === Infinity ? 1 : square / (nu + square));
}

/** Returns P(|T| ≤ t), exact for small t. */
export const studentWithin = (t: number, nu: number): number => betaLower(0.5, nu / 2, (t * t) / (nu + t * t), nu / (nu + t * t));

/** Returns t with P(T ≤ t) = p. */
export function studentQuantile(p: number, nu: number): number {
  if (p > 0.5) return -studentQuantile(1 - p, nu);
  if (p === 0.5) return 0;
  return p === 0 ? -Infinity : -positiveBoundary((t) => studentCdf(-t, nu) <= p);
}

/** Returns x with P(a, x) = p for the gamma distribution with scale 1; `upper`: with Q(a, x) = p. */
export function gammaQuantile(p: number, shape: number, upper = false): number {
  if (p === 0) return upper ? Infinity : 0;
  if (p === 1) return upper ? 0 : Infinity;
  if (upper === p < 0.5) {
    const q = upper ? p : 1 - p;
    return positiveBoundary((x) => gammaUpper(shape, x) <= q, shape);
  }
  const low = upper ? 1 - p : p;
  return positiveBoundary((x) => gammaLower(shape, x) >= low, shape);
}

/** Returns x with I_x(a, b) = p. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (p === 0 || p === 1) return p;
  // Searches from the nearer end of [0, 1], so that the distance from that end is exact.
  if (betaLower(a, b, 0.5) >= p)
    return Math.min(
      1,
      positiveBoundary((x) => x >= 1 || betaLower(a, b, x, 1 - x) >= p, 0.25),
    );
  return (
    1 -
    Math.min(
      1,
      positiveBoundary((y) => y >= 1 || betaUpper(a, b, 1 - y, y) >= 1 - p, 0.25),
    )
  );
}
