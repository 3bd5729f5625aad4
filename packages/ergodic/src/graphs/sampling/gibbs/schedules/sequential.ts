import { inOrder, type Schedule } from "./schedule.ts";

/** Visits one variable after another, in ascending order. */
export const sequential: Schedule = {
  name: "sequential",
  words: "sequential Gibbs",
  visits: (columns) => inOrder(columns, false),
};
