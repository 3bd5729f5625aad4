import { exp } from "../../engine/numbers/exp.ts";

/** Reason why there is no best temperature. */
export type NoTemperature = "right" | "chance" | "flat";

/**
 * Temperature scaling: returns the T > 0 with the smallest log loss Σ_i w_i (log Σ_k exp(ℓ_ik/T) − ℓ_iy/T). T is as
 * precise as the computed sign of the slope allows.
 *
 * ℓ: float64[rows × classes], log probabilities up to a constant per row; y: class indices; w: weights, or null if all
 * are 1.
 * The loss is convex in β = 1/T, and its slope is g(β) = Σ_i w_i (E_β[ℓ_i] − ℓ_iy). The best β is the root of g. β is
 * first bracketed between two powers of 2, then found by bisection. If g(0) ≥ 0, there is no root above 0, and the
 * model is no better than chance. If the true class is the most probable class in every row of positive weight, there
 * is no finite root. Source: Guo, Pleiss, Sun, Weinberger 2017.
 */
export function temperatureOf(
  l: Float64Array,
  y: ArrayLike<number>,
  w: ArrayLike<number> | null,
  classes: number,
): number | NoTemperature {
  // ℓ_ik − ℓ_iy, or 0 for rows of weight 0.
  const margins = l.slice();
  let differs = false;
  let isWrong = false;
  for (let i = 0; i < y.length; i++) {
    const own = l[i * classes + y[i]];
    for (let k = i * classes; k < (i + 1) * classes; k++) {
      margins[k] = w && w[i] === 0 ? 0 : l[k] - own;
      differs ||= margins[k] !== 0;
      isWrong ||= margins[k] > 0;
    }
  }
  if (!differs) return "flat";
  const slope = (beta: number): number => {
    let sum = 0;
    for (let i = 0; i < y.length; i++) sum += (w ? w[i] : 1) * meanMargin(margins, i * classes, classes, beta);
    return sum;
  };
  if (slope(0) >= 0) return "chance";
  if (!isWrong) return "right";
  let high = 1;
  while (slope(high) < 0) high *= 2;
  while (slope(high / 2) >= 0) high /= 2;
  let low = high / 2;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) return 1 / high;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
}

/** Σ_k m_k softmax(β m)_k of one row. */
function meanMargin(margins: Float64Array, from: number, classes: number, beta: number): number {
  let top = -Infinity;
  for (let k = from; k < from + classes; k++) top = Math.max(top, margins[k]);
  let total = 0;
  let sum = 0;
  for (let k = from; k < from + classes; k++) {
    const share = exp(beta * (margins[k] - top));
    total += share;
    sum += share * margins[k];
  }
  return sum / total;
}
