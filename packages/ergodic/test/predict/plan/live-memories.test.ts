/**
 * The number of memories at a time is limited. The least recently used ones are evicted, once for each time that they
 * were made.
 */
import { expect, it } from "vitest";
import { MemoryLimitError } from "../../../src/engine/errors/errors.ts";
import { forgetMemory, type HasMemory, madeMemory, noteMemory } from "../../../src/predict/plan/live-memories.ts";

/** A named plan that records its eviction. */
function holder(name: string, told: string[]): { plan: HasMemory; reference: WeakRef<HasMemory> } {
  const plan = { giveUp: () => void told.push(name) };
  return { plan, reference: new WeakRef<HasMemory>(plan) };
}

/** Fails once for lack of address space and then returns `made`. */
function scarce<T>(made: T): () => T {
  let refused = false;
  return () => {
    if (refused) return made;
    refused = true;
    throw new MemoryLimitError("engine", "no more address space", "MEMORY_LIMIT");
  };
}

it("evicts the least recently used memory beyond 256", () => {
  const told: string[] = [];
  const all = Array.from({ length: 256 }, (_, i) => holder(String(i), told));
  for (const { reference } of all) noteMemory(reference);
  noteMemory(all[0].reference);
  expect(madeMemory(() => "made")).toBe("made");
  expect(told).toEqual(["1"]);
  // There is space for one more.
  madeMemory(() => "made");
  expect(told).toEqual(["1"]);
  forgetMemory(all[2].reference);
  noteMemory(all[1].reference);
  noteMemory(holder("another", told).reference);
  madeMemory(() => "made");
  expect(told).toEqual(["1", "3"]);
  for (const { reference } of all) forgetMemory(reference);
  expect(all.every(({ plan }) => plan !== undefined)).toBe(true);
});

it("evicts a holder again after it gets new memory, even the most recently used", () => {
  const told: string[] = [];
  const [one, two] = [holder("one", told), holder("two", told)];
  for (let round = 1; round <= 3; round++) {
    for (const { reference } of [one, two]) noteMemory(reference);
    told.length = 0;
    expect(madeMemory(scarce(round))).toBe(round);
    expect(told.filter((name) => name !== "another")).toEqual(["one", "two"]);
    // The next round starts with the most recently used memory.
    noteMemory(two.reference);
    told.length = 0;
    madeMemory(scarce(round));
    expect(told).toEqual(["two"]);
  }
  expect([one.plan, two.plan]).not.toContain(undefined);
});

it("rethrows other errors without eviction", () => {
  const told: string[] = [];
  const { plan, reference } = holder("one", told);
  noteMemory(reference);
  expect(() =>
    madeMemory(() => {
      throw new RangeError("another");
    }),
  ).toThrow(RangeError);
  expect(told).toEqual([]);
  forgetMemory(reference);
  expect(plan).toBeDefined();
});
