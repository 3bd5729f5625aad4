/**
 * eˣ from +, −, × and ÷ alone, so that every engine gives the same bits; Math.exp may differ between hosts.
 *
 * x = k ln 2 + r with |r| ≤ ½ ln 2, ln 2 in two parts; e^r by its series up to r¹³ (the rest is below 2^-57); then 2^k by its bits. Error
 * below 1 ulp, 2 where the result is subnormal. exp of more than 709.79 = ∞, of less than −745.14 = 0, of NaN = NaN.
 */

/** ln 2 in two parts; the first has 32 bits, so that k × it is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

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
  // Two factors, since 2^1024 is no number and 2^-1074 is rounded once, at the end.
  const half = Math.trunc(k / 2);
  return value * powerOfTwo(half) * powerOfTwo(k - half);
}

/** Σ_{j=2..13} r^(j−2)/j!, smallest terms first. */
function series(r: number): number {
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

const number = new Float64Array(1);
const halves = new Uint32Array(number.buffer);
/** Index of the half that holds sign and exponent. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** 2^k for |k| ≤ 1022. */
function powerOfTwo(k: number): number {
  halves[HIGH] = (k + 1023) << 20;
  halves[1 - HIGH] = 0;
  return number[0];
}
