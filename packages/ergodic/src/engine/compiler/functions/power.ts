/**
 * pow in float64x2: e^(b·log|a|). The logarithm is computed as a sum of two float64 numbers (relative error about
 * 2^-66), because b·log|a| can reach 745, and the absolute error of this product is the relative error of the result.
 * For float32, plain float64 suffices.
 *
 * log m = 2s·(1 + z·(⅓ + z·W(z))), s = (m − 1)/(m + 1), z = s².
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";
import { exp, LN2_HIGH, LN2_LOW, reduce, scaled } from "./exponential.ts";
import { logPositive, split } from "./logarithm.ts";

const W: readonly number[] = [
  0.2, 0.14285714285714685, 0.1111111111082777, 0.0909090916773562, 0.07692297477068973, 0.06667402574805938, 0.05853112067730471,
  0.058616531170404246,
];
const THIRD_LOW = 1.850371707708594e-17;

interface Pair {
  high: Node;
  low: Node;
}

/** Returns a + b as a pair, for |a| ≥ |b| or a = 0. */
function fastSum(m: Wide, a: Value, b: Value): Pair {
  const high = m.add(a, b);
  return { high, low: m.add(m.sub(a, high), b) };
}

/** Returns log x as a pair, for positive finite x. */
function logPair(m: Wide, x: Value): Pair {
  const { k, mantissa } = split(m, x, true);
  const one = m.constant(1);
  const f = m.sub(mantissa, one);
  const d = m.add(mantissa, one);
  const dLow = m.sub(mantissa, m.sub(d, one));
  const s = m.div(f, d);
  const sd = m.product(s, d);
  const sLow = m.div(m.sub(m.sub(m.sub(f, sd.high), sd.low), m.mul(s, dLow)), d);
  const square = m.product(s, s);
  const z = square.high;
  const zLow = m.add(square.low, m.mul(m.add(s, s), sLow));
  const c = fastSum(m, m.constant(1 / 3), m.mul(z, m.polynomial(z, W)));
  const cLow = m.add(c.low, m.constant(THIRD_LOW));
  const t = m.product(z, c.high);
  const tLow = m.add(t.low, m.add(m.mul(z, cLow), m.mul(zLow, c.high)));
  const st = m.product(s, t.high);
  const stLow = m.add(st.low, m.add(m.mul(s, tLow), m.mul(sLow, t.high)));
  const g = fastSum(m, s, st.high);
  const gLow = m.add(g.low, m.add(sLow, stLow));
  const total = fastSum(m, m.mul(k, m.constant(LN2_HIGH)), m.add(g.high, g.high));
  return fastSum(m, total.high, m.add(total.low, m.add(m.add(gLow, gLow), m.mul(k, m.constant(LN2_LOW)))));
}

function powerOfSize(m: Wide, digits: Digits, x: Value, b: Value): Node {
  // For |b| > 2^70, the result overflows or vanishes for every x except 1. At x = 1, the bound prevents ∞·log 1, which
  // must be 0. The bound also keeps the exact product from overflowing.
  const bounded = m.atLeast(m.atMost(b, 2 ** 70), -(2 ** 70));
  if (digits === 24) return exp(m, 24, m.mul(bounded, logPositive(m, 53, x, false)));
  const l = logPair(m, x);
  const y = m.product(bounded, l.high);
  const within = m.atLeast(m.atMost(y.high, 800), -800);
  const tail = m.and(m.equal(within, y.high), m.add(y.low, m.mul(bounded, l.low)));
  return scaled(m, digits, reduce(m, within, digits, tail));
}

export function pow(m: Wide, digits: Digits, a: Value, b: Value): Node {
  const [zero, one, infinity] = [0, 1, Infinity].map((x) => m.constant(x));
  const size = m.abs(a);
  const negativeExponent = m.less(b, zero);
  const atZero = m.equal(size, zero);
  const extreme = m.select(atZero, m.select(negativeExponent, infinity, zero), m.select(negativeExponent, zero, infinity));
  const positive = m.select(m.or(atZero, m.equal(size, infinity)), extreme, powerOfSize(m, digits, size, b));
  const half = m.mul(b, m.constant(0.5));
  const whole = m.equal(m.floor(b), b);
  const odd = m.and(whole, m.notEqual(m.floor(half), half));
  const withSign = m.or(positive, m.and(odd, m.and(a, m.bits(0x8000000000000000n))));
  const undefinedRoot = m.and(m.not(whole), m.and(m.less(a, zero), m.less(m.constant(-Infinity), a)));
  const isNumber = m.and(m.not(undefinedRoot), m.and(m.equal(a, a), m.equal(b, b)));
  const value = m.select(isNumber, withSign, m.constant(Number.NaN));
  return m.select(m.or(m.equal(b, zero), m.equal(a, one)), one, value);
}
