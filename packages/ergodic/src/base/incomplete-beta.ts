/**
 * The beta distribution's cumulative function and quantile: I_x(a, b) = ∫₀ˣ tᵃ⁻¹(1 − t)ᵇ⁻¹ dt / B(a, b), and its inverse in x.
 *
 * x, p in [0, 1]; a, b > 0, finite; anything else gives NaN. Error of I: about 2^-52·(a + b) relative, which the differences of lgamma
 * bring; the quantile is exact to the roundings of I.
 * Source: the continued fraction of Abramowitz, Stegun 1964, 26.5.8, on the side of the mean where it converges fast (b and x mirrored
 * on the other), evaluated by Lentz 1976; the quantile by Newton's method kept within a shrinking bracket.
 */
import { lgamma } from "./gamma.ts";

const TINY = 1e-300;
const MOST_STEPS = 100_000;

const fits = (a: number, b: number): boolean => a > 0 && b > 0 && a < Infinity && b < Infinity;

/** log of x^a(1 − x)^b / B(a, b). */
function logPower(x: number, a: number, b: number): number {
  return a * Math.log(x) + b * Math.log1p(-x) - (lgamma(a) + lgamma(b) - lgamma(a + b));
}

const awayFromZero = (x: number): number => (Math.abs(x) < TINY ? TINY : x);

/** 1/(1 + d₁/(1 + d₂/(1 + …))), for x at most about the mean. */
function fraction(x: number, a: number, b: number): number {
  let value = 1;
  let upper = 1;
  let lower = 0;
  for (let n = 1; n < MOST_STEPS; n++) {
    const m = n >> 1;
    const part = (n % 2 === 0 ? m * (b - m) : -(a + m) * (a + b + m)) * (x / ((a + n - 1) * (a + n)));
    lower = 1 / awayFromZero(1 + part * lower);
    upper = awayFromZero(1 + part / upper);
    value *= upper * lower;
    if (Math.abs(upper * lower - 1) < 2 ** -51) break;
  }
  return 1 / value;
}

/** I_x(a, b): the probability that a Beta(a, b) variable is at most x. */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (!(x >= 0 && x <= 1) || !fits(a, b)) return Number.NaN;
  if (x === 0 || x === 1) return x;
  const power = Math.exp(logPower(x, a, b));
  return x <= (a + 1) / (a + b + 2) ? (power * fraction(x, a, b)) / a : 1 - (power * fraction(1 - x, b, a)) / b;
}

/** The x with I_x(a, b) = p. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1) || !fits(a, b)) return Number.NaN;
  if (p === 0 || p === 1) return p;
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let step = 0; step < 200; step++) {
    const excess = regularizedBeta(x, a, b) - p;
    if (excess === 0) return x;
    if (excess > 0) high = x;
    else low = x;
    // The density is x^(a-1)(1-x)^(b-1)/B; far from the mean it underflows and the step leaves the bracket.
    const newton = x - excess * x * (1 - x) * Math.exp(-logPower(x, a, b));
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 2 ** -51 * x) return next;
    x = next;
  }
  return x;
}
