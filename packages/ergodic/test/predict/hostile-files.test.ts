/**
 * Network files of strangers, loaded as users load them: what they say is refused or stays within their own memory; they end; what fails in them is a typed error
 * and spoils no other predictor. And many of them at a time, whose memories are given back.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { DataError, ErgodicError, MemoryLimitError, OptionError, WorkerError } from "../../src/base/errors.ts";
import { decode, encode } from "../../src/base/safetensors.ts";
import type { JsonObject } from "../../src/contract.ts";
import type { ArrayPlan } from "../../src/host/array-plan.ts";
import { type Engine, type Machine, openEngine } from "../../src/host/engine.ts";
import { Dataset, dense, fit, type NetworkPredictor, network, predictor, relu } from "../../src/index.ts";
import { NetworkPlan } from "../../src/predict/network-plan.ts";
import { drawn, type SavedPlan, savedPlans } from "./plans.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

const engine = await openEngine();
const x = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(i), i / 20]);
const rows = Dataset.fromArrays({ x, y: x.map(([a]) => (a > 0 ? "up" : "down")) });
let bytes: Uint8Array;
let wanted: Float64Array;
beforeAll(async () => {
  const model = await fit(network([dense(4), relu(), dense(2)], { loss: "multinomial" }), rows, { epochs: 2, seed: 1 });
  bytes = model.toBytes();
  wanted = model.outputs(rows);
});

type Json = Record<string, never>;
/** The file with another plan. */
function altered(change: (plan: Json) => void, description: JsonObject = {}): Uint8Array {
  const { tensors, metadata } = decode(bytes);
  const told = { ...JSON.parse(metadata.description), ...description };
  change(told.program);
  return encode(tensors, { ...metadata, description: JSON.stringify(told) });
}

const predicted = async (file: Uint8Array, options: { maxWork?: number } = {}): Promise<Float64Array> => {
  using found = await predictor<NetworkPredictor>(file, options);
  return found.outputs(rows);
};

/** A plan of steps over a few values in its own memory. */
const planOf = (values: readonly object[], steps: readonly object[]): ArrayPlan =>
  ({ version: 1, precision: "f32", values, steps }) as unknown as ArrayPlan;
const z = { size: { B: 1, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } };
const own = (size: unknown): object => ({ size, home: { kind: "workspace" } });
const opened = (plan: ArrayPlan, maxWork = 2e10) => new NetworkPlan(engine, plan, {}, { apart: true, maxWork, where: "hostile" });
const gemm = (args: readonly object[], repeat: readonly object[] = []) => ({
  kind: "kernel",
  calls: [{ kernel: "gemm", args, repeat }],
  result: 0,
});
const number = (value: unknown) => ({ kind: "number", value });
const value = (at: unknown, offset: unknown = 0) => ({ kind: "value", value: at, offset });
const product = (m: number, n: number, k: number, a: object, b: object) =>
  [0, 0, m, n, k]
    .map(number)
    .concat([a, number(k), b, number(n), value(0), number(n), number(0), { kind: "scratch", bytes: 0 }] as never[]);

describe("what was possible", () => {
  const step = (plan: Json, kind: string): Json => (plan.steps as Json[]).find((one) => one.kind === kind)!;
  it("a pointer given as a number", async () => {
    const file = altered((plan) => {
      const [call] = step(plan, "kernel").calls as Json[];
      call.args[5] = { kind: "number", value: 2 ** 20 } as never;
    });
    await expect(predictor(file)).rejects.toThrow("calls gemm in a way that it has not");
  });

  it.each([-5000, -1, 0.5, 2 ** 31, -(2 ** 53), "0"])("an array that begins at %s of the rows", async (offset) => {
    const file = altered((plan) => {
      const [call] = step(plan, "kernel").calls as Json[];
      (plan.values as object[]).push({ size: { B: 3, plus: 0 }, home: { kind: "buffer", name: "x", offset } });
      Object.assign(call.args[5] as object, { value: (plan.values as object[]).length - 1 });
    });
    await expect(predictor(file)).rejects.toThrow(DataError);
  });

  it.each(["length", "__proto__", "constructor", -1, 1.5, 1e9, null])("a register named %s", async (from) => {
    const file = altered((plan) => {
      Object.assign((step(plan, "loop").stores as Json[])[0], { from });
    });
    await expect(predictor(file)).rejects.toThrow(DataError);
  });

  it.each([
    ...["zero", "copy", "randomFill", "descend", "networkGradient", "nutsRun", "elementwise"],
    ...["__proto__", "constructor", "toString", ""],
  ])("the kernel %s", async (kernel) => {
    const file = altered((plan) => {
      Object.assign((step(plan, "kernel").calls as Json[])[0], { kernel });
    });
    await expect(predictor(file)).rejects.toThrow(`uses the kernel "${kernel}"`);
  });

  it("dimensions of a product that leave its arrays", async () => {
    for (const [at, found] of [
      [2, 2 ** 24],
      [3, 40],
      [4, 4096],
      [6, 2 ** 28],
      [6, 0],
      [8, 0],
      // Rows of the result that are closer to each other than they are long.
      [10, 1],
    ]) {
      const file = altered((plan) => {
        const [call] = step(plan, "kernel").calls as Json[];
        call.args[at] = { kind: "number", value: found } as never;
      });
      await expect(predictor(file), `argument ${at}`).rejects.toThrow(DataError);
    }
  });

  it("a repetition that moves a count, or an array out of its place", () => {
    const call = product(1, 1, 1, value(1), value(1));
    const repeated = (at: number, by: number) => {
      const steps = call.map((_, i) => (i === at ? by : 0));
      return planOf([z, own(4)], [gemm(call, [{ count: 5, steps }])]);
    };
    expect(() => opened(repeated(5, 1))).toThrow("reach from 0 to 5 in a value of 4");
    expect(() => opened(repeated(5, -1))).toThrow("reach from -4 to 1");
    expect(() => opened(repeated(2, 1))).toThrow("moves argument 2 of gemm, which is no array");
    expect(() => opened(repeated(12, 1))).toThrow("moves argument 12 of gemm, which is no array");
    opened(planOf([z, own(5)], [gemm(call, [{ count: 5, steps: call.map((_, i) => (i === 5 ? 1 : 0)) }])]));
  });

  it("writing what is given once, so that one prediction would change the next", () => {
    const zero = (at: object) =>
      planOf(
        [z, at, own(1)],
        [
          { kind: "zero", value: 1 },
          { kind: "zero", value: 0 },
        ],
      );
    expect(() => opened(zero({ size: 1, home: { kind: "constant", name: "c" } }))).toThrow(
      "writes to the value 1, which is given",
    );
    const scan = (body: object) =>
      planOf(
        [z, own(1), own(1)],
        [
          { kind: "zero", value: 0 },
          {
            kind: "scan",
            length: 1,
            reverse: false,
            body,
            carries: [],
            over: [1],
            constants: [2],
            current: [],
            next: [],
            outputs: [],
            histories: [],
          },
        ],
      );
    const buffer = (name: string) => ({
      values: [{ size: 1, home: { kind: "buffer", name, offset: 0 } }],
      steps: [{ kind: "zero", value: 0 }],
    });
    for (const name of ["over 0", "constant 0"]) expect(() => opened(scan(buffer(name)))).toThrow("which is given");
    const given = { size: 6, home: { kind: "constant", name: "c" } };
    const to = { value: 1, offset: 0, strides: [1] };
    const loop = (changed: object) => ({
      ...{ kind: "loop", shape: [6], loads: [], constants: ["1"], operations: [], stores: [], reductions: [] },
      ...changed,
    });
    const carried = (changed: object) => ({
      ...{ kind: "scan", length: 3, reverse: false, body: { values: [], steps: [] }, over: [], constants: [], outputs: [] },
      ...{ carries: [2], current: [3], next: [4], histories: [null] },
      ...changed,
    });
    const writers = [
      loop({ stores: [{ to, from: 0 }] }),
      loop({ reductions: [{ kind: "sum", to, size: 6, from: 0 }] }),
      { kind: "kernel", calls: [], result: 1 },
      ...[{ current: [1] }, { next: [1] }, { outputs: [1] }, { histories: [1] }].map(carried),
    ];
    for (const step of writers) {
      const plan = (home: object) => planOf([z, home, own(2), own(2), own(2)], [step, { kind: "zero", value: 0 }]);
      expect(() => opened(plan(given)), JSON.stringify(step)).toThrow("writes to the value 1, which is given");
      const fits = "current" in step && step.current[0] === 1 ? own(2) : own(6);
      expect(() => opened(plan(fits)), JSON.stringify(step)).not.toThrow();
    }
    expect(() => opened(scan(buffer("next 0")))).toThrow('names the buffer "next 0", which is not there');
  });

  it("scans over, from and to less than they move", () => {
    const scan = (changed: object) => ({
      ...{ kind: "scan", length: 3, reverse: false, body: { values: [], steps: [] }, over: [], constants: [], outputs: [] },
      ...{ carries: [2], current: [3], next: [4], histories: [5] },
      ...changed,
    });
    const opening = (changed: object, body: readonly object[] = []) =>
      opened(
        planOf(
          [z, own(7), own(2), own(2), own(2), own(6), own(1), own(5)],
          [scan({ ...changed, ...(body.length > 0 ? { body: { values: body, steps: [] } } : {}) }), { kind: "zero", value: 0 }],
        ),
      );
    opening({});
    expect(() => opening({ carries: [6] })).toThrow("carries 2 numbers from fewer");
    expect(() => opening({ next: [6] })).toThrow("carries 2 numbers from fewer");
    expect(() => opening({ histories: [7] })).toThrow("a history of 5 numbers");
    expect(() => opening({ over: [1] })).toThrow("a scan of 3 elements over 7 numbers");
    expect(() => opening({ carries: [] })).toThrow("carries are of several numbers");
    expect(() => opening({ length: 0 })).toThrow("a scan over 0 elements");
    const piece = (name: string, size: number) => ({ size, home: { kind: "buffer", name, offset: 0 } });
    for (const [name, size] of [
      ["over 0", 2],
      ["carry 0", 2],
      ["next 0", 2],
      ["constant 0", 7],
      ["output 0", 5],
    ] as const) {
      const lists = { over: [5], constants: [1], outputs: [7] };
      opening(lists, [piece(name, size)]);
      expect(() => opening(lists, [piece(name, size + 1)]), name).toThrow(`reaches from 0 to ${size + 1} in "${name}"`);
    }
  });

  it.each([1, -1, 0.5, "0", null, "length", 2 ** 53])("the value %s of one", (at) => {
    expect(() => opened(planOf([z], [{ kind: "zero", value: at }]))).toThrow("of 1; the file is damaged");
    expect(() => opened(planOf([z], [{ kind: "kernel", calls: [], result: at }]))).toThrow("of 1; the file is damaged");
  });

  it("a loop, by an element", () => {
    const loop = (offset: number, strides: readonly number[], shape: readonly number[] = [3, 2]) => ({
      ...{ kind: "loop", shape, constants: ["1"], operations: [], reductions: [], loads: [] },
      stores: [{ to: { value: 1, offset, strides }, from: 0 }],
    });
    const opening = (step: object) => opened(planOf([z, own(6)], [step, { kind: "zero", value: 0 }]));
    opening(loop(0, [2, 1]));
    opening(loop(5, [-2, -1]));
    for (const step of [loop(1, [2, 1]), loop(4, [-2, -1]), loop(6, [0, 0]), loop(0, [2, 1, 0]), loop(0, [2, 1], [0, 2])])
      expect(() => opening(step)).toThrow("the file is damaged");
    const reduced = (size: number, stride: number, from = 0) => ({
      ...loop(0, [2, 1]),
      reductions: [{ kind: "sum", to: { value: 0, offset: 0, strides: [0, stride] }, size, from }],
    });
    opening(reduced(1, 0));
    for (const step of [reduced(2, 0), reduced(1, 1), reduced(-1, 0), reduced(0, 0), reduced(1, 0, 1)])
      expect(() => opening(step)).toThrow("the file is damaged");
  });

  it("scans within scans, and repetitions of a call, up to 16", () => {
    const scan = (body: object) => ({
      ...{ kind: "scan", length: 1, reverse: false, body, carries: [], over: [], constants: [] },
      ...{ current: [], next: [], outputs: [], histories: [] },
    });
    const nested = (depth: number): object =>
      depth === 0 ? { values: [], steps: [] } : { values: [], steps: [scan(nested(depth - 1))] };
    const opening = (...steps: object[]) => opened(planOf([z, own(1)], [...steps, { kind: "zero", value: 0 }]));
    opening(scan(nested(15)));
    expect(() => opening(scan(nested(16)))).toThrow("has scans within scans, more than 16 deep");
    const call = product(1, 1, 1, value(1), value(1));
    const repeated = (count: number) => gemm(call, new Array(count).fill({ count: 1, steps: call.map(() => 0) }));
    opening(repeated(16));
    expect(() => opening(repeated(17))).toThrow("repeats a call in 17 ways, more than 16");
  });

  it("a call that writes to more than its result", () => {
    const gather = (result: number) => ({
      ...{ kind: "kernel", result },
      calls: [{ kernel: "gatherRows", args: [number(1), number(1), value(1), number(1), value(1), value(2)], repeat: [] }],
    });
    const plan = (result: number) => planOf([z, own(1), own(1)], [gather(result), { kind: "zero", value: 0 }]);
    opened(plan(2));
    expect(() => opened(plan(1))).toThrow("writes to the value 2, and not to its result");
  });

  it("an input named as a constant, which is smaller", () => {
    const constant = { size: 1, home: { kind: "constant", name: "c" } };
    const load = (at: number, strides: number[]) => ({ value: at, offset: 0, strides });
    const buffer = { size: { B: 400, plus: 0 }, home: { kind: "buffer", name: "c", offset: 0 } };
    const loop = (from: number, strides: number[]) => ({
      ...{ kind: "loop", shape: [{ B: 1, plus: 0 }], constants: [], operations: [["add", 0, 1]], reductions: [] },
      loads: [load(1, [0]), load(from, strides)],
      stores: [{ to: load(0, [1]), from: 2 }],
    });
    const plan = planOf([z, constant, buffer], [loop(2, [400])]);
    using made = new NetworkPlan(engine, plan, { c: [7] }, { apart: true });
    expect([...made.run({ c: Float64Array.from({ length: 1200 }, (_, i) => i) }, 3).z]).toEqual([7, 407, 807]);
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

describe("a plan of a file", () => {
  it("takes x and gives z of each row", async () => {
    const named = (from: string, to: string) => (plan: Json) => {
      for (const { home } of plan.values as Json[]) if ((home as Json).name === from) Object.assign(home, { name: to });
    };
    await expect(predictor(altered(named("z", "y")))).rejects.toThrow('takes x and gives "y" of 2 numbers, but z of 2 numbers');
    await expect(predictor(altered(named("x", "__proto__")))).rejects.toThrow("takes __proto__ and gives");
    const more = altered((plan) => {
      (plan.values as object[]).push({ size: { B: 1, plus: 0 }, home: { kind: "buffer", name: "more", offset: 0 } });
      (plan.steps as object[]).push({ kind: "zero", value: (plan.values as object[]).length - 1 });
    });
    await expect(predictor(more)).rejects.toThrow('gives "z" of 2 numbers, "more" of 1 numbers, but z of 2 numbers');
    // The same for all rows: there would be nothing for the second.
    const once = altered((plan) => {
      plan.values = [{ size: 2, home: { kind: "buffer", name: "z", offset: 0 } }] as never;
      plan.steps = [{ kind: "zero", value: 0 }] as never;
    });
    await expect(predictor(once)).rejects.toThrow('takes nothing and gives "z" of 2 numbers, but z of 2 numbers a row');
    await expect(predictor(altered(() => {}, { outputs: 1e9 }))).rejects.toThrow(DataError);
  });

  it("computes what the model did that was trained, bit for bit, and says its own file in errors", async () => {
    expect([...(await predicted(bytes))]).toEqual([...wanted]);
    using found = await predictor<NetworkPredictor>(bytes);
    found.dispose();
    expect(() => found.outputs(rows)).toThrow("was used after dispose()");
  });

  it("leaves the engine's memory as it is, and sees none of it", async () => {
    const used = engine.memory.usedBytes;
    const piece = engine.memory.allocate(2 ** 22, "canary");
    const seen: string[] = [];
    for (const canary of [0x11, 0xc7]) {
      engine.memory.u8(piece.pointer, piece.bytes).fill(canary);
      for (const saved of Object.values(savedPlans)) {
        using made = new NetworkPlan(engine, saved.plan, saved.numbers, { apart: true });
        seen.push(made.run({ x: drawnOnce(saved) }, 3).z.join());
      }
      expect(engine.memory.u8(piece.pointer, piece.bytes).every((byte) => byte === canary)).toBe(true);
    }
    expect(seen.splice(0, seen.length / 2)).toEqual(seen);
    piece.dispose();
    expect(engine.memory.usedBytes).toBe(used);
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

  it("keeps nothing of a batch that has no room, and serves smaller ones as before", () => {
    const machine = engine.apart(32);
    const small = Object.assign(Object.create(engine) as Engine, machine);
    const wide = { size: { B: 50_000, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } };
    const filled = (at: number) => ({ kind: "zero", value: at });
    using plan = new NetworkPlan(small, planOf([wide, own({ B: 50_000, plus: 0 })], [filled(1), filled(0)]), {}, {});
    expect(plan.run({}, 1).z).toHaveLength(50_000);
    const used = machine.memory.usedBytes;
    // Of three rows what lies between the layers has room, but not what comes out as well.
    for (let i = 0; i < 10; i++) expect(() => plan.run({}, 3)).toThrow(MemoryLimitError);
    expect(machine.memory.usedBytes).toBe(used);
    expect(plan.run({}, 1).z).toHaveLength(50_000);
  });
});

const once = new Map<SavedPlan, Float64Array>();
function drawnOnce(saved: SavedPlan): Float64Array {
  once.set(saved, once.get(saved) ?? drawn(3 * saved.width));
  return once.get(saved)!;
}

describe("a trap", () => {
  const saved = savedPlans.dense;
  const given = { x: drawn(3 * saved.width) };
  /** An engine whose kernels fail for a while. */
  function failing(): { engine: Engine; fails: boolean } {
    const state = { fails: false } as { engine: Engine; fails: boolean };
    const trapping = (machine: Machine): Machine => ({
      memory: machine.memory,
      kernel(name, deterministic) {
        const kernel = machine.kernel(name, deterministic);
        return (...args) => {
          if (state.fails && name.startsWith("gemm")) {
            // Nobody knows what it did before.
            if (machine !== engine) machine.memory.u8(2 ** 20, machine.memory.reservedBytes - 2 ** 20).fill(0xff);
            return (trap as () => number)();
          }
          return kernel(...args);
        };
      },
    });
    state.engine = Object.assign(Object.create(engine) as Engine, {
      ...trapping(engine),
      apart: (pages: number) => trapping(engine.apart(pages)),
    });
    return state;
  }
  // (func (export "f") unreachable)
  const code = [
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 5, 1, 3, 0, 0, 0x0b,
  ];
  const trap = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(code))).exports.f;

  it.each([true, false])("is a typed error, and over with the call; apart: %s", (apart) => {
    const state = failing();
    const used = engine.memory.usedBytes;
    using victim = new NetworkPlan(engine, saved.plan, saved.numbers, { apart });
    const before = [...victim.run(given, 3).z];
    using plan = new NetworkPlan(state.engine, saved.plan, saved.numbers, { apart, where: "net.safetensors" });
    expect([...plan.run(given, 3).z]).toEqual(before);
    state.fails = true;
    let error: unknown;
    try {
      plan.run(given, 3);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({ where: "net.safetensors", code: "WORKER_TRAP" });
    expect((error as Error).cause).toBeInstanceOf(WebAssembly.RuntimeError);
    state.fails = false;
    expect([...victim.run(given, 3).z]).toEqual(before);
    expect([...plan.run(given, 3).z]).toEqual(before);
    for (const one of [victim, plan]) one.dispose();
    expect(engine.memory.usedBytes).toBe(used);
  });
});

describe("many files at a time", () => {
  const memories: WeakRef<WebAssembly.Memory>[] = [];
  const maxima: number[] = [];
  const { apart } = engine;
  let refusals = 0;
  beforeAll(() => {
    engine.apart = (pages) => {
      if (refusals-- > 0) throw new MemoryLimitError("engine", "no more address space", "MEMORY_LIMIT");
      const machine = apart.call(engine, pages);
      memories.push(new WeakRef(machine.memory.memory));
      maxima.push(pages);
      return machine;
    };
  });
  afterEach(() => {
    memories.length = 0;
  });
  const alive = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      collect();
    }
    return memories.filter((memory) => memory.deref() !== undefined).length;
  };

  it("1,000 are loaded, and all of them predict; a memory is small, and at most 256 live", async () => {
    const used = engine.memory.usedBytes;
    const all: NetworkPredictor[] = [];
    for (let i = 0; i < 1000; i++) {
      all.push(await predictor<NetworkPredictor>(bytes));
      expect([...all[i].outputs(rows)]).toEqual([...wanted]);
    }
    expect(Math.max(...maxima)).toBeLessThan(64);
    expect(await alive()).toBeLessThanOrEqual(256);
    // Those whose memories were given up have another.
    for (const i of [0, 1, 500, 998, 999]) expect([...all[i].outputs(rows)]).toEqual([...wanted]);
    expect(memories.length).toBe(1003);
    for (const one of all) one.dispose();
    expect(await alive()).toBe(0);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(used);
  });

  it("are collected with their memory, where nobody disposes them", async () => {
    for (let i = 0; i < 50; i++) (await predictor<NetworkPredictor>(bytes)).outputs(rows);
    expect(memories.length).toBe(50);
    expect(await alive()).toBeLessThan(5);
  });

  it("give their memories up where the system has no more for another", async () => {
    const all = [await predictor<NetworkPredictor>(bytes), await predictor<NetworkPredictor>(bytes)];
    all[0].outputs(rows);
    refusals = 1;
    expect([...all[1].outputs(rows)]).toEqual([...wanted]);
    expect(memories.length).toBe(2);
    expect(await alive()).toBe(1);
    expect([...all[0].outputs(rows)]).toEqual([...wanted]);
    const third = await predictor<NetworkPredictor>(bytes);
    refusals = 2;
    expect(() => third.outputs(rows)).toThrow(MemoryLimitError);
    refusals = 0;
  });

  it("take no memory before they predict", async () => {
    const found = await predictor<NetworkPredictor>(bytes);
    expect(memories.length).toBe(0);
    expect(found).not.toBeInstanceOf(ErgodicError);
  });
});
