/**
 * Regularised incomplete gamma functions, P(a, x) = ∫₀ˣ t^(a−1)e^(−t) dt ÷ Γ(a) and Q = 1 − P, for a > 0 and x ≥ 0.
 *
 * x < a + 1: P by its series. Otherwise: Q by Legendre's continued fraction. Only one of the two functions is computed.
 * The other is 1 minus this function. For large a, the leading factor is computed from the remainder of Stirling's
 * formula, so that no large logarithms cancel. The computed function has a relative error of about 1e-13, and the other
 * function has an absolute error of about 1e-13. Source: Abramowitz, Stegun 1964, 6.5.29 and 6.5.31.
 */

import { exp } from "./exp.ts";
import { lgamma } from "./gamma.ts";
import { log, log1p } from "./log.ts";

const LARGE = 12;

/** Returns the remainder of Stirling's formula, log Γ(a) − [(a − ½) log a − a + ½ log 2π], for a ≥ 12. */
export function stirlingRemainder(a: number): number {
  const square = a * a;
  return (
    (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188 - 691 / 360360 / square) / square) / square) / square) / square) / a
  );
}

/** Returns x^a e^(−x) ÷ Γ(a). */
function front(a: number, x: number): number {
  if (a < LARGE) return exp(a * log(x) - x - lgamma(a));
  const excess = (x - a) / a;
  return Math.sqrt(a / (2 * Math.PI)) * exp(-a * (excess - log1p(excess)) - stirlingRemainder(a));
}

function series(a: number, x: number): number {
  let term = 1 / a;
  let total = term;
  for (let n = 1; term > total * 1e-17; n++) total += term *= x / (a + n);
  return front(a, x) * total;
}

/** Evaluates the continued fraction by Lentz's method. */
function fraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let value = d;
  for (let n = 1, change = 0; Math.abs(change - 1) > 1e-16 && n < 1e6; n++) {
    const coefficient = n * (a - n);
    b += 2;
    d = 1 / (coefficient * d + b);
    c = b + coefficient / c;
    change = c * d;
    value *= change;
  }
  return front(a, x) * value;
}

/** Returns P(a, x). */
export function gammaLower(a: number, x: number): number {
  if (!(x > 0)) return Number.isNaN(x) ? x : 0;
  if (x === Infinity) return 1;
  return x < a + 1 ? series(a, x) : 1 - fraction(a, x);
}

/** Returns Q(a, x). */
export function gammaUpper(a: number, x: number): number {
  if (!(x > 0)) return Number.isNaN(x) ? x : 1;
  if (x === Infinity) return 0;
  return x < a + 1 ? 1 - series(a, x) : fraction(a, x);
}
