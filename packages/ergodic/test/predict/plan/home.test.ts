/**
 * Batches of a plan in memory: programs of many sizes are stored, their workspace is shared, and everything is freed.
 */
import { describe, expect, it, vi } from "vitest";
import { Arena } from "../../../src/engine/memory/arena.ts";
import type { ArrayPlan, PlanCount } from "../../../src/engine/memory/array-plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { buffersOf } from "../../../src/predict/plan/buffers.ts";
import { PlanPrograms } from "../../../src/predict/plan/checked-programs.ts";
import { batchesBytes, KEPT, PlanHome, type PlanParts } from "../../../src/predict/plan/home.ts";
import { NetworkPlan } from "../../../src/predict/plan/network-plan.ts";
import { savedPlans } from "../plans.ts";

const engine = await openEngine();
const CHUNK = 64;

/**
 * Sets z to 0 through a workspace of the same size. The `unused` extra values each have an entry in the program's
 * table.
 */
function partsOf({ size = { B: 8, plus: 0 }, unused = 0 }: { size?: PlanCount; unused?: number } = {}): PlanParts {
  const plan: ArrayPlan = {
    version: 1,
    precision: "f64",
    values: [
      { size: { B: 8, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } },
      { size, home: { kind: "workspace" } },
      ...new Array(unused).fill({ size: 1, home: { kind: "workspace" } }),
    ],
    steps: [
      { kind: "zero", value: 1 },
      { kind: "zero", value: 0 },
    ],
  };
  const known = { plan, buffers: buffersOf(plan), where: "test" };
  const programs = new PlanPrograms({ ...known, maxWork: Infinity });
  return { ...known, programs, numbers: {}, chunk: CHUNK, deterministic: true };
}

const sizes = Array.from({ length: CHUNK }, (_, i) => i + 1);

it("keeps the program of every batch size if programs are small", () => {
  using home = new PlanHome(engine, partsOf());
  const made = sizes.map((rows) => home.batch(rows));
  for (const rows of sizes) expect(home.batch(rows), `${rows} rows`).toBe(made[rows - 1]);
});

it("keeps the chunk's program and the latest others if programs are large, and evicts the oldest", () => {
  using home = new PlanHome(engine, partsOf({ unused: 5000 }));
  const made = new Map([CHUNK, 1, 2, 3].map((rows) => [rows, home.batch(rows)]));
  expect(made.size).toBe(KEPT);
  for (let rows = 4; rows < 20; rows++) {
    made.set(rows, home.batch(rows));
    for (const kept of [CHUNK, rows - 2, rows - 1, rows]) expect(home.batch(kept), `${kept} of ${rows}`).toBe(made.get(kept));
  }
  expect(home.batch(1)).not.toBe(made.get(1));
});

it("uses at most the reported memory for all batch sizes, less than three times the largest batch", () => {
  const parts = partsOf();
  const before = engine.memory.usedBytes;
  using home = new PlanHome(engine, parts);
  home.batch(1);
  expect(engine.memory.usedBytes - before).toBeLessThanOrEqual(5 * 64);
  for (const rows of sizes) home.batch(rows);
  const taken = engine.memory.usedBytes - before;
  expect(taken).toBeLessThanOrEqual(batchesBytes(parts));
  expect(batchesBytes(parts)).toBeLessThanOrEqual(3.1 * CHUNK * 16 * 8);
  for (const rows of sizes) home.batch(rows);
  expect(engine.memory.usedBytes - before).toBe(taken);
});

it("shares one workspace among batches up to the chunk, and among those up to each halving of it", () => {
  for (const [chunk, halves] of [
    [48, [48, 24, 12, 6, 3, 1]],
    [33, [33, 16, 8, 4, 2, 1]],
    [1, [1]],
  ] as const) {
    const parts = { ...partsOf(), chunk };
    const before = engine.memory.usedBytes;
    using home = new PlanHome(engine, parts);
    const places = Array.from({ length: chunk }, (_, i) => home.batch(i + 1).at.get("z")!);
    const room = (rows: number): number => Math.min(...halves.filter((half) => half >= rows));
    expect(places).toEqual(places.map((_, i) => places[room(i + 1) - 1]));
    expect(new Set(places).size).toBe(halves.length);
    expect(engine.memory.usedBytes - before).toBeLessThanOrEqual(batchesBytes(parts));
  }
});

it("continues with existing programs if memory runs out for a larger batch", () => {
  const { plan, numbers } = savedPlans.images;
  const size = 6 * 6 * 2;
  const x = Float64Array.from({ length: size * 64 }, (_, i) => Math.sin(i));
  using network = new NetworkPlan(engine, plan, numbers);
  const wanted = network.run({ x: x.subarray(0, size) }, 1);
  const all = new NetworkPlan(engine, plan, numbers, { apart: true }).run({ x }, 64);
  let failures = 0;
  for (let enough = 0, isFull = true; isFull; enough++) {
    const { take } = Arena.prototype;
    let left = enough;
    const taking = vi.spyOn(Arena.prototype, "take").mockImplementation(function (this: Arena, bytes: number) {
      if (left-- <= 0) throw new Error("full");
      return take.call(this, bytes);
    });
    try {
      expect(network.run({ x }, 64)).toEqual(all);
      isFull = false;
    } catch (error) {
      expect(String(error)).toContain("full");
      failures++;
    } finally {
      taking.mockRestore();
    }
    // Freed memory can belong to other owners.
    const others = Array.from({ length: 300 }, () => engine.memory.allocate(64, "others"));
    for (const { pointer } of others) engine.memory.u8(pointer, 64).fill(7);
    expect(network.run({ x: x.subarray(0, size) }, 1)).toEqual(wanted);
    expect(others.every(({ pointer }) => engine.memory.u8(pointer, 64).every((byte) => byte === 7))).toBe(true);
    for (const other of others) other.dispose();
  }
  expect(failures).toBeGreaterThan(3);
});

it.each([0, 5000])("frees evicted programs, and everything at the end (%i unused values)", (unused) => {
  const before = engine.memory.usedBytes;
  const home = new PlanHome(engine, partsOf({ unused }));
  const few: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (const rows of [CHUNK, 1, 2, 3, 4, 5]) home.batch(rows);
    few.push(engine.memory.usedBytes);
  }
  expect(new Set(few).size).toBe(1);
  home.dispose();
  expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
});

it("frees its own and all batch memory with its owner, or on dispose without an owner", () => {
  const owned = vi.spyOn(Arena.prototype, "ownedBy");
  try {
    const owner = {};
    const before = engine.memory.usedBytes;
    using home = new PlanHome(engine, partsOf(), owner);
    for (const rows of [CHUNK, 3, 1]) home.batch(rows);
    for (const [given] of owned.mock.calls) expect(given).toBe(owner);
    expect(engine.memory.usedBytes).toBeGreaterThan(before);
    for (const arena of owned.mock.contexts as Arena[]) arena.dispose();
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    const count = owned.mock.calls.length;
    using free = new PlanHome(engine, partsOf());
    free.batch(CHUNK);
    expect(owned).toHaveBeenCalledTimes(count);
  } finally {
    owned.mockRestore();
  }
});

it("refuses a value that is larger for fewer rows, because it would not fit", () => {
  using home = new PlanHome(engine, partsOf({ size: { B: -1, plus: 100 } }));
  const before = engine.memory.usedBytes;
  expect(() => home.batch(63)).toThrow("has a value of 37 numbers, and of 36 for more rows; the file is damaged");
  home.batch(64);
  expect(() => home.batch(1)).not.toThrow();
  home.dispose();
  expect(engine.memory.usedBytes).toBeLessThan(before + 1);
});

describe("batches of any size in sequence, compared with a batch alone", () => {
  it.each(Object.keys(savedPlans))("have the same bits: %s", (name) => {
    const { plan, numbers } = savedPlans[name];
    const random = (i: number): number => Math.sin(12.9898 * i) * 2;
    const inputsOf = (network: NetworkPlan, rows: number) =>
      Object.fromEntries(
        network.inputs.map((input) => [
          input,
          Float64Array.from({ length: rows * network.rowSize(input) }, (_, i) => random(i + rows)),
        ]),
      );
    for (const apart of [true, false]) {
      using network = new NetworkPlan(engine, plan, numbers, { apart });
      const order = [5, 64, 1, 7, 2, 33, 3, 64, 1, 31, 5, 8, 1];
      for (const rows of order) {
        using alone = new NetworkPlan(engine, plan, numbers, { apart: true });
        const inputs = inputsOf(network, rows);
        expect(network.run(inputs, rows), `${rows} rows`).toEqual(alone.run(inputs, rows));
      }
    }
  });
});

it("the predicted memory excludes parameters, which the file holds, and includes a row's answer in float64", () => {
  const told = (width: number, parameter: number): number => {
    const access = { value: 1, offset: 0, strides: [0] };
    const plan = {
      ...{ version: 1, precision: "f32" },
      values: [
        { size: { B: width, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } },
        { size: parameter, home: { kind: "buffer", name: "w", offset: 0 } },
      ],
      steps: [
        {
          ...{ kind: "loop", shape: [1], loads: [access], constants: [], operations: [], reductions: [] },
          stores: [{ to: { ...access, value: 0 }, from: 0 }],
        },
      ],
    } as unknown as ArrayPlan;
    const buffers = buffersOf(plan);
    const programs = new PlanPrograms({ plan, buffers, maxWork: Infinity, where: "test" });
    return batchesBytes({ plan, buffers, programs, chunk: 1, where: "test" });
  };
  expect(told(1000, 5000)).toBe(told(1000, 1));
  expect(told(2000, 1) - told(1000, 1)).toBe(1000 * (4 + 8));
});
