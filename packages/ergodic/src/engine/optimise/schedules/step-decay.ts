import { div, floor, mul, pow, sub } from "../../compiler/index.ts";
import { schedule } from "../schedule.ts";

/**
 * η_t = η f^⌊(t − 1)/n⌋: the rate is multiplied by f every n updates.
 *
 * `rate`: η > 0 (0.01); `every`: n, a whole number of updates >= 1 (1000); `factor`: f > 0 (0.5).
 */
export const stepDecay = schedule(
  "stepDecay",
  {
    /** First rate η, > 0. */
    rate: 0.01,
    /** Number n of updates between two reductions, a whole number >= 1. */
    every: 1000,
    /** Factor f of each reduction, > 0. */
    factor: 0.5,
  },
  { rate: { low: 0, open: true }, every: { low: 0, open: true, integer: true }, factor: { low: 0, open: true } },
  ({ rate, every, factor }, t) => mul(rate, pow(factor, floor(div(sub(t, 1), every)))),
);
