import { blocking } from "../blocking.ts";
import { stretchesOf } from "./chromatic.ts";
import type { Schedule } from "./schedule.ts";

/**
 * A colour is shared among workers only if each of its blocks contains at most this share of the colour's variables.
 */
const SMALL = 1 / 8;

/**
 * Draws blocks of variables jointly given all others: trees, small junction trees, and groups linked by zeros. Blocks
 * of a colour share no factor. The result is exact and independent of the number of workers. A change can therefore
 * spread through a whole block in one sweep. Sources: Jensen, Kjærulff and Kong 1995; Hamze and de Freitas 2004.
 */
export const blocks: Schedule = {
  name: "blocks",
  words: "block Gibbs",
  *visits(columns) {
    const found = yield* blocking(columns);
    const { order, ends, colours } = found;
    let block = 0;
    const stretches = stretchesOf(colours, 0).map((stretch) => {
      let largest = 0;
      for (; block < ends.length && ends[block] <= stretch.to; block++)
        largest = Math.max(largest, ends[block] - (block === 0 ? 0 : ends[block - 1]));
      return { ...stretch, shared: stretch.shared && largest <= SMALL * (stretch.to - stretch.from) };
    });
    return { order, stretches, blocks: found };
  },
};
