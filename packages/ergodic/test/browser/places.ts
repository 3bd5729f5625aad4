/** Where code of a page runs: on its own thread or in a worker, with the headers that permit shared memory and without them. */
import { isSlow } from "../power.ts";

export const places = [
  { thread: "worker", isolated: true },
  { thread: "worker", isolated: false },
  { thread: "page", isolated: true },
  { thread: "page", isolated: false },
] as const;

/** All places in `npm run test:slow`; in `npm test` two, which differ in both respects. */
export const somePlaces = isSlow ? places : [places[0], places[3]];
