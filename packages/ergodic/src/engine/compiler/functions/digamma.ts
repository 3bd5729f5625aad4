import type { Node } from "../machine/graph.ts";
import type { Digits, Wide } from "../machine/instructions.ts";
import type { Value } from "../machine/lanes.ts";
import { halfTurns } from "./half-turns.ts";
import { logParts } from "./logarithm.ts";

const R: Record<Digits, readonly number[]> = {
  53: [
    1.4265838140477494, 0.315614744109642, -0.06281369492028008, 0.017935099659936202, -0.005921836374555441,
    0.002105524543932196, -0.0007808823636548008, 0.0002971387135965835, -0.00011492419795785276, 4.4924967963555466e-5,
    -1.7687223169837115e-5, 7.00085274570018e-6, -2.778815077217573e-6, 1.0900440594791301e-6, -4.343344704424389e-7,
    2.086174950945902e-7, -8.330017764155427e-8,
  ],
  24: [
    1.4265838140104772, 0.31561474412439555, -0.06281368747169318, 0.01793509671155755, -0.0059220737460733,
    0.0021056185013751446, -0.0007782479980920207, 0.0002960959986982323, -0.00012672354529760202, 4.9595096131068074e-5,
  ],
};
const D: Record<Digits, readonly number[]> = {
  53: [
    0.08333333333333327, -0.00833333333318452, 0.00396825390978711, -0.0041666573963615745, 0.007574966399891227,
    -0.02105066512047329, 0.08179756236877364, -0.4022338605483163, 2.2014011394955064, -11.778677455959203, 55.71605288504294,
    -217.23459979033817, 661.8790892282251, -1495.7739824696716, 2341.022300950168, -2254.9071876395083, 1004.1765077168336,
  ],
  24: [
    0.08333333318166718, -0.008333273281018759, 0.00396421113436558, -0.0040591388928202885, 0.006090124556543389,
    -0.00856992845547113, 0.0065840576406213805,
  ],
};
const T: Record<Digits, readonly number[]> = {
  53: [
    0.16666666666666655, -0.03333333333294931, 0.02380952362113, -0.033333295996758765, 0.07575358503298409, -0.2528467265419595,
    1.1544234170674315, -6.679939457562511, 44.19856140461081, -298.10801313391056, 1861.0573588023722, -10052.567910597078,
    44879.39200186243, -159871.07414086463, 439123.6511743654, -891517.0497560841, 1255357.0608093054, -1092121.2801603698,
    441443.4317887611,
  ],
  24: [
    0.1666666663420959, -0.03333316549640061, 0.023794706184142627, -0.03281006412163792, 0.06597762236466741,
    -0.13966492986145243, 0.2194977742676981, -0.16833079029900996,
  ],
};
/** x₀ − 1 as a float64, and the remainder. */
const ZERO = [0.46163214496836236, -1.5522348162858677e-17];

/**
 * digamma ψ = (log Γ)' and trigamma ψ' in float64x2.
 *
 * ψ for 1 ≤ x < 2: (x − x₀)·R(x − 1½)/x. The zero x₀ = 1.4616… is stored in two parts, so that the relative error is
 * small near it. Below 1: ψ(1 + x) − 1/x. From 2: log x − 1/2x − D(1/x²)/x². For x < 0: ψ(1 − x) − π·cot πx. Near the
 * zeros of this difference, only the absolute error is small.
 * ψ' from 2: 1/x + 1/2x² + T(1/x²)/x³; below: ψ'(x + 1) + 1/x², twice below 1. For x < 0: π²/sin² πx − ψ'(1 − x), which
 * has no zero.
 * R is a Chebyshev interpolation of x·ψ(x)/(x − x₀) on 1 … 2, of degree 16 (error 2^-57) or 9 (2^-34). The nearest pole
 * is at −1. D and T are interpolated on 0 < 1/x² ≤ ¼, with degrees 16 and 18 (2^-50) or 6 and 7 (2^-29). The terms with
 * D and T are below 1/20 of the result. Computed in 60 digits, then expanded.
 *
 * −∞ at +0, ∞ at −0; NaN at negative integers and −∞.
 */
export function digamma(m: Wide, digits: Digits, x: Value): Node {
  const [zero, one] = [m.constant(0), m.constant(1)];
  const [negative, belowOne] = [m.less(x, zero), m.less(x, one)];
  // ψ is evaluated at y = 1 + e.
  const e = m.select(belowOne, m.abs(x), m.sub(x, one));
  const y = m.select(belowOne, m.add(one, e), x);
  const near = m.less(e, one);
  const fromZero = m.sub(m.sub(e, m.constant(ZERO[0])), m.constant(ZERO[1]));
  const numerator = m.mul(fromZero, m.polynomial(m.sub(e, m.constant(0.5)), R[digits]));
  const i = m.div(m.select(near, numerator, one), y);
  const { high, low } = logParts(m, digits, y);
  const series = m.mul(i, m.polynomial(m.mul(i, i), D[digits]));
  const far = m.add(high, m.sub(low, m.mul(i, m.add(m.constant(0.5), series))));
  const value = m.select(near, i, far);

  const { r, sine, cosine } = halfTurns(m, digits, x);
  const top = m.select(negative, m.signed(cosine, r), one);
  const addend = m.and(belowOne, m.div(top, m.select(negative, sine, x)));
  const isPole = m.and(negative, m.equal(r, zero));
  const sum = m.select(isPole, m.constant(Number.NaN), m.sub(value, addend));
  return m.select(m.equal(x, m.constant(Infinity)), x, sum);
}

/** Returns ∞ at the poles 0, −1, −2, …; NaN at −∞. */
export function trigamma(m: Wide, digits: Digits, x: Value): Node {
  const [zero, one, two] = [m.constant(0), m.constant(1), m.constant(2)];
  const negative = m.less(x, zero);
  const w = m.select(negative, m.sub(one, x), x);
  const [belowOne, belowTwo] = [m.less(w, one), m.less(w, two)];
  const next = m.add(w, one);
  const y = m.select(belowOne, m.add(w, two), m.select(belowTwo, next, w));
  const i = m.div(one, y);
  const z = m.mul(i, i);
  const tail = m.mul(z, m.add(m.constant(0.5), m.mul(i, m.polynomial(z, T[digits]))));
  const [first, second] = [m.div(one, w), m.div(one, next)];
  const smaller = m.add(m.and(belowOne, m.mul(second, second)), m.add(i, tail));
  const value = m.add(m.and(belowTwo, m.mul(first, first)), smaller);
  const { cosecant } = halfTurns(m, digits, x);
  return m.select(negative, m.sub(m.mul(cosecant, cosecant), value), value);
}
