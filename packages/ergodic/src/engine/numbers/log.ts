import { scaled } from "./power-of-two.ts";

/** ln 2 in two parts. The first part has 32 bits, so that its product with k is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const SQRT2 = Math.SQRT2;

const number = new Float64Array(1);
const halves = new Uint32Array(number.buffer);
/** Index of the half that contains sign and exponent. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * Natural logarithms of x and of 1 + x, computed with only +, −, × and ÷, so that every JavaScript engine and the
 * WebAssembly version (kernels/engine/numbers/log.ts) give the same bits; Math.log can differ between hosts.
 *
 * x = 2^k m with m in [√½, √2), f = m − 1, s = f/(2 + f): log(1 + f) = f − f²/2 + s (f²/2 + R), R = 2 Σ_{j≥1} s^2j/(2j
 * + 1), cut after j = 10 (the rest is below 2^-58 of the sum). Error below 1 ulp. log 0 = −∞; log of a negative number
 * or NaN is NaN. log1p: no loss of precision at small x, error below 2 ulp; ±0 is returned unchanged.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  let k = exponentOf(x);
  let m = scaled(x, -k);
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

/** Returns log(1 + x). */
export function log1p(x: number): number {
  if (x === 0 || x === Infinity) return x;
  const u = 1 + x;
  // The rounding error of 1 + x is corrected with the slope of the logarithm.
  return u > 0 ? log(u) + (x - (u - 1)) / u : log(u);
}

/** Returns k and m for 0 < x < ∞: x = 2^k m, √½ ≤ m ≤ √2. */
export function split(x: number): readonly [k: number, m: number] {
  const k = exponentOf(x);
  const m = scaled(x, -k);
  return m > SQRT2 ? [k + 1, m / 2] : [k, m];
}

/** Returns the integer k for which x 2^-k is in [1, 2), for 0 < x < ∞. */
function exponentOf(x: number): number {
  number[0] = x;
  const field = halves[HIGH] >>> 20;
  if (field > 0) return field - 1023;
  number[0] = x * 18014398509481984; // 2^54 makes a subnormal number normal
  return (halves[HIGH] >>> 20) - 1077;
}

/** Returns 2 Σ_{j=1..10} z^j/(2j + 1), adding the smallest terms first. */
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
