/**
 * cos and sin in float64x2: x = n·π/2 + r + tail, |r| ≤ π/4, with π/2 in three parts of 33 bits, so that the stated
 * bound holds for |x| ≤ 2^20·π/2. For larger |x|, the absolute error is about one unit in the last digit of x. ±∞ gives
 * NaN.
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";

const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21];
const S: Record<Digits, readonly number[]> = {
  53: [
    -0.16666666666666666, 0.008333333333330946, -0.0001984126983675497, 2.755731610068303e-6, -2.5051131455427946e-8,
    1.591810123027412e-10,
  ],
  24: [-0.16666666663853044, 0.008333331873837089, -0.00019840086263755443, 2.7249864655139585e-6],
};
const C: Record<Digits, readonly number[]> = {
  53: [
    0.041666666666666664, -0.0013888888888887395, 2.4801587298763433e-5, -2.7557317270560326e-7, 2.0876146024689747e-9,
    -1.1382614868556325e-11,
  ],
  24: [0.04166666666431933, -0.0013888887671288108, 2.480059998353171e-5, -2.7300908167996537e-7],
};

/** Returns sin(x + quarterTurns·π/2). */
function wave(m: Wide, digits: Digits, x: Value, quarterTurns: 0 | 1): Node {
  const n = m.nearest(m.mul(x, m.constant(2 / Math.PI)));
  const [p1, p2, p3] = HALF_PI.map((p) => m.mul(n, m.constant(p)));
  const t1 = m.sub(x, p1);
  const t2 = m.sub(t1, p2);
  const r = m.sub(t2, p3);
  const tail = m.add(m.sub(m.sub(t1, t2), p2), m.sub(m.sub(t2, r), p3));
  const z = m.mul(r, r);
  const sine = m.add(r, m.add(m.mul(m.mul(r, z), m.polynomial(z, S[digits])), tail));
  const half = m.mul(z, m.constant(0.5));
  const main = m.sub(m.constant(1), half);
  const small = m.sub(m.mul(m.mul(z, z), m.polynomial(z, C[digits])), m.mul(r, tail));
  const cosine = m.add(main, m.add(m.sub(m.sub(m.constant(1), main), half), small));
  const turns = m.add(n, m.constant(quarterTurns));
  const halfTurns = m.mul(turns, m.constant(0.5));
  const value = m.select(m.notEqual(m.floor(halfTurns), halfTurns), cosine, sine);
  // Bit 1 of the number of quarter turns determines the sign of the result.
  const sign = m.and(m.shiftLeft(m.add(turns, m.constant(1.5 * 2 ** 52)), 62), m.bits(0x8000000000000000n));
  return m.addBits(m.atLeast(m.atMost(value, 1), -1), sign);
}

export const cos = (m: Wide, digits: Digits, x: Value): Node => wave(m, digits, x, 1);
/** Returns ±0 unchanged. */
export const sin = (m: Wide, digits: Digits, x: Value): Node => m.select(m.equal(x, m.constant(0)), x, wave(m, digits, x, 0));
