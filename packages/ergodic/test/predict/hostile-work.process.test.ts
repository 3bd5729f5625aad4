/** Untrusted network files end, because their work and memory are known before anything runs. */
import { describe, expect, it } from "vitest";
import { DataError, MemoryLimitError, OptionError } from "../../src/engine/errors/errors.ts";
import { predictor } from "../../src/entries/everything.ts";
import { MAX_WORK } from "../../src/predict/limits.ts";
import { buffersOf } from "../../src/predict/plan/buffers.ts";
import { PlanPrograms } from "../../src/predict/plan/checked-programs.ts";
import { batchesBytes } from "../../src/predict/plan/home.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";
import { bytes, engine, gemm, number, opened, own, planOf, predicted, product, value, wanted, z } from "./hostile.ts";

describe("limits on work before execution", () => {
  const [most] = [2 ** 31 - 1];
  const call = product(1, 1, 1, value(1), value(1));
  const still = call.map(() => 0);
  const loop = (shape: readonly unknown[], at = 0) => ({
    ...{ kind: "loop", shape, loads: [], constants: ["1"], operations: [], reductions: [] },
    stores: [{ to: { value: at, offset: 0, strides: shape.map(() => 0) }, from: 0 }],
  });
  const scan = (length: number, body: object, kept: readonly number[] = []) => ({
    ...{ kind: "scan", length, reverse: false, body, carries: kept, over: [], constants: [] },
    ...{ current: kept, next: kept, outputs: [], histories: kept.map(() => null) },
  });
  const nothing = { values: [], steps: [] };
  const nested = (depth: number, length: number): object =>
    depth === 0
      ? { values: [own(1)], steps: [{ kind: "zero", value: 0 }] }
      : { values: [], steps: [scan(length, nested(depth - 1, length))] };
  const spec = (changed: Record<number, number>) =>
    Array.from({ length: 16 }, (_, i) => changed[i] ?? (i === 11 || i === 12 ? 0 : 1));
  const kernel = (name: string, args: readonly object[]) => ({
    kind: "kernel",
    calls: [{ kernel: name, args, repeat: [] }],
    result: 0,
  });
  const endless: Record<string, readonly object[]> = {
    "1e15 repetitions": [gemm(call, [{ count: 1e15, steps: still }])],
    "repetitions of nothing": [
      gemm(call, [
        { count: most, steps: still },
        { count: 0, steps: still },
      ]),
    ],
    "repetitions within repetitions": [gemm(call, new Array(6).fill({ count: 1000, steps: still }))],
    "a scan over 1e15": [scan(1e15, nested(0, 1))],
    "a scan over 2^31 − 1": [scan(most, nested(0, 1))],
    "scans within scans": [scan(1000, nested(5, 1000))],
    "a scan of nothing": [scan(2 ** 30, nothing)],
    "a scan of nothing, longer than what is counted": [scan(most, nothing)],
    "scans of nothing within scans": [scan(30_000, { values: [], steps: [scan(30_000, nothing)] })],
    "a loop of nothing, longer than what is counted": [{ ...loop([most]), stores: [] }],
    "loops of nothing, longer than what is counted": [{ ...loop([2 ** 15, 2 ** 15, 2]), stores: [] }],
    "loops of nothing": new Array(20).fill({ ...loop([2 ** 30]), stores: [] }),
    "loops over one element": [loop([most]), loop([most]), loop([most])],
    "a loop over one element, in tiny tiles": [loop([5e8, 2, 2])],
    "rows times rows": [
      loop([
        { B: 1, plus: 0 },
        { B: 1000, plus: 0 },
        { B: 1000, plus: 0 },
      ]),
    ],
    "a running sum of nothing": [kernel("cumulativeSum", [number(most), number(most), number(0), value(1), value(0), number(0)])],
    "columns of no rows": [
      kernel("triangularSolve", [number(0), number(most), value(1), number(1), number(0), value(1), value(0)]),
    ].concat(
      new Array(50).fill(
        kernel("triangularSolve", [number(0), number(most), value(1), number(1), number(0), value(1), value(0)]),
      ),
    ),
    "strides of a depthwise adjoint": [
      kernel("depthwiseInput", [
        { kind: "indices", values: spec({ 9: 2 ** 30 }) },
        value(1),
        value(1),
        value(0),
        { kind: "scratch", bytes: 0 },
      ]),
    ],
    "windows of images without channels": [
      kernel("maxPool", [
        { kind: "indices", values: spec({ 0: 2 ** 16, 3: 0, 4: 2 ** 7, 5: 2 ** 7, 7: 99, 8: 99 }) },
        value(1),
        value(0),
      ]),
    ],
    "copies of a scan's carries": [scan(1e6, nested(0, 1), new Array(40).fill(1))],
  };
  it.each(Object.keys(endless))("refuses %s", (name) => {
    const plan = planOf([z, own(4)], [...endless[name], { kind: "zero", value: 0 }]);
    expect(() => opened(plan)).toThrow(DataError);
    expect(() => opened(plan)).toThrow(/\[MODEL_(WORK|FORMAT)\]/);
  });

  it("is linear in rows, so that a limit for one row limits all", () => {
    const plan = planOf([z, own({ B: 64, plus: 0 })], [loop([{ B: 1, plus: 0 }, 64], 1), loop([{ B: 1, plus: 0 }])]);
    const least = 64 * 4;
    expect(() => opened(plan, least)).toThrow("per row, but maxWork is 256");
    using fine = opened(plan, 10_000);
    expect(fine.run({}, 1000).z.length).toBe(1000);
  });

  it("counts every round of a repeated call as more than a separate call", () => {
    const [once, often] = [[], [{ count: 1000, steps: still }]].map((repeat) => planOf([z, own(4)], [gemm(call, repeat)]));
    expect(() => opened(once, 500)).toThrow("but maxWork is 500");
    opened(once, 1000).dispose();
    expect(() => opened(often, 4000 * 1000)).toThrow("but maxWork is 4000000");
    opened(often, 4200 * 1000).dispose();
  });

  it("counts a whole batch if rows interact", () => {
    const step = loop([
      { B: 1, plus: 0 },
      { B: 100, plus: 0 },
    ]);
    using fine = new NetworkPlan(engine, planOf([z], [step]), {}, { maxWork: 10_000, chunk: 1 });
    expect(fine.run({}, 2).z.length).toBe(2);
    expect(() => opened(planOf([z], [step]), 10_000)).toThrow("but maxWork is 10000");
  });

  it("is limited by maxWork in every function that loads a file", async () => {
    await expect(predictor(bytes, { maxWork: 20 })).rejects.toThrow(
      /model: needs .* multiply-adds per row, but maxWork is 20; .*\[MODEL_WORK\]/,
    );
    expect([...(await predicted(bytes, { maxWork: Infinity }))]).toEqual([...wanted]);
    expect([...(await predicted(bytes, { maxWork: 1e6 }))]).toEqual([...wanted]);
    for (const maxWork of [0, -1, NaN, "1e9"])
      await expect(predictor(bytes, { maxWork: maxWork as number })).rejects.toThrow(OptionError);
    await expect(predictor(bytes, { maxwork: 1 } as never)).rejects.toThrow('did you mean "maxWork"');
  });

  it("refuses deeply nested scans", () => {
    expect(() => opened(planOf([z], [scan(1, nested(3000, 1)), { kind: "zero", value: 0 }]))).toThrow("more than 16 deep");
    opened(planOf([z], [scan(1, nested(10, 1)), { kind: "zero", value: 0 }]));
  });

  it("counts the placement of many live values as work", () => {
    const count = 25_000;
    const values = [z, ...new Array(count).fill(own(1))];
    // One step writes all values, so that all are live at the same time.
    const stores = values.map((_, value) => ({ to: { value, offset: 0, strides: [0] }, from: 0 }));
    expect(() => opened(planOf(values, [{ ...loop([1]), stores }]))).toThrow(
      "values in use at the same time, which is too many [MODEL_WORK]",
    );
  });
});

describe("limits on memory before allocation", () => {
  const zero = (value: number): object => ({ kind: "zero", value });
  const large: Record<string, ReturnType<typeof planOf>> = {
    "one value": planOf([z, own(1e9)], [zero(1), zero(0)]),
    "a value for each row": planOf([z, own({ B: 3e8, plus: 0 })], [zero(1), zero(0)]),
    "values that live together": planOf(
      [z, ...new Array(30).fill(own(1e7))],
      [...Array(31).keys(), ...Array(31).keys()].map(zero),
    ),
    "outputs that nobody takes": planOf([z, { size: 1e9, home: { kind: "buffer", name: "y", offset: 0 } }], [zero(1), zero(0)]),
    "a buffer with a hole": planOf([z, { size: 1, home: { kind: "buffer", name: "y", offset: 9e8 } }], [zero(1), zero(0)]),
    "values of a scan": planOf(
      [z],
      [
        {
          ...{ kind: "scan", length: 1, reverse: false, body: { values: [own(1e9)], steps: [zero(0)] }, carries: [] },
          ...{ over: [], constants: [], current: [], next: [], outputs: [], histories: [] },
        },
        zero(0),
      ],
    ),
  };
  it.each(Object.keys(large))("refuses %s", (name) => {
    const bytes = engine.memory.usedBytes;
    expect(() => opened(large[name])).toThrow(
      /^hostile: takes [\d.]+ GiB of memory besides its numbers, but maxMemory is 1 GiB; if you trust the file, load it with a larger maxMemory \[MODEL_MEMORY\]$/,
    );
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(bytes);
  });

  it("refuses a buffer beyond all addresses as damaged", () => {
    const plan = planOf([z, { size: 1, home: { kind: "buffer", name: "y", offset: 2 ** 52 } }], [zero(1), zero(0)]);
    expect(() => opened(plan, MAX_WORK, Infinity)).toThrow("reaches from 4503599627370496 to 4503599627370497");
  });

  it("computes single rows if more do not fit", () => {
    const plan = planOf([z, own({ B: 1e6, plus: 0 })], [zero(1), zero(0)]);
    const chunkOf = (maxMemory: number): number => {
      using made = opened(plan, MAX_WORK, maxMemory);
      expect([...made.run({}, 3).z]).toEqual([0, 0, 0]);
      return made.chunk;
    };
    expect([chunkOf(Infinity), chunkOf(2 ** 30), chunkOf(3e7), chunkOf(4_010_000)]).toEqual([16, 16, 2, 1]);
    const buffers = buffersOf(plan);
    const programs = new PlanPrograms({ plan, buffers, maxWork: Infinity, where: "hostile" });
    const bytes = batchesBytes({ plan, buffers, programs, chunk: 16, where: "hostile" });
    expect([chunkOf(bytes), chunkOf(bytes - 1)]).toEqual([16, 8]);
    expect(() => opened(plan, MAX_WORK, 4_000_000)).toThrow(
      "takes 3.8 MiB of memory besides its numbers, but maxMemory is 3.8 MiB",
    );
  });

  it("stores batch-independent values once per batch size", () => {
    using plan = opened(planOf([z, own(1e6)], [zero(1), zero(0)]));
    for (const rows of [64, 32, 16, 8, 4, 2, 1]) expect([...plan.run({}, rows).z]).toEqual(new Array(rows).fill(0));
  });

  it("is limited by maxMemory in every function that loads a file", async () => {
    await expect(predictor(bytes, { maxMemory: 1000 })).rejects.toThrow(
      /model: takes .* of memory besides its numbers, but maxMemory is 1000 bytes; .*\[MODEL_MEMORY\]/,
    );
    for (const maxMemory of [Infinity, 1e6]) expect([...(await predicted(bytes, { maxMemory }))]).toEqual([...wanted]);
    for (const maxMemory of [0, -1, NaN, "1G"])
      await expect(predictor(bytes, { maxMemory: maxMemory as number })).rejects.toThrow(OptionError);
  });
});

it("skips a call that writes nothing, whatever its arguments", () => {
  // 2^30 columns without equations, whose end is beyond all addresses.
  const idle = (columns: number): object => ({
    kind: "kernel",
    calls: [
      {
        kernel: "triangularSolve",
        args: [number(0), number(columns), value(1), number(1), number(0), value(1), value(0)],
        repeat: [{ count: 1000, steps: new Array(7).fill(0) }],
      },
    ],
    result: 0,
  });
  const called: string[] = [];
  const noting = Object.assign(Object.create(engine) as typeof engine, {
    kernel: (name: string, deterministic: boolean) => {
      const kernel = engine.kernel(name, deterministic);
      return (...args: number[]) => {
        called.push(name);
        return kernel(...args);
      };
    },
  });
  const plan = planOf([z, own(1)], [idle(2 ** 30), { kind: "zero", value: 0 }]);
  using made = new NetworkPlan(noting, plan, {});
  expect([...made.run({}, 1).z]).toEqual([0]);
  expect(called).toEqual(["zero"]);
});

describe("memory owned by a plan", () => {
  it("has space for all stored batches and little more", () => {
    const fills = (to: number, size: number, load: number[]) => ({
      ...{
        kind: "loop",
        shape: [{ B: 1, plus: 0 }, size],
        constants: load.length > 0 ? [] : ["3"],
        operations: [],
        reductions: [],
      },
      loads: load.map((at) => ({ value: at, offset: 0, strides: [size, 1] })),
      stores: [{ to: { value: to, offset: 0, strides: [size, 1] }, from: 0 }],
    });
    const wide = own({ B: 100_000, plus: 0 });
    const last = { ...fills(0, 1, []), loads: [{ value: 2, offset: 0, strides: [100_000, 1] }], constants: [] };
    using plan = opened(planOf([z, wide, wide], [fills(1, 100_000, []), fills(2, 100_000, [1]), last]));
    for (const count of [64, 63, 62, 61, 60, 59, 1, 64]) expect([...plan.run({}, count).z]).toEqual(new Array(count).fill(3));
    const machine = engine.apart(32);
    machine.memory.allocate(2 ** 20, "what fits");
    expect(() => machine.memory.allocate(1, "what does not")).toThrow(MemoryLimitError);
  });
});

it.each([
  ["a constant", { size: 2, home: { kind: "constant", name: "c" } }],
  ["a parameter", { size: 2, home: { kind: "buffer", name: "c", offset: 0 } }],
])("refuses %s if its length differs from its numbers", (_, home) => {
  const step = {
    ...{ kind: "loop", shape: [1], constants: [], operations: [], reductions: [] },
    loads: [{ value: 1, offset: 0, strides: [0] }],
    stores: [{ to: { value: 2, offset: 0, strides: [0] }, from: 0 }],
  };
  const plan = planOf([z, home, own(1)], [step, { kind: "zero", value: 0 }]);
  const opening = (numbers: Record<string, number[]>, apart: boolean) => new NetworkPlan(engine, plan, numbers, { apart });
  for (const apart of [true, false]) {
    opening({ c: [1, 2] }, apart).dispose();
    for (const given of [[], [1], [1, 2, 3]])
      expect(() => opening({ c: given }, apart)).toThrow(`"c" has ${given.length} numbers, but 2 are wanted`);
    expect(() => opening({}, apart)).toThrow('"c" is missing, but 2 are wanted');
  }
});
