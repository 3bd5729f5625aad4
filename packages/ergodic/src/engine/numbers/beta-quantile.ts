import { betaFront, betaLower } from "./beta-tails.ts";

const fits = (a: number, b: number): boolean => a > 0 && b > 0 && a < Infinity && b < Infinity;

/**
 * Quantile of the beta distribution: the x for which I_x(a, b) = p (beta-tails.ts). p in [0, 1]; a, b > 0 and finite;
 * other arguments give NaN. The result is exact up to rounding errors in I. The method is Newton's, within a shrinking
 * bracket.
 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1) || !fits(a, b)) return Number.NaN;
  if (p === 0 || p === 1) return p;
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let step = 0; step < 200; step++) {
    const excess = betaLower(a, b, x) - p;
    if (excess === 0) return x;
    if (excess > 0) high = x;
    else low = x;
    // The density is x^(a−1)(1−x)^(b−1)/B. Far from the mean the density underflows, so that the step leaves the
    // bracket.
    const newton = x - (excess * x * (1 - x)) / betaFront(a, b, x, 1 - x);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 2 ** -51 * x) return next;
    x = next;
  }
  return x;
}
