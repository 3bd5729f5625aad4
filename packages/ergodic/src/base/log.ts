/**
 * Natural logarithm from +, −, × and ÷ alone, so that every engine and the WebAssembly twin (kernels/log.ts) give the same bits;
 * Math.log may differ between hosts.
 *
 * x = 2^k m with m in [√½, √2), f = m − 1, s = f/(2 + f): log(1 + f) = f − f²/2 + s (f²/2 + R), R = 2 Σ_{j≥1} s^2j/(2j + 1), cut after
 * j = 10 (the rest is below 2^-58 of the sum). Error below 1 ulp. log 0 = −∞, log of a negative number or NaN = NaN.
 */

/** ln 2 in two parts; the first has 32 bits, so that k × it is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const SQRT2 = Math.SQRT2;

const number = new Float64Array(1);
const halves = new Uint32Array(number.buffer);
/** Index of the half that holds sign and exponent. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54 makes a subnormal number normal
    k = -54;
  }
  number[0] = x;
  k += (halves[HIGH] >>> 20) - 1023;
  halves[HIGH] = (halves[HIGH] & 0x000fffff) | 0x3ff00000;
  let m = number[0];
  if (m > SQRT2) {
    m *= 0.5;
    k += 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const half = 0.5 * f * f;
  const rest = series(s * s);
  return k * LN2_HIGH - (half - (s * (half + rest) + k * LN2_LOW) - f);
}

/** 2 Σ_{j=1..10} z^j/(2j + 1), smallest terms first. */
function series(z: number): number {
  let sum = 2 / 21;
  sum = sum * z + 2 / 19;
  sum = sum * z + 2 / 17;
  sum = sum * z + 2 / 15;
  sum = sum * z + 2 / 13;
  sum = sum * z + 2 / 11;
  sum = sum * z + 2 / 9;
  sum = sum * z + 2 / 7;
  sum = sum * z + 2 / 5;
  sum = sum * z + 2 / 3;
  return sum * z;
}
