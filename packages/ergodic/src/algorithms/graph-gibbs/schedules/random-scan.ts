import { type Schedule, unobserved } from "./schedule.ts";

/** Each visit is of a variable that is drawn at random; a sweep has as many visits as there are variables. Reversible. */
export const randomScan: Schedule = {
  name: "random",
  words: "random-scan Gibbs",
  random: true,
  visits: (columns) => {
    const order = unobserved(columns);
    return { order, stretches: [{ from: 0, to: order.length, shared: false }] };
  },
};
