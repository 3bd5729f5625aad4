/**
 * Places where code of a page runs: the main thread or a worker, with or without the headers that permit shared memory.
 */
export const places = [
  { thread: "worker", isolated: true },
  { thread: "worker", isolated: false },
  { thread: "page", isolated: true },
  { thread: "page", isolated: false },
] as const;
