import { colouring } from "../colours.ts";
import type { Schedule, Stretch } from "./schedule.ts";

/**
 * Smallest colour that is shared among workers. For smaller colours, synchronisation would cost more time than the
 * sharing saves.
 */
const SHARED = 8192;

/**
 * Draws one colour after another. No factor has two variables of the same colour, so drawing them simultaneously gives
 * the same result as drawing them in turn. The result is exact and independent of the number of workers. Source:
 * Gonzalez, Low, Gretton and Guestrin 2011.
 */
export const chromatic: Schedule = {
  name: "chromatic",
  words: "chromatic Gibbs",
  *visits(columns) {
    const { order, ends } = yield* colouring(columns);
    return { order, stretches: stretchesOf(ends, 0) };
  },
};

/**
 * Converts colours to stretches, starting at position `first`. Consecutive small colours are merged into one stretch,
 * which is not shared among workers.
 */
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
