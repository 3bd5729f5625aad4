/**
 * Leaves of trees with the quantile loss. Its second derivative is 0, so trees use the row weights instead, and each leaf
 * then takes the weighted quantile of the residuals of its rows. Source: Friedman 2001 (median), as in LightGBM.
 */

import type { Loss } from "../loss.ts";

/** Returns the probability τ of a quantile loss, or undefined for other losses. */
export const quantileOf = (loss: Loss): number | undefined => (loss.name === "quantile" ? loss.options.quantile : undefined);

/**
 * Returns a value v that minimises Σ w_i ρ_τ(r_i − v), where ρ_τ is the quantile loss. If an interval minimises it,
 * returns the middle of the interval, or its finite end. Rows of weight 0 do not count.
 */
export function weightedQuantile(residuals: Float64Array, weights: Float64Array, tau: number): number {
  const order = Uint32Array.from(residuals.keys()).filter((i) => weights[i] > 0);
  if (order.length === 0) return 0;
  order.sort((a, b) => residuals[a] - residuals[b] || a - b);
  let total = 0;
  for (const i of order) total += weights[i];
  const wanted = tau * total;
  let below = 0;
  for (let k = 0; k + 1 < order.length; k++) {
    below += weights[order[k]];
    if (below > wanted * (1 + ROUNDING)) return residuals[order[k]];
    if (below >= wanted * (1 - ROUNDING)) return residuals[order[k]] / 2 + residuals[order[k + 1]] / 2;
  }
  return residuals[order[order.length - 1]];
}

/** Sums of weights that differ by at most this share count as equal. */
const ROUNDING = 1e-12;
