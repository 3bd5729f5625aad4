import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";

const A: Record<Digits, readonly number[]> = {
  53: [
    -1.6449340668482264, 0.8117424252833535, -0.19075182412203828, 0.026147847813245743, -0.002346080833832126,
    0.0001484240587594755, -6.920714981184486e-6,
  ],
  24: [-1.6449340665707546, 0.8117422832002009, -0.1907404498699573, 0.025856176616795467],
};
const B: Record<Digits, readonly number[]> = {
  53: [
    -4.934802200544679, 4.058712126416765, -1.3352627688538095, 0.23533063028399223, -0.025806887964701878, 0.001929493874894941,
    -0.00010370082971594627,
  ],
  24: [-4.934802200541116, 4.058712123565546, -1.3352624037680343, 0.23531426158549898, -0.02550705018979102],
};

export interface HalfTurns {
  /** x minus the nearest integer, −½ … ½; NaN at ±∞. */
  readonly r: Node;
  /** |sin πx| / π. */
  readonly sine: Node;
  /** |cos πx|. */
  readonly cosine: Node;
  /** π / |sin πx|, more accurate than 1 / `sine`. */
  readonly cosecant: Node;
}

/**
 * sin(πr) and cos(πr) in float64x2, for the reflection formulas of gamma functions. The distance r of x to the nearest
 * integer is exact, so no multiple of π has to be subtracted. r is then reduced to q ≤ ¼.
 *
 * sin(πq)/π = q + q³·A(q²), cos(πq) = 1 + q²·B(q²): Chebyshev interpolation on 0 ≤ q² ≤ 1/16, error 2^-61 (2^-32) of
 * the function.
 */
export function halfTurns(m: Wide, digits: Digits, x: Value): HalfTurns {
  const r = m.sub(x, m.nearest(x));
  const size = m.abs(r);
  const steep = m.less(m.constant(0.25), size);
  const q = m.select(steep, m.sub(m.constant(0.5), size), size);
  const z = m.mul(q, q);
  const sine = m.add(q, m.mul(m.mul(q, z), m.polynomial(z, A[digits])));
  const cosine = m.add(m.constant(1), m.mul(z, m.polynomial(z, B[digits])));
  return {
    r,
    sine: m.select(steep, m.mul(cosine, m.constant(1 / Math.PI)), sine),
    cosine: m.select(steep, m.mul(sine, m.constant(Math.PI)), cosine),
    cosecant: m.div(m.select(steep, m.constant(Math.PI), m.constant(1)), m.select(steep, cosine, sine)),
  };
}
