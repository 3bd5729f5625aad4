/**
 * erf and erfc outside the kernels: the reference for the SIMD code of compiler/functions/error-function.ts, by
 * different formulae.
 *
 * |x| < 1: erf x = 2/√π·Σ (−1)ⁿx^(2n+1)/(n!·(2n + 1)). |x| ≥ 1: erfc x = e^(−x²)/√π divided by the continued fraction x
 * + ½/(x + 1/(x + 3⁄2/(x + …))), cut after n = 30 + 220/x² terms (the remainder, about e^(−2x√2n), is below 2^-60).
 * Error below 4 units in the last place; 10 for erfc between ½ and 1. Source: Abramowitz, Stegun 1964, 7.1.5 and
 * 7.1.14.
 */
import { exp } from "./exp.ts";

const TWO_OVER_ROOT_PI = 1.1283791670955126;

/** Returns e^(−x²). x is split into h, rounded to 24 bits, whose square is exact, and a small remainder. */
function gaussian(x: number): number {
  const h = Math.fround(x);
  return exp(-h * h) * exp(-(x - h) * (x + h));
}

/** erf x for |x| < 1. */
function series(x: number): number {
  const square = x * x;
  let total = 0;
  for (let n = 24; n >= 0; n--) total = 1 / (2 * n + 1) - (square / (n + 1)) * total;
  return TWO_OVER_ROOT_PI * x * total;
}

/** erfc x for x ≥ 1. */
function fraction(x: number): number {
  if (x > 28) return 0;
  let value = x;
  for (let n = Math.ceil(30 + 220 / (x * x)); n > 0; n--) value = x + n / 2 / value;
  return ((TWO_OVER_ROOT_PI / 2) * gaussian(x)) / value;
}

/** Returns erf x; ±0 is returned unchanged, and ±∞ gives ±1. */
export function erf(x: number): number {
  if (Math.abs(x) < 1) return x === 0 ? x : series(x);
  return x < 0 ? fraction(-x) - 1 : 1 - fraction(x);
}

/** Returns 1 − erf x, without loss of precision if erf x is near 1. */
export function erfc(x: number): number {
  if (Math.abs(x) < 1) return 1 - series(x);
  return x < 0 ? 2 - fraction(-x) : fraction(x);
}
