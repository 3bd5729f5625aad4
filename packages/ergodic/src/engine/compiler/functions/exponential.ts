/**
 * exp, expm1, tanh and sigmoid in float64x2.
 *
 * x = k·ln 2 + r with |r| ≤ ½ ln 2; e^r = 1 + r + r²·Q(r); the result is scaled by 2^k, in two steps if it may be
 * subnormal. Q is a Chebyshev fit: error 2^-56 of e^r, or 2^-32 for float32.
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";

/** ln 2 as a sum of two numbers: its leading 33 bits, so that products with k are exact, and the remainder. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

const Q: Record<Digits, readonly number[]> = {
  53: [
    0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065, 0.0013888888917196719,
    0.00019841269863040545, 2.4801521322368692e-5, 2.7557268480310024e-6, 2.7620075879983367e-7, 2.5100375832561234e-8,
  ],
  24: [
    0.5000000013457727, 0.16666666681614256, 0.04166646500604005, 0.008333310934448869, 0.0013933641031986701,
    0.00019890980869750327,
  ],
};

/** Returns k, r and s, so that e^(x + tail) = 2^k·(1 + r + s). s is r²·Q(r) plus the rounding error of r. */
export function reduce(m: Wide, x: Value, digits: Digits, tail?: Value): { k: Node; r: Node; s: Node } {
  const k = m.nearest(m.mul(x, m.constant(Math.LOG2E)));
  const high = m.sub(x, m.mul(k, m.constant(LN2_HIGH)));
  const product = m.mul(k, m.constant(LN2_LOW));
  const low = tail ? m.sub(product, tail) : product;
  const r = m.sub(high, low);
  const series = m.mul(m.mul(r, r), m.polynomial(r, Q[digits]));
  return { k, r, s: digits === 24 ? series : m.add(series, m.sub(m.sub(high, r), low)) };
}

/**
 * Returns 2^k for integers −1022 ≤ k ≤ 1023. The sum has k + 1023 in its low bits, and a shift moves these bits to the
 * exponent.
 */
export function powerOfTwo(m: Wide, k: Value, shift = 0): Node {
  return m.shiftLeft(m.add(k, m.constant(1.5 * 2 ** 52 + 1023 + shift)), 52);
}

/** Returns (1 + r + s)·2^k for |k| < 2000. */
export function scaled(m: Wide, digits: Digits, { k, r, s }: { k: Value; r: Value; s: Value }): Node {
  const mantissa = m.add(m.constant(1), m.add(r, s));
  if (digits === 24) return m.mul(mantissa, powerOfTwo(m, k));
  const half = m.nearest(m.mul(k, m.constant(0.5)));
  return m.mul(m.mul(mantissa, powerOfTwo(m, half)), powerOfTwo(m, m.sub(k, half)));
}

export function exp(m: Wide, digits: Digits, x: Value): Node {
  const within = digits === 24 ? m.atLeast(m.atMost(x, 200), -200) : m.atLeast(m.atMost(x, 710), -746);
  return scaled(m, digits, reduce(m, within, digits));
}

/**
 * Returns expm1 x, but +0 for −0. The result is 2^k·(r + s) + (2^k − 1), where s = r²·Q(r). The rounding errors of r
 * and of the large sum are corrected. The code uses 2^(k−1) because 2^1024 overflows.
 */
function expm1Unsigned(m: Wide, digits: Digits, x: Value): Node {
  const { k, r, s } = reduce(m, m.atLeast(m.atMost(x, 710), -50), digits);
  const half = powerOfTwo(m, k, -1);
  const large = m.sub(half, m.constant(0.5));
  const scaledR = m.mul(r, half);
  const sum = m.add(large, scaledR);
  const lost = m.add(m.sub(large, sum), scaledR);
  const result = m.add(sum, m.add(lost, m.mul(s, half)));
  return m.select(m.equal(k, m.constant(0)), m.add(r, s), m.add(result, result));
}

export function expm1(m: Wide, digits: Digits, x: Value): Node {
  return m.select(m.equal(x, m.constant(0)), x, expm1Unsigned(m, digits, x));
}

/**
 * Returns t / (t + 2) with the sign of x, where t = e^(2|x|) − 1. The rounding error of t + 2 is corrected, using 1/(t
 * + 2) = (1 − quotient)/2. Returns ±1 for |x| ≥ 22.
 */
export function tanh(m: Wide, digits: Digits, x: Value): Node {
  const size = m.atMost(m.abs(x), 22);
  const t = expm1Unsigned(m, digits, m.add(size, size));
  const two = m.constant(2);
  const sum = m.add(t, two);
  const quotient = m.div(t, sum);
  const lost = m.and(m.less(t, two), m.sub(t, m.sub(sum, two)));
  const inverse = m.mul(m.constant(0.5), m.sub(m.constant(1), quotient));
  return m.signed(m.sub(quotient, m.mul(m.mul(quotient, lost), inverse)), x);
}

/** Returns 1/(1 + z), or z/(1 + z) if x < 0, where z = e^−|x|. The rounding error of 1 + z is corrected. */
export function sigmoid(m: Wide, digits: Digits, x: Value): Node {
  const one = m.constant(1);
  const z = exp(m, digits, m.neg(m.abs(x)));
  const sum = m.add(one, z);
  const lost = m.sub(z, m.sub(sum, one));
  const negative = m.less(x, m.constant(0));
  const quotient = m.div(m.select(negative, z, one), sum);
  if (digits === 24) return quotient;
  const inverse = m.select(negative, m.sub(one, quotient), quotient);
  return m.sub(quotient, m.mul(m.mul(quotient, lost), inverse));
}
