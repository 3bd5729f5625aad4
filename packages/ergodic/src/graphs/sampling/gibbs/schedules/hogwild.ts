import { inOrder, type Schedule } from "./schedule.ts";

/**
 * Workers draw different variables of the same chain simultaneously, without synchronisation. A worker can therefore
 * read a state that another worker is about to change. The result is biased by an unknown amount and differs between
 * runs. Source: Johnson, Saunderson and Willsky 2013; De Sa, Olukotun and Ré 2016.
 */
export const hogwild: Schedule = {
  name: "hogwild",
  words: "Hogwild Gibbs",
  biased: "workers race, which biases what they draw",
  visits: (columns) => inOrder(columns, true),
};
