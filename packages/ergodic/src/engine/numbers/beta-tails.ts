/**
 * Both tails of the beta distribution, I_x(a, b) = ∫₀ˣ t^(a−1)(1 − t)^(b−1) dt ÷ B(a, b) and 1 − I, for a, b > 0 and 0
 * ≤ x ≤ 1.
 *
 * Computes the tail for which the continued fraction converges fast. The other tail is 1 minus this tail. Both x and 1
 * − x are arguments, so that no digits are lost near 0 or near 1. If a and b are large, the leading factor is computed
 * from the remainder of Stirling's formula. The computed tail has a relative error of about 1e-13, and the other tail
 * has an absolute error of about 1e-13. Source: Abramowitz, Stegun 1964, 26.5.8.
 */
import { exp } from "./exp.ts";
import { lgamma } from "./gamma.ts";
import { stirlingRemainder } from "./incomplete-gamma.ts";
import { log, log1p } from "./log.ts";

const LARGE = 12;

/** Returns log Γ(a + b) − log Γ(a). Uses Stirling's series for large a, to avoid cancellation of large terms. */
function logGammaRatio(a: number, b: number): number {
  if (a < LARGE) return lgamma(a + b) - lgamma(a);
  const rising = (a - 0.5) * log1p(b / a) + b * (log(a + b) - 1);
  return rising + stirlingRemainder(a + b) - stirlingRemainder(a);
}

/** Returns x^a y^b ÷ B(a, b), with y = 1 − x. */
export function betaFront(a: number, b: number, x: number, y: number): number {
  const whole = a + b;
  if (a < LARGE || b < LARGE) {
    const logY = x < 0.5 ? log1p(-x) : log(y);
    const logX = y < 0.5 ? log1p(-y) : log(x);
    return exp(a * logX + b * logY + logGammaRatio(Math.max(a, b), Math.min(a, b)) - lgamma(Math.min(a, b)));
  }
  // Since x(a + b)/a = 1 + (bx − ay)/a, log1p gives precise logarithms where these numbers are near 1.
  const excess = b * x - a * y;
  const exponent = a * log1p(Math.max(excess / a, -1)) + b * log1p(Math.max(-excess / b, -1));
  const remainder = stirlingRemainder(whole) - stirlingRemainder(a) - stirlingRemainder(b);
  return Math.sqrt((a * b) / (2 * Math.PI * whole)) * exp(exponent + remainder);
}

const keptFromZero = (x: number): number => (Math.abs(x) < 1e-300 ? 1e-300 : x);

/** Returns I_x(a, b) for x up to a little above the mean a/(a + b). */
function fraction(a: number, b: number, x: number, y: number): number {
  const factor = betaFront(a, b, x, y) / a;
  if (factor === 0) return 0;
  let c = 1;
  let d = 1 / keptFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1, change = 0; Math.abs(change - 1) > 1e-16 && m < 1e6; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / keptFromZero(1 + even * d);
    c = keptFromZero(1 + even / c);
    value *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / keptFromZero(1 + odd * d);
    c = keptFromZero(1 + odd / c);
    change = c * d;
    value *= change;
  }
  return factor * value;
}

/** Returns I_x(a, b). y: 1 − x, if the caller knows it more precisely. */
export function betaLower(a: number, b: number, x: number, y: number = 1 - x): number {
  if (!(x > 0)) return Number.isNaN(x) ? x : 0;
  if (!(y > 0)) return Number.isNaN(y) ? y : 1;
  return x <= (a + 1) / (a + b + 2) ? fraction(a, b, x, y) : 1 - fraction(b, a, y, x);
}

/** Returns 1 − I_x(a, b). */
export const betaUpper = (a: number, b: number, x: number, y: number = 1 - x): number => betaLower(b, a, y, x);
