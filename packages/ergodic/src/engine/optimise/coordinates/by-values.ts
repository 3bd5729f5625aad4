import { minimiseLine } from "../line-minimum.ts";
import type { CoordinateTarget } from "./coordinate-target.ts";

/** ε^⅓. */
const STEP = 6.055454452393343e-6;
const TOLERANCE = 1e-8;
const MOST = 40;
const NOISE = 2 ** -50;

type Values = Pick<CoordinateTarget, "value" | "l1" | "l2" | "lower" | "upper" | "residual" | "moved">;

/**
 * Makes a partial derivative and an exact coordinate minimiser from the values of a target.
 *
 * partial: (f(x + h e_j) − f(x − h e_j)) / 2h with h = ε^⅓ max(1, |x_j|), shortened on one side by a nearby bound. The
 * error is about h² f''' + ε f/h, i.e. 1e-10 for numbers of size 1. minimiser: uses that derivative to go downhill,
 * brackets the minimum, and then applies Brent's method to F. The minimiser also compares the values at 0 (where F has
 * a kink) and at the bound, and never moves to a higher value. With values alone, a minimum can be located only to
 * about √ε times the scale of the curvature. 10 to 40 values per move.
 */
export function byValues(target: Values): Required<Pick<CoordinateTarget, "partial" | "minimiser">> {
  const { l1, l2, lower, upper } = target;
  return {
    partial(x, j, residual) {
      const f = along(target, x, j, residual);
      const h = STEP * Math.max(1, Math.abs(x[j]));
      const low = Math.max(lower[j], x[j] - h);
      const high = Math.min(upper[j], x[j] + h);
      return low < high ? (f(high) - f(low)) / (high - low) : 0;
    },
    minimiser(x, j, residual) {
      const f = along(target, x, j, residual);
      const F = (u: number) => (u >= lower[j] && u <= upper[j] ? f(u) + l1[j] * Math.abs(u) + (l2[j] / 2) * u * u : Infinity);
      return least(F, x[j], { lower: lower[j], upper: upper[j], kink: l1[j] > 0 });
    },
  };
}

function least(F: (u: number) => number, here: number, { lower, upper, kink }: { lower: number; upper: number; kink: boolean }) {
  const valueHere = F(here);
  const size = Math.max(1, Math.abs(here));
  const h = STEP * size;
  const [left, right] = [F(here - h), F(here + h)];
  const sign = right < left ? 1 : -1;
  const end = sign > 0 ? upper : lower;
  const curvature = (left - 2 * valueHere + right) / (h * h);
  const newton = Math.abs(right - left) / (2 * h * curvature);
  const guess = Math.min(newton > 0 ? newton : 0.1 * size, Math.abs(end - here));
  let best = { u: here, value: valueHere };
  if (guess > TOLERANCE * size) {
    const line = (t: number) => F(here + sign * t);
    const found = minimiseLine(line, valueHere, guess, { tolerance: TOLERANCE, maxEvaluations: MOST });
    best = { u: here + sign * found.stepSize, value: found.loss };
  }
  if (Number.isFinite(end) && F(end) <= best.value) best = { u: end, value: F(end) };
  // So close to a kink, values differ only by rounding.
  const rounding = Math.abs(best.u) <= TOLERANCE ? NOISE * Math.abs(best.value) : 0;
  if (kink && F(0) <= best.value + rounding) return 0;
  return best.u;
}

/** Returns f as a function of x_j alone. */
function along(target: Values, x: Float64Array, j: number, residual: Float64Array): (u: number) => number {
  const point = x.slice();
  return (u) => {
    point[j] = u;
    return target.value(point, target.residual ? target.residual(point) : residual);
  };
}
