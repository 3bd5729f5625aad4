import { inOrder, type Schedule } from "./schedule.ts";

/** Each visit draws a random variable. A sweep has as many visits as there are variables. Reversible. */
export const randomScan: Schedule = {
  name: "random",
  words: "random-scan Gibbs",
  random: true,
  visits: (columns) => inOrder(columns, false),
};
