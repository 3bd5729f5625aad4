/**
 * eˣ with the same bits as src/engine/numbers/exp.ts, which describes the method and the error (below 1 ulp). Scalar.
 * exp x is ∞ for x > 709.79, 0 for x < −745.14 and NaN for NaN.
 */

const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const LOG2E: f64 = 1.4426950408889634;

export function exp(x: f64): f64 {
  if (!(x < 709.782712893384)) return x > 709.782712893384 ? Infinity : x == 709.782712893384 ? f64.MAX_VALUE : x;
  if (x < -745.1332191019412) return 0;
  const k = floor(x * LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const lost = high - r - low;
  const value = 1 + (r + (lost + r * r * series(r)));
  const half = <i64>k / 2;
  return value * powerOfTwo(half) * powerOfTwo(<i64>k - half);
}

function series(r: f64): f64 {
  let sum: f64 = 1.0 / 6227020800.0;
  sum = sum * r + 1.0 / 479001600.0;
  sum = sum * r + 1.0 / 39916800.0;
  sum = sum * r + 1.0 / 3628800.0;
  sum = sum * r + 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  return sum * r + 0.5;
}

/** 2^k for |k| ≤ 1022. */
function powerOfTwo(k: i64): f64 {
  return reinterpret<f64>((k + 1023) << 52);
}
