import { inOrder, type Schedule } from "./schedule.ts";

/**
 * Workers draw variables of one chain at the same time, each a part of them, without waiting for each other: what one reads may be what another is about to
 * change. Biased, by how much nobody knows, and different each time. Source: Johnson, Saunderson and Willsky 2013; De Sa, Olukotun and Ré 2016.
 */
export const hogwild: Schedule = {
  name: "hogwild",
  words: "Hogwild Gibbs",
  biased: "workers race, which biases what they draw",
  visits: (columns) => inOrder(columns, true),
};
