/**
 * atan in float64x2. |x| is reduced to |t| ≤ tan(π/8): above tan(π/8) by atan x = π/4 + atan((x − 1)/(x + 1)), and
 * above tan(3π/8) by π/2 + atan(−1/x). Then atan t = t + t³·A(t²).
 *
 * A: Chebyshev interpolation on 0 ≤ t² ≤ tan²(π/8), degree 10 (error 2^-55 of atan) or 6 (2^-36).
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";

const A: Record<Digits, readonly number[]> = {
  53: [
    -0.3333333333333333, 0.1999999999999552, -0.14285714284666542, 0.1111111101525636, -0.09090904578123861, 0.07692183190825304,
    -0.06664511447372617, 0.05858148912731945, -0.05085449737615746, 0.03923165828719725, -0.019176887109764177,
  ],
  24: [
    -0.3333333333144073, 0.1999999891728858, -0.14285612511387016, 0.11107495135714474, -0.09028983500350463, 0.07135325122330678,
    -0.04043224825887161,
  ],
};
/** Rounding error of π/4 as a float64. */
const QUARTER_LOW = 3.061616997868383e-17;

/** Returns ±0 unchanged. */
export function atan(m: Wide, digits: Digits, x: Value): Node {
  const one = m.constant(1);
  const size = m.abs(x);
  const middle = m.less(m.constant(Math.SQRT2 - 1), size);
  const steep = m.less(m.constant(Math.SQRT2 + 1), size);
  const numerator = m.select(steep, m.constant(-1), m.select(middle, m.sub(size, one), size));
  const t = m.div(numerator, m.select(steep, size, m.select(middle, m.add(size, one), one)));
  const turned = (part: number): Node => m.select(steep, m.constant(2 * part), m.and(middle, m.constant(part)));
  const z = m.mul(t, t);
  const series = m.mul(m.mul(t, z), m.polynomial(z, A[digits]));
  return m.signed(m.add(turned(Math.PI / 4), m.add(t, m.add(series, turned(QUARTER_LOW)))), x);
}
