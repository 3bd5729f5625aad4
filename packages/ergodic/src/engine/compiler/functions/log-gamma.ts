/**
 * lgamma: log|Γ(x)| in float64x2.
 *
 * For −½ ≤ x < 2½: log Γ(2 + d) = d·Q(d), with d = x below ½, x − 1 below 1.3, and x − 2 above; then log|x·(1 + x)|,
 * log x or nothing is subtracted. With these forms, the relative error is small near the zeros 1 and 2, and near 0. For
 * x ≥ 2½: Stirling's (x − ½)·(log x − 1) + ½·log 2π − ½ + S(1/x²)/x. For x < −½: −log(|x|·|sin πx|/π) − lgamma|x|. Near
 * the zeros of this difference, only the absolute error is small.
 * Q: Chebyshev interpolation of log Γ(2 + d)/d on −0.7 … ½, degree 21 (error 2^-59) or 13 (2^-37). S is interpolated on
 * 0 < 1/x² ≤ 1/6.25, with degree 12 (2^-52) or 4 (2^-29). S/x is at most an eighth of the result. Computed in 60
 * digits, then expanded.
 */
import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";
import { halfTurns } from "./half-turns.ts";
import { logParts, logPositive } from "./logarithm.ts";

const Q: Record<Digits, readonly number[]> = {
  53: [
    0.42278433509846713, 0.3224670334241132, -0.06735230105319819, 0.020580808427785282, -0.0073855510286630795,
    0.002890510330694142, -0.001192753912200321, 0.0005096695260643595, -0.00022315474670437432, 9.945749434725098e-5,
    -4.492639920981064e-5, 2.050734016726328e-5, -9.438100823676466e-6, 4.374604443061803e-6, -2.046615441979128e-6,
    9.5309379254795e-7, -4.2536315624235667e-7, 2.2776931742318316e-7, -1.424886205967344e-7, 5.4754314369431125e-9,
    6.091920813485904e-9, 5.3751278836465125e-8,
  ],
  24: [
    0.4227843350988345, 0.32246703343284366, -0.06735230115890026, 0.02058080762178601, -0.007385546310715291,
    0.002890532705638315, -0.0011928282760369868, 0.0005093897662307906, -0.00022264816848405252, 0.00010123360894029459,
    -4.635452538381091e-5, 1.4870199363766288e-5, -8.711202092888583e-6, 1.1724128878628779e-5,
  ],
};
const S: Record<Digits, readonly number[]> = {
  53: [
    0.08333333333333331, -0.0027777777777425704, 0.0007936507810740785, -0.0005952362987525176, 0.0008416146468938286,
    -0.0019112061272778442, 0.006214168834946458, -0.0252119485320212, 0.10689474689269894, -0.39730201606181553,
    1.1113197913233228, -1.9839544382996066, 1.6579126364300545,
  ],
  24: [0.08333333318250692, -0.0027777302679176407, 0.0007911751677564184, -0.0005477085545925537, 0.00042251678696924737],
};
/** ½·log 2π − ½. */
const STIRLING = 0.4189385332046727;

/** Returns lgamma for finite a ≥ −½ except 0. */
function direct(m: Wide, digits: Digits, a: Value): Node {
  const [half, one] = [m.constant(0.5), m.constant(1)];
  const [nearZero, nearOne, near] = [m.less(a, half), m.less(a, m.constant(1.3)), m.less(a, m.constant(2.5))];
  const d = m.select(nearZero, a, m.sub(a, m.select(nearOne, one, m.constant(2))));
  const square = m.mul(a, a);
  const product = m.add(a, square);
  const factor = m.select(nearZero, product, m.select(m.and(near, m.not(nearOne)), one, a));
  const { high, low } = logParts(m, digits, m.abs(factor));
  // The relative rounding error of a + a² becomes an absolute error of the logarithm.
  const lost = m.and(nearZero, m.sub(square, m.sub(product, a)));
  const correction = digits === 24 ? low : m.add(low, m.div(lost, factor));
  const within = m.sub(m.sub(m.mul(d, m.polynomial(d, Q[digits])), correction), high);
  const inverse = m.div(one, a);
  const series = m.mul(m.polynomial(m.mul(inverse, inverse), S[digits]), inverse);
  const shifted = m.sub(high, one);
  const rest = m.add(m.sub(m.sub(high, shifted), one), low);
  const g = m.sub(a, half);
  const beyond = m.add(m.mul(g, shifted), m.add(m.mul(g, rest), m.add(m.constant(STIRLING), series)));
  return m.select(near, within, beyond);
}

/** Returns ∞ at the poles 0, −1, −2, … and at ±∞. */
export function lgamma(m: Wide, digits: Digits, x: Value): Node {
  const zero = m.constant(0);
  const size = m.abs(x);
  const reflected = m.less(x, m.constant(-0.5));
  const value = direct(m, digits, m.select(reflected, size, x));
  const { r, sine } = halfTurns(m, digits, x);
  const reflection = m.sub(m.neg(logPositive(m, digits, m.mul(size, sine), false)), value);
  const isPole = m.or(m.equal(x, zero), m.and(reflected, m.equal(r, zero)));
  const ordinary = m.select(isPole, m.constant(Infinity), m.select(reflected, reflection, value));
  return m.select(m.less(size, m.constant(Infinity)), ordinary, size);
}
