/** Network files of strangers end: their work and their memory are known before anything runs. */
import { describe, expect, it } from "vitest";
import { DataError, MemoryLimitError, OptionError } from "../../src/base/errors.ts";
import { predictor } from "../../src/index.ts";
import { NetworkPlan } from "../../src/predict/network-plan.ts";
import { bytes, engine, gemm, number, opened, own, planOf, predicted, product, value, wanted, z } from "./hostile.ts";

describe("work is known before anything runs", () => {
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
  it.each(Object.keys(endless))("%s", (name) => {
    const plan = planOf([z, own(4)], [...endless[name], { kind: "zero", value: 0 }]);
    expect(() => opened(plan)).toThrow(DataError);
    expect(() => opened(plan)).toThrow(/\[MODEL_(WORK|FORMAT)\]/);
  });

  it("is linear in rows, so that a bound for one is a bound for all", () => {
    const plan = planOf([z, own({ B: 64, plus: 0 })], [loop([{ B: 1, plus: 0 }, 64], 1), loop([{ B: 1, plus: 0 }])]);
    const least = 64 * 4;
    expect(() => opened(plan, least)).toThrow("of work a row, but maxWork is 256");
    using fine = opened(plan, 10_000);
    expect(fine.run({}, 1000).z.length).toBe(1000);
  });

  it("counts every round of a call that is repeated as more than a call of its own", () => {
    const [once, often] = [[], [{ count: 1000, steps: still }]].map((repeat) => planOf([z, own(4)], [gemm(call, repeat)]));
    expect(() => opened(once, 500)).toThrow("but maxWork is 500");
    opened(once, 1000).dispose();
    expect(() => opened(often, 4000 * 1000)).toThrow("but maxWork is 4000000");
    opened(often, 4200 * 1000).dispose();
  });

  it("is that of a batch, where rows meet rows", () => {
    const step = loop([
      { B: 1, plus: 0 },
      { B: 100, plus: 0 },
    ]);
    using fine = new NetworkPlan(engine, planOf([z], [step]), {}, { maxWork: 10_000, chunk: 1 });
    expect(fine.run({}, 2).z.length).toBe(2);
    expect(() => opened(planOf([z], [step]), 10_000)).toThrow("but maxWork is 10000");
  });

  it("is bounded by maxWork, for whoever loads a file", async () => {
    await expect(predictor(bytes, { maxWork: 20 })).rejects.toThrow(
      /model: is .* multiply-adds of work a row, but maxWork is 20; .*\[MODEL_WORK\]/,
    );
    expect([...(await predicted(bytes, { maxWork: Infinity }))]).toEqual([...wanted]);
    expect([...(await predicted(bytes, { maxWork: 1e6 }))]).toEqual([...wanted]);
    for (const maxWork of [0, -1, NaN, "1e9"])
      await expect(predictor(bytes, { maxWork: maxWork as number })).rejects.toThrow(OptionError);
    await expect(predictor(bytes, { maxwork: 1 } as never)).rejects.toThrow('did you mean "maxWork"');
  });

  it("nor are scans within scans without end, whatever they do", () => {
    expect(() => opened(planOf([z], [scan(1, nested(3000, 1)), { kind: "zero", value: 0 }]))).toThrow("more than 16 deep");
    opened(planOf([z], [scan(1, nested(10, 1)), { kind: "zero", value: 0 }]));
  });

  it("and placing many values that live together is work too", () => {
    const count = 40_000;
    const values = [z, ...new Array(count).fill(own(1))];
    const zeros = values.map((_, value) => ({ kind: "zero", value }));
    expect(() => opened(planOf(values, [...zeros, ...zeros]))).toThrow("values at a time [MODEL_WORK]");
  });
});

describe("a memory of a plan's own", () => {
  it("has room for all the batches that are kept, and for little more", () => {
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
])("%s of another length than its numbers is refused, whichever is longer", (_, home) => {
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
