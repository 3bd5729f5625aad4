import { add, div, mul, pow, sub } from "../../compiler/index.ts";
import { schedule } from "../schedule.ts";

/**
 * η_t = η / (1 + d(t − 1))^a; a = 1 and d = 1 gives the textbook rate 1/t.
 *
 * `rate`: η > 0 (0.01); `decay`: d >= 0 (1); `power`: a >= 0 (1).
 */
export const inverseTimeDecay = schedule(
  "inverseTimeDecay",
  {
    /** First rate η, > 0. */
    rate: 0.01,
    /** Decay d per update, >= 0. */
    decay: 1,
    /** Exponent a of the decay, >= 0. */
    power: 1,
  },
  { rate: { low: 0, open: true }, decay: { low: 0 }, power: { low: 0 } },
  ({ rate, decay, power }, t) => {
    const growth = add(1, mul(decay, sub(t, 1)));
    return div(rate, power === 1 ? growth : pow(growth, power));
  },
);
