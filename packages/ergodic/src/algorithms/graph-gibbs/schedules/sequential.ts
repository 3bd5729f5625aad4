import { type Schedule, unobserved } from "./schedule.ts";

/** One variable after another, in their order. */
export const sequential: Schedule = {
  name: "sequential",
  words: "sequential Gibbs",
  visits: (columns) => {
    const order = unobserved(columns);
    return { order, stretches: [{ from: 0, to: order.length, shared: false }] };
  },
};
