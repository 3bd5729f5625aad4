/** The kernels for ladders of bit replicas, compared with plain twins: lengths 0 to 17 and longer ones. */
import { afterAll, expect, test } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import type { Allocation } from "../../../../src/engine/memory/memory.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { bitOf, countsOf, traded } from "../../../reference/replica-exchange.ts";

const engine = await openEngine({ families: ["graphs"] });
const { memory } = engine;
const held: Allocation[] = [];
afterAll(() => {
  for (const piece of held) piece.dispose();
});
const allocate = (bytes: number): number => {
  held.push(memory.allocate(Math.max(8, bytes), "test"));
  return held[held.length - 1].pointer;
};
const draws = stream(5, "replica ladder").at(0);
/** Random words, some of which are all 0 or all 1. */
const words = (count: number): Uint32Array =>
  Uint32Array.from({ length: 2 * count }, () => [0, 0xffffffff, draws.bits(), draws.bits()][draws.integer(4)]);
const lengths = [...Array.from({ length: 18 }, (_, n) => n), 33, 300, 1030];

test("counts terms in each replica", () => {
  for (const count of lengths) {
    const states = words(40);
    const pointer = allocate(4 * states.length + 8);
    memory.u32(pointer, states.length).set(states);
    memory.u32(pointer + 4 * states.length, 2).fill(0);
    const terms = Array.from({ length: count }, () => [draws.integer(40), draws.integer(40)] as const);
    const padded = terms.flatMap(([a, b]) => [8 * a, 8 * b]);
    while (padded.length % 8 > 0) padded.push(8 * 40);
    const places = allocate(4 * padded.length);
    memory.u32(places, padded.length).set(padded);
    const counts = allocate(256);
    memory.u32(counts, 64).fill(77);
    engine.kernel("graphReplicaCounts", false)(pointer, places, padded.length / 2, counts);
    expect([...memory.u32(counts, 64)]).toEqual(countsOf(states, terms));
  }
});

test("swaps states between replicas of a set only", () => {
  for (const count of lengths) {
    const [a, b] = [words(count), words(count)];
    const [first, second] = [allocate(8 * count + 8), allocate(8 * count + 8)];
    for (const [pointer, own] of [
      [first, a],
      [second, b],
    ] as const) {
      memory.u32(pointer, own.length + 2).fill(9);
      memory.u32(pointer, own.length).set(own);
    }
    const replicas = new Set(Array.from({ length: 64 }, (_, r) => r).filter(() => draws.uniform() < 0.4));
    const mask = [0, 0];
    for (const r of replicas) mask[r >> 5] |= 1 << (r & 31);
    engine.kernel("graphReplicaTrade", false)(first, second, count, mask[0], mask[1]);
    expect([memory.u32(first, 2 * count), memory.u32(second, 2 * count)].map((own) => [...own])).toEqual(traded(a, b, replicas));
    expect([...memory.u32(first + 8 * count, 2)]).toEqual([9, 9]);
  }
});

test("counts ones by word and replica, and empties the counters after 255 additions", () => {
  for (const count of [0, 1, 2, 17]) {
    const [pointer, tally, sums] = [allocate(8 * count), allocate(64 * count), allocate(256 * count)];
    memory.u8(tally, 64 * count).fill(0);
    memory.u32(sums, 64 * count).fill(3);
    const wanted = new Array<number>(64 * count).fill(3);
    for (const times of [255, 1, 40]) {
      for (let k = 0; k < times; k++) {
        // The first time, all replicas contain only ones, which fills the counters.
        const own = times === 255 ? new Uint32Array(2 * count).fill(0xffffffff) : words(count);
        memory.u32(pointer, own.length).set(own);
        engine.kernel("graphReplicaOnes", false)(pointer, count, tally);
        for (let at = 0; at < wanted.length; at++) wanted[at] += bitOf(own, at >> 6, at & 63);
      }
      engine.kernel("graphReplicaEmpty", false)(tally, count, sums);
      expect(memory.u8(tally, 64 * count).every((byte) => byte === 0)).toBe(true);
    }
    expect([...memory.u32(sums, 64 * count)]).toEqual(wanted);
  }
});
