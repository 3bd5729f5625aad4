import { inOrder, type Schedule } from "./schedule.ts";

/** One variable after another, in their order. */
export const sequential: Schedule = {
  name: "sequential",
  words: "sequential Gibbs",
  visits: (columns) => inOrder(columns, false),
};
