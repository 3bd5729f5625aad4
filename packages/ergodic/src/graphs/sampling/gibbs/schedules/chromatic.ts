import { colouring } from "../colours.ts";
import type { Schedule, Stretch } from "./schedule.ts";

/** Variables of a colour are shared among workers from so many on: below, waiting for each other takes longer. */
const SHARED = 8192;

/**
 * One colour after another: no factor has two variables of a colour, so that those of one can be drawn at the same time, with the outcome of one after
 * another. Exact, and the same at any number of workers. Source: Gonzalez, Low, Gretton and Guestrin 2011.
 */
export const chromatic: Schedule = {
  name: "chromatic",
  words: "chromatic Gibbs",
  *visits(columns) {
    const { order, ends } = yield* colouring(columns);
    return { order, stretches: stretchesOf(ends, 0) };
  },
};

/** Stretches of colours that end there, from a position on: small ones that follow each other are one, which nobody shares. */
export function stretchesOf(ends: readonly number[], first: number): Stretch[] {
  const stretches: Stretch[] = [];
  let from = first;
  for (const end of ends) {
    const to = first + end;
    if (to === from) continue;
    const before = stretches.at(-1);
    const shared = to - from >= SHARED;
    if (before && !shared && !before.shared) stretches[stretches.length - 1] = { ...before, to };
    else stretches.push({ from, to, shared });
    from = to;
  }
  return stretches;
}
