/**
 * Places where code of a page runs: the main thread or a worker, with or without the headers that permit shared memory.
 */
import { isSlow } from "../power.ts";

export const places = [
  { thread: "worker", isolated: true },
  { thread: "worker", isolated: false },
  { thread: "page", isolated: true },
  { thread: "page", isolated: false },
] as const;

/** All places in `npm run test:slow`. In `npm test`, two places that differ in both respects. */
export const somePlaces = isSlow ? places : [places[0], places[3]];
