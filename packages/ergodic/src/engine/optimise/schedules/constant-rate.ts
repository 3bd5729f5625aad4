import { constant } from "../../compiler/index.ts";
import { schedule } from "../schedule.ts";

/** The same rate throughout: η_t = η. `rate`: η > 0, default 0.01. */
export const constantRate = schedule(
  "constantRate",
  {
    /** Rate η of every update, > 0. */
    rate: 0.01,
  },
  { rate: { low: 0, open: true } },
  ({ rate }) => constant(rate),
);
