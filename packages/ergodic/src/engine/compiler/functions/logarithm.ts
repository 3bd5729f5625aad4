/**
 * log, log1p and softplus in float64x2.
 *
 * x = 2^k·(1 + f) with √½ ≤ 1 + f < √2; s = f/(2 + f); log(1 + f) = f − (f²/2 − s·(f²/2 + s²·R(s²))), where s²·R is
 * (log(1 + f) − 2s)/s. R is a Chebyshev fit. The error of log(1 + f) is 2^-57, or 2^-35 for float32.
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";
import { exp, LN2_HIGH, LN2_LOW, sigmoid } from "./exponential.ts";

const R: Record<Digits, readonly number[]> = {
  53: [
    0.666666666666667, 0.3999999999989938, 0.28571428626031065, 0.2222221112572281, 0.18182889786191042, 0.15331699633543858,
    0.14616721179861816,
  ],
  24: [0.6666666655440618, 0.4000012191414928, 0.28550812382590146, 0.2333069667245578],
};

/** Returns k and the mantissa 1 + f of positive finite x. `subnormal`: whether x may be below 2^-1022. */
export function split(m: Wide, x: Value, subnormal: boolean): { k: Node; mantissa: Node } {
  const tiny = m.less(x, m.constant(2 ** -1022));
  const bits = subnormal ? m.select(tiny, m.mul(x, m.constant(2 ** 54)), x) : x;
  // Adding bits(1) − bits(√½) makes the carry into the exponent occur at √½ instead of 1.
  const shifted = m.addBits(bits, m.bits(0x3ff0000000000000n - 0x3fe6a09e667f3bcdn));
  const biased = m.or(m.shiftRight(shifted, 52), m.bits(0x4330000000000000n));
  const k = m.sub(biased, m.constant(2 ** 52 + 1023));
  const exponent = m.and(shifted, m.bits(0xfff0000000000000n));
  const mantissa = m.addBits(m.subBits(bits, exponent), m.bits(0x3ff0000000000000n));
  return { k: subnormal ? m.sub(k, m.and(tiny, m.constant(54))) : k, mantissa };
}

/** Returns `large` and `small` with k·ln 2 + log(1 + f) + correction = large + f − small, where `large` is exact. */
function terms(m: Wide, digits: Digits, k: Value, f: Value, correction?: Value): { large: Node; small: Node } {
  const half = m.mul(m.constant(0.5), m.mul(f, f));
  const s = m.div(f, m.add(m.constant(2), f));
  const z = m.mul(s, s);
  const series = m.mul(s, m.add(half, m.mul(z, m.polynomial(z, R[digits]))));
  const low = m.mul(k, m.constant(LN2_LOW));
  const rest = m.add(series, correction ? m.add(low, correction) : low);
  return { large: m.mul(k, m.constant(LN2_HIGH)), small: m.sub(half, rest) };
}

function assemble(m: Wide, digits: Digits, k: Value, f: Value, correction?: Value): Node {
  const { large, small } = terms(m, digits, k, f, correction);
  return m.sub(large, m.sub(small, f));
}

/** Returns `value` for x between the pole and ∞, −∞ at the pole, NaN below the pole, and x itself if x is ∞ or NaN. */
function guarded(m: Wide, x: Value, pole: number, value: Value): Node {
  const at = m.constant(pole);
  const outside = m.select(m.less(x, at), m.constant(Number.NaN), m.select(m.equal(x, at), m.constant(-Infinity), x));
  return m.select(m.and(m.less(at, x), m.less(x, m.constant(Infinity))), value, outside);
}

/** Returns log x for positive finite x. */
export function logPositive(m: Wide, digits: Digits, x: Value, subnormal: boolean): Node {
  const { k, mantissa } = split(m, x, subnormal);
  return assemble(m, digits, k, m.sub(mantissa, m.constant(1)));
}

/**
 * Returns log x = high + low, accurate to 2^-57 absolute (with float32's digits: 2^-35 relative), for positive finite
 * x.
 */
export function logParts(m: Wide, digits: Digits, x: Value): { high: Node; low: Node } {
  const { k, mantissa } = split(m, x, digits === 53);
  const f = m.sub(mantissa, m.constant(1));
  const { large, small } = terms(m, digits, k, f);
  const high = m.add(large, f);
  return { high, low: m.sub(m.add(m.sub(large, high), f), small) };
}

export function log(m: Wide, digits: Digits, x: Value): Node {
  return guarded(m, x, 0, logPositive(m, digits, x, digits === 53));
}

/** Returns log1p for finite x > −1, but +0 for −0. The result is log(u) + (the rounding error of u = 1 + x)/u. */
function log1pInside(m: Wide, digits: Digits, x: Value): Node {
  const one = m.constant(1);
  const u = m.add(one, x);
  const { k, mantissa } = split(m, u, false);
  const near = m.equal(k, m.constant(0));
  const f = m.select(near, x, m.sub(mantissa, one));
  if (digits === 24) return assemble(m, digits, k, f);
  const back = m.sub(u, one);
  const error = m.add(m.sub(x, back), m.sub(one, m.sub(u, back)));
  return assemble(m, digits, k, f, m.select(near, m.constant(0), m.div(error, u)));
}

export function log1p(m: Wide, digits: Digits, x: Value): Node {
  return guarded(m, x, -1, m.select(m.equal(x, m.constant(0)), x, log1pInside(m, digits, x)));
}

/** Returns log1p(z) for 0 ≤ z ≤ 1 or NaN. If 1 + z exceeds √2, it is halved, so that its bits need not be examined. */
function log1pWithinOne(m: Wide, digits: Digits, z: Value): Node {
  const large = m.less(m.constant(Math.SQRT2 - 1), z);
  const f = m.select(large, m.mul(m.constant(0.5), m.sub(z, m.constant(1))), z);
  return assemble(m, digits, m.and(large, m.constant(1)), f);
}

/** Returns max(x, 0) + log1p(e^−|x|). */
export function softplus(m: Wide, digits: Digits, x: Value): Node {
  return m.add(m.atLeast(x, 0), log1pWithinOne(m, digits, exp(m, digits, m.neg(m.abs(x)))));
}

/**
 * Returns the softplus of lane 0 of x in lane 0, and its sigmoid in lane 1. Programs usually need both values, and both
 * depend on e^−|x|.
 */
export function softplusAndSigmoid(m: Wide, digits: Digits, x: Value): Node {
  return m.lowHalves(softplus(m, digits, x), sigmoid(m, digits, x));
}
