/** Batches of a plan in memory: the chunk's and the last few sizes are kept, others give back what they took. */
import { expect, it, vi } from "vitest";
import { Arena } from "../../src/host/arena.ts";
import type { ArrayPlan } from "../../src/host/array-plan.ts";
import { openEngine } from "../../src/host/engine.ts";
import { buffersOf } from "../../src/predict/plan-buffers.ts";
import { KEPT, PlanHome, type PlanParts } from "../../src/predict/plan-home.ts";

const engine = await openEngine();
const CHUNK = 64;
/** z = 0 of each row, by way of as much memory. */
const plan: ArrayPlan = {
  version: 1,
  precision: "f64",
  values: [
    { size: { B: 8, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } },
    { size: { B: 8, plus: 0 }, home: { kind: "workspace" } },
  ],
  steps: [
    { kind: "zero", value: 1 },
    { kind: "zero", value: 0 },
  ],
};
const parts: PlanParts = {
  ...{ plan, buffers: buffersOf(plan), numbers: {}, chunk: CHUNK, maxWork: Infinity },
  ...{ deterministic: true, where: "test" },
};

it("keeps the chunk's batch and the last other sizes, the oldest of which goes first", () => {
  using home = new PlanHome(engine, parts);
  const made = new Map([CHUNK, 1, 2, 3].map((rows) => [rows, home.batch(rows)]));
  expect(made.size).toBe(KEPT);
  for (let rows = 4; rows < 20; rows++) {
    made.set(rows, home.batch(rows));
    for (const kept of [CHUNK, rows - 2, rows - 1, rows]) expect(home.batch(kept), `${kept} of ${rows}`).toBe(made.get(kept));
  }
  expect(home.batch(1)).not.toBe(made.get(1));
});

it("gives back what a batch took that is no longer kept, and all of it in the end", () => {
  const before = engine.memory.usedBytes;
  const home = new PlanHome(engine, parts);
  const few: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (const rows of [CHUNK, 1, 2, 3, 4, 5]) home.batch(rows);
    few.push(engine.memory.usedBytes);
  }
  expect(new Set(few).size).toBe(1);
  home.dispose();
  expect(engine.memory.usedBytes).toBe(before);
});

it("has an owner's end give back its own memory and that of every batch; without an owner that is for dispose to do", () => {
  const owned = vi.spyOn(Arena.prototype, "ownedBy");
  try {
    const owner = {};
    using home = new PlanHome(engine, parts, owner);
    expect(owned).toHaveBeenCalledTimes(1);
    for (const rows of [CHUNK, 3]) {
      const { arena } = home.batch(rows);
      expect(arena.bytes).toBeGreaterThan(0);
      expect(owned.mock.contexts.at(-1)).toBe(arena);
      expect(owned.mock.lastCall![0]).toBe(owner);
    }
    expect(owned).toHaveBeenCalledTimes(3);
    using free = new PlanHome(engine, parts);
    free.batch(CHUNK);
    expect(owned).toHaveBeenCalledTimes(3);
  } finally {
    owned.mockRestore();
  }
});
