import { add, min, mul, sub } from "../../compiler/index.ts";
import { isSchedule, schedule } from "../schedule.ts";

/**
 * η_t = (c + (1 − c) min(t − 1, n)/n) · η: rises linearly from c η to η over n updates.
 *
 * `rate`: η, a number > 0 (0.01) or another schedule, which is not shifted; `updates`: n > 0 (1000); `from`: c in [0,
 * 1] (0.1).
 */
export const warmUp = schedule(
  "warmUp",
  {
    /** Rate η after the rise, > 0; or a schedule. */
    rate: 0.01,
    /** Number n of updates of the rise, > 0. */
    updates: 1000,
    /** First rate relative to η, in [0, 1]. */
    from: 0.1,
  },
  { rate: { low: 0, open: true }, updates: { low: 0, open: true }, from: { low: 0, high: 1 } },
  ({ rate, updates, from }, t) => {
    const factor = add(from, mul((1 - from) / updates, min(sub(t, 1), updates)));
    return mul(factor, isSchedule(rate) ? rate.value(t) : rate);
  },
  ["rate"],
);
