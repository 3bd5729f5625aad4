/**
 * erf and erfc in float64x2, from two fits.
 * For |x| < 1: erf x = x + x·P(x² − ½). For x ≥ 1: erfc x = e^(−x²)·G(t)/(x + 2), t = (x − 3)/(x + 2). The pole of t is
 * to the left of all x ≥ 1, so G is smooth for all x at which erfc does not yet underflow to 0. The exponential takes
 * the rounding error of x² into account. Otherwise, at x = 26, the error of the result would be 2^8 units.
 * P: Chebyshev interpolation of erf(√z)/√z − 1 over z − ½ for 0 ≤ z ≤ 1, degree 11 (error 2^-56 of erf) or 7 (2^-34). G
 * is the same kind of interpolation of e^(x²)·erfc(x)·(x + 2) over t: degree 20 (2^-56) for 1 ≤ x ≤ 28, or degree 11
 * (2^-36) for 1 ≤ x ≤ 14. Coefficients were computed in 60 digits, then expanded.
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";
import { reduce, scaled } from "./exponential.ts";

const P: Record<Digits, readonly number[]> = {
  53: [
    -0.0345312613301327, -0.2810721780454342, 0.07940998675593687, -0.018283884489152684, 0.003480274496570158,
    -0.0005611894221209664, 7.829649688379886e-5, -9.614808641390195e-6, 1.0536323840680666e-6, -1.0420387617195658e-7,
    9.432320191926508e-9, -7.795898827002142e-10,
  ],
  24: [
    -0.03453126136243094, -0.28107217804224227, 0.07940999088982326, -0.018283884897697937, 0.0034801918499342385,
    -0.000561181253785619, 7.88249342558616e-5, -9.667044571486996e-6,
  ],
};
const G: Record<Digits, readonly number[]> = {
  53: [
    0.8950057559069498, -0.46430074427237217, 0.1619391505322253, -0.025918946162104547, -0.0055223821608921635,
    0.0030169006442736924, 0.0003278920132061754, -0.0003563571868959359, -5.364636303284539e-5, 4.597414875887763e-5,
    1.3753165540528034e-5, -5.241749609988238e-6, -3.4021741862121677e-6, 1.5974152410760365e-7, 6.929348319937305e-7,
    1.722320095640707e-7, -9.917873317466161e-8, -6.878783319525793e-8, 8.90686416749217e-9, 1.3180464481778338e-8,
    -1.8196470797284267e-9,
  ],
  24: [
    0.8950057559181455, -0.4643007442370719, 0.16193914876467, -0.02591894778161492, -0.0055223366299701725,
    0.0030169204552652697, 0.0003274593547062455, -0.00035644711024493744, -5.176118274381061e-5, 4.610546675174119e-5,
    9.84435716284361e-6, -5.169561577752673e-6,
  ],
};

/** Returns erfc(|x|) for |x| ≥ 1 or NaN. */
function erfcFromOne(m: Wide, digits: Digits, x: Value): Node {
  const size = m.atMost(m.abs(x), digits === 24 ? 14 : 28);
  const above = m.add(size, m.constant(2));
  const t = m.div(m.sub(size, m.constant(3)), above);
  const square = digits === 24 ? { high: m.mul(size, size), low: undefined } : m.product(size, size);
  const decay = scaled(m, digits, reduce(m, m.neg(square.high), digits, square.low && m.neg(square.low)));
  return m.div(m.mul(decay, m.polynomial(t, G[digits])), above);
}

/** Returns erf x − x for |x| < 1. */
function excess(m: Wide, digits: Digits, x: Value): Node {
  const s = m.sub(m.mul(x, x), m.constant(0.5));
  return m.mul(x, m.polynomial(s, P[digits]));
}

/** Returns ±0 unchanged. */
export function erf(m: Wide, digits: Digits, x: Value): Node {
  const one = m.constant(1);
  const far = m.signed(m.sub(one, erfcFromOne(m, digits, x)), x);
  return m.select(m.less(m.abs(x), one), m.add(x, excess(m, digits, x)), far);
}

/**
 * Returns 1 − erf x, accurate even if erf x is close to 1. For |x| < 1, the result is (1 − x) − (erf x − x), corrected
 * by the rounding error of 1 − x.
 */
export function erfc(m: Wide, digits: Digits, x: Value): Node {
  const [one, two] = [m.constant(1), m.constant(2)];
  const difference = m.sub(one, x);
  const lost = m.sub(m.sub(one, difference), x);
  const near = m.add(difference, m.sub(lost, excess(m, digits, x)));
  const far = erfcFromOne(m, digits, x);
  return m.select(m.less(m.abs(x), one), near, m.select(m.less(x, m.constant(0)), m.sub(two, far), far));
}
