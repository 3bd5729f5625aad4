import { powerOfTwo, scaled } from "./power-of-two.ts";

/** ln 2 in two parts. The first part has 32 bits, so that its product with an integer k is exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

/**
 * eˣ and eˣ − 1, computed with only +, −, × and ÷, so that every JavaScript engine gives the same bits; Math.exp can
 * differ between hosts.
 *
 * x = k ln 2 + r with |r| ≤ ½ ln 2, and ln 2 in two parts. e^r is computed by its series up to r¹³ (the rest is below
 * 2^-57), and 2^k from its bits. Error below 1 ulp, or 2 ulp for a subnormal result. exp gives ∞ above 709.79, 0 below
 * −745.14 and NaN for NaN. expm1: no loss of precision at small x, error below 2 ulp; ±0 is returned unchanged.
 */
export function exp(x: number): number {
  if (!(x < 709.782712893384)) return x > 709.782712893384 ? Infinity : x === 709.782712893384 ? Number.MAX_VALUE : x;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  // e^r − 1 = r + r² q; the rounding error of the subtraction is added last.
  const lost = high - r - low;
  const value = 1 + (r + (lost + r * r * series(r)));
  return scaled(value, k);
}

export function expm1(x: number): number {
  if (!(Math.abs(x) < 40)) return x < 0 ? -1 : exp(x);
  if (x === 0) return x;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const lost = high - r - low;
  const less = r + (lost + r * r * series(r));
  // 2^k (1 + less) − 1; both integer parts are exact.
  return k === 0 ? less : powerOfTwo(k) - 1 + powerOfTwo(k) * less;
}

/** Returns Σ_{j=2..13} r^(j−2)/j!, adding the smallest terms first. */
export function series(r: number): number {
  let sum = 1 / 6227020800;
  sum = sum * r + 1 / 479001600;
  sum = sum * r + 1 / 39916800;
  sum = sum * r + 1 / 3628800;
  sum = sum * r + 1 / 362880;
  sum = sum * r + 1 / 40320;
  sum = sum * r + 1 / 5040;
  sum = sum * r + 1 / 720;
  sum = sum * r + 1 / 120;
  sum = sum * r + 1 / 24;
  sum = sum * r + 1 / 6;
  return sum * r + 0.5;
}
