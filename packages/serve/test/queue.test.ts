/** The position of a new request, computed from counts and compared with cases counted by hand. */
import { describe, expect, test } from "vitest";
import { Queue, type Waiting } from "../src/queue.ts";

const one = (rows: number, since = 0, priority = 5): Waiting => ({ rows, since, priority, deadline: Infinity });

/** Adds requests like a batcher without deadlines. */
function queueOf(limit: number, ageingMs: number, ...all: Waiting[]): Queue<Waiting> {
  const queue = new Queue<Waiting>(ageingMs);
  for (const each of all) queue.add(each, limit, queue.open(each, limit) !== undefined);
  return queue;
}
const placeIn = (queue: Queue<Waiting>, each: Waiting, limit: number) => queue.place(each, limit, queue.open(each, limit));

describe("position of a new request", () => {
  test("is behind full batches, in a batch with room, or in its own batch", () => {
    const queue = queueOf(10, 1000, one(6), one(4), one(3));
    expect(placeIn(queue, one(7), 10)).toEqual({ rows: 10, batches: 1, own: 10 });
    expect(placeIn(queue, one(8), 10)).toEqual({ rows: 13, batches: 2, own: 8 });
    expect(queue.place(one(1), 10, undefined)).toEqual({ rows: 13, batches: 2, own: 1 });
  });

  test("counts an oversized request as one batch, and splits waiting requests again if batches become smaller", () => {
    const queue = queueOf(10, 1000, one(35), one(10));
    expect(placeIn(queue, one(1), 10)).toEqual({ rows: 45, batches: 2, own: 1 });
    expect(placeIn(queue, one(1), 5)).toEqual({ rows: 45, batches: 4, own: 1 });
  });

  test("ignores requests that have left the queue", () => {
    const all = [one(6), one(4), one(3), one(9)];
    const queue = queueOf(10, 1000, ...all);
    for (const gone of [all[0], all[2], all[1]]) queue.remove(gone);
    expect(placeIn(queue, one(5), 10)).toEqual({ rows: 9, batches: 1, own: 5 });
    queue.remove(all[3]);
    expect([placeIn(queue, one(5), 10), queue.rows, queue.count, queue.head(), [...queue]]).toEqual([
      { rows: 0, batches: 0, own: 5 },
      0,
      0,
      undefined,
      [],
    ]);
  });

  test("is behind higher priorities, and behind lower ones that have waited long enough", () => {
    const waits = [one(10, 0, 2), ...[10, 20, 30, 40, 50].map((since) => one(10, since, 4))];
    const queue = queueOf(10, 100, ...waits);
    const behind = (now: number): number => placeIn(queue, one(1, now, 3), 10).rows;
    expect(behind(60)).toBe(10);
    expect(behind(110)).toBe(10);
    expect(behind(130)).toBeCloseTo(10 + 25, 9);
    expect(behind(150)).toBe(60);
    expect(placeIn(queue, one(1, 60, 1), 10)).toEqual({ rows: 0, batches: 0, own: 1 });
    expect(placeIn(queue, one(1, 60, 5), 10)).toEqual({ rows: 60, batches: 6, own: 1 });
  });
});
