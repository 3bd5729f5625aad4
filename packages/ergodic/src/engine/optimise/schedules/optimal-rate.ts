import { add, div, mul } from "../../compiler/index.ts";
import { schedule } from "../schedule.ts";

/**
 * η_t = 1 / (α(t₀ + t − 1)), Bottou's choice for an α-strongly convex objective.
 *
 * `alpha`: α > 0 (1e-4); `offset`: t₀ >= 0 (0, which means scikit-learn's 1/(α √(1/√α)), for losses of slope at most
 * 1).
 */
export const optimalRate = schedule(
  "optimalRate",
  {
    /** Convexity α of the objective, > 0. */
    alpha: 1e-4,
    /** Offset t₀ of the number of the update, >= 0; 0 means 1/(α √(1/√α)). */
    offset: 0,
  },
  { alpha: { low: 0, open: true }, offset: { low: 0 } },
  ({ alpha, offset }, t) => {
    const start = offset || 1 / (alpha * Math.sqrt(1 / Math.sqrt(alpha)));
    return div(1, mul(alpha, add(start - 1, t)));
  },
);
