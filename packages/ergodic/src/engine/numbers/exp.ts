import { powerOfTwo, scaled } from "./power-of-two.ts";

/** ln 2 in two parts; the first has 32 bits, so that k × it is exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

/**
 * eˣ and eˣ − 1 from +, −, × and ÷ alone, so that every engine gives the same bits; Math.exp may differ between hosts.
 *
 * x = k ln 2 + r with |r| ≤ ½ ln 2, ln 2 in two parts; e^r by its series up to r¹³ (the rest is below 2^-57); then 2^k by its bits. Error
 * below 1 ulp, 2 where the result is subnormal. exp of more than 709.79 = ∞, of less than −745.14 = 0, of NaN = NaN.
 * expm1: without loss at small x, error below 2 ulp; ±0 stays.
 */
export function exp(x: number): number {
  if (!(x < 709.782712893384)) return x > 709.782712893384 ? Infinity : x === 709.782712893384 ? Number.MAX_VALUE : x;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  // e^r − 1 = r + r² q; what the subtraction rounded away is added last.
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
  // 2^k (1 + less) − 1; the two whole parts are exact.
  return k === 0 ? less : powerOfTwo(k) - 1 + powerOfTwo(k) * less;
}

/** Σ_{j=2..13} r^(j−2)/j!, smallest terms first. */
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
