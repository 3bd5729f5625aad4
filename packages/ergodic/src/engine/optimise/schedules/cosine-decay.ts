import { add, cos, min, mul, sub } from "../../compiler/index.ts";
import { schedule } from "../schedule.ts";

/**
 * η_t = η₁ + (η − η₁)(1 + cos(π min(t − 1, n)/n))/2: decreases from η to η₁ along half a cosine.
 *
 * `rate`: η > 0 (0.01); `updates`: n > 0 (10,000); `final`: η₁ >= 0 (0).
 */
export const cosineDecay = schedule(
  "cosineDecay",
  {
    /** First rate η, > 0. */
    rate: 0.01,
    /** Number n of updates until the last rate is reached, > 0. */
    updates: 10_000,
    /** Last rate η₁, >= 0. */
    final: 0,
  },
  { rate: { low: 0, open: true }, updates: { low: 0, open: true }, final: { low: 0 } },
  ({ rate, updates, final }, t) =>
    add(final, mul((rate - final) / 2, add(1, cos(mul(Math.PI / updates, min(sub(t, 1), updates)))))),
);
