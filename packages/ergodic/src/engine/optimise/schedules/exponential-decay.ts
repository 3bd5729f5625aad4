import { mul, pow, sub } from "../../compiler/index.ts";
import { schedule } from "../schedule.ts";

/**
 * η_t = η f^(t − 1): the rate is multiplied by f at every update.
 *
 * `rate`: η > 0 (0.01); `factor`: f > 0 (0.999).
 */
export const exponentialDecay = schedule(
  "exponentialDecay",
  {
    /** First rate η, > 0. */
    rate: 0.01,
    /** Factor f of the rate per update, > 0. */
    factor: 0.999,
  },
  { rate: { low: 0, open: true }, factor: { low: 0, open: true } },
  ({ rate, factor }, t) => mul(rate, pow(factor, sub(t, 1))),
);
