import { series as exponentialSeries, LN2_HIGH, LN2_LOW } from "./exp.ts";
import { split } from "./log.ts";
import { scaled } from "./power-of-two.ts";

/** A number as high + low, where |low| is at most half a unit in the last place of high. */
type Pair = readonly [high: number, low: number];

const THIRD: Pair = [1 / 3, 1.850371707708594e-17];
/** Limit on |y|. Beyond this limit, powers of any number except 1 overflow or underflow. */
const LARGEST = 2 ** 70;

/**
 * xʸ, computed with only +, −, × and ÷, so that every JavaScript engine gives the same bits; the `**` of JavaScript
 * differs between engines in the last place.
 *
 * Computes e^(y log|x|). The logarithm is a sum of two numbers, with a relative error of about 2^-66. This accuracy is
 * needed because y log|x| can reach 745, and the absolute error of y log|x| is the relative error of the result. Error
 * below 1 ulp, or 2 ulp for a subnormal result. A result that is exactly representable is exact. Special cases follow
 * IEEE 754's pow: 1 for x = 1 or y = 0, even if the other argument is NaN; NaN for x < 0 unless y is an integer.
 *
 * log m = 2s (1 + z (⅓ + z W(z))), s = (m − 1)/(m + 1), z = s², m in [√½, √2).
 */
export function power(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const size = Math.abs(x);
  const whole = Number.isInteger(y);
  const negative = x < 0 || Object.is(x, -0);
  const sign = negative && whole && y % 2 !== 0 ? -1 : 1;
  if (size === 0 || size === Infinity) return sign * ((size === 0) === y > 0 ? 0 : Infinity);
  if (negative && !whole && Math.abs(y) !== Infinity) return Number.NaN;
  if (y === 1) return x;
  if (size === 1) return sign;
  return sign * exponential(times(logarithm(size), Math.min(Math.max(y, -LARGEST), LARGEST)));
}

/** Returns e^(high + low). */
function exponential([x, less]: Pair): number {
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW - less;
  const r = high - low;
  const lost = high - r - low;
  const value = 1 + (r + (lost + r * r * exponentialSeries(r)));
  return scaled(value, k);
}

/** Returns log x for 0 < x < ∞. */
function logarithm(x: number): Pair {
  const [k, m] = split(x);
  const f = m - 1;
  const d = m + 1;
  const s = f / d;
  const [sd, sdLow] = product(s, d);
  const sLow = (f - sd - sdLow - s * (m - (d - 1))) / d;
  const [z, rounded] = product(s, s);
  const zLow = rounded + 2 * s * sLow;
  const [t, tLow] = fastSum(THIRD[0], z * series(z));
  const [q, qLow] = product(z, t);
  const [h, hLow] = fastSum(1, q);
  const [l, lLow] = product(2 * s, h);
  const rest = lLow + 2 * s * (hLow + qLow + zLow * t + z * (tLow + THIRD[1])) + 2 * sLow * h;
  const [high, low] = sum(k * LN2_HIGH, l);
  return fastSum(high, low + (rest + k * LN2_LOW));
}

/** Series in W: returns Σ_{j≥2} z^(j−2)/(2j + 1) for z below 0.0295, adding the smallest terms first. */
function series(z: number): number {
  let total = 0;
  for (let j = 14; j >= 2; j--) total = total * z + 1 / (2 * j + 1);
  return total;
}

function times([high, low]: Pair, y: number): Pair {
  const [p, rounded] = product(high, y);
  return fastSum(p, rounded + low * y);
}

/** Returns a + b, exactly. */
function sum(a: number, b: number): Pair {
  const high = a + b;
  const back = high - a;
  return [high, a - (high - back) + (b - back)];
}

/** Returns a + b. The sum is exact if |a| ≥ |b| or a = 0. */
function fastSum(a: number, b: number): Pair {
  const high = a + b;
  return [high, a - high + b];
}

/** Returns a × b, for a and b below 2^996. The product is exact except for underflow. Source: Dekker 1971. */
function product(a: number, b: number): Pair {
  const [p, q] = [halved(a), halved(b)];
  const high = a * b;
  return [high, p[0] * q[0] - high + p[0] * q[1] + p[1] * q[0] + p[1] * q[1]];
}

/** Splits a number into two parts of 26 bits. */
function halved(a: number): Pair {
  const scaled = a * 134217729; // 2^27 + 1
  const high = scaled - (scaled - a);
  return [high, a - high];
}
