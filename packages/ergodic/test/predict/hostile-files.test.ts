/**
 * Network files from untrusted sources, loaded like any file. Their plans are refused or stay within their own memory.
 */
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/engine/errors/errors.ts";
import { type NetworkPredictor, predictor } from "../../src/entries/everything.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";
import {
  altered,
  bytes,
  engine,
  gemm,
  type Json,
  number,
  opened,
  own,
  planOf,
  predicted,
  product,
  rows,
  value,
  wanted,
  z,
} from "./hostile.ts";
import { drawn, type SavedPlan, savedPlans } from "./plans.ts";

const once = new Map<SavedPlan, Float64Array>();
function drawnOnce(saved: SavedPlan): Float64Array {
  once.set(saved, once.get(saved) ?? drawn(3 * saved.width));
  return once.get(saved)!;
}

describe("attacks that once succeeded", () => {
  const step = (plan: Json, kind: string): Json => (plan.steps as Json[]).find((one) => one.kind === kind)!;
  it("refuses a pointer given as a number", async () => {
    const file = altered((plan) => {
      const [call] = step(plan, "kernel").calls as Json[];
      call.args[5] = { kind: "number", value: 2 ** 20 } as never;
    });
    await expect(predictor(file)).rejects.toThrow("calls gemm with arguments that it does not accept");
  });

  it.each([-5000, -1, 0.5, 2 ** 31, -(2 ** 53), "0"])("refuses an array that begins at %s of the rows", async (offset) => {
    const file = altered((plan) => {
      const [call] = step(plan, "kernel").calls as Json[];
      (plan.values as object[]).push({ size: { B: 3, plus: 0 }, home: { kind: "buffer", name: "x", offset } });
      Object.assign(call.args[5] as object, { value: (plan.values as object[]).length - 1 });
    });
    await expect(predictor(file)).rejects.toThrow(DataError);
  });

  it.each(["length", "__proto__", "constructor", -1, 1.5, 1e9, null])("refuses a register named %s", async (from) => {
    const file = altered((plan) => {
      Object.assign((step(plan, "loop").stores as Json[])[0], { from });
    });
    await expect(predictor(file)).rejects.toThrow(DataError);
  });

  it.each([
    ...["zero", "copy", "randomFill", "descend", "networkGradient", "nutsRun", "elementwise"],
    ...["__proto__", "constructor", "toString", ""],
  ])("refuses the kernel %s", async (kernel) => {
    const file = altered((plan) => {
      Object.assign((step(plan, "kernel").calls as Json[])[0], { kernel });
    });
    await expect(predictor(file)).rejects.toThrow(`uses the kernel "${kernel}"`);
  });

  it("refuses dimensions of a product that exceed its arrays", async () => {
    for (const [at, found] of [
      [2, 2 ** 24],
      [3, 40],
      [4, 4096],
      [6, 2 ** 28],
      [6, 0],
      [8, 0],
      // Rows of the result are longer than the distance between them.
      [10, 1],
    ]) {
      const file = altered((plan) => {
        const [call] = step(plan, "kernel").calls as Json[];
        call.args[at] = { kind: "number", value: found } as never;
      });
      await expect(predictor(file), `argument ${at}`).rejects.toThrow(DataError);
    }
  });

  it("refuses a repetition that moves a count, or an array beyond its bounds", () => {
    const call = product(1, 1, 1, value(1), value(1));
    const repeated = (at: number, by: number) => {
      const steps = call.map((_, i) => (i === at ? by : 0));
      return planOf([z, own(4)], [gemm(call, [{ count: 5, steps }])]);
    };
    expect(() => opened(repeated(5, 1))).toThrow("reach from 0 to 5 in a value of 4");
    expect(() => opened(repeated(5, -1))).toThrow("reach from -4 to 1");
    expect(() => opened(repeated(2, 1))).toThrow("moves argument 2 of gemm, which is not an array");
    expect(() => opened(repeated(12, 1))).toThrow("moves argument 12 of gemm, which is not an array");
    opened(planOf([z, own(5)], [gemm(call, [{ count: 5, steps: call.map((_, i) => (i === 5 ? 1 : 0)) }])]));
    const beyond = gemm(call, [{ count: 5, steps: [...call.map(() => 0), 0] }]);
    expect(() => opened(planOf([z, own(5)], [beyond]))).toThrow("moves more arguments of gemm than it has");
  });

  it("refuses writes to constants, which would change later predictions", () => {
    const zero = (at: object) =>
      planOf(
        [z, at, own(1)],
        [
          { kind: "zero", value: 1 },
          { kind: "zero", value: 0 },
        ],
      );
    expect(() => opened(zero({ size: 1, home: { kind: "constant", name: "c" } }))).toThrow(
      "writes to the value 1, which is read-only",
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
    for (const name of ["over 0", "constant 0"]) expect(() => opened(scan(buffer(name)))).toThrow("which is read-only");
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
      expect(() => opened(plan(given)), JSON.stringify(step)).toThrow("writes to the value 1, which is read-only");
      const fits = "current" in step && step.current[0] === 1 ? own(2) : own(6);
      expect(() => opened(plan(fits)), JSON.stringify(step)).not.toThrow();
    }
    expect(() => opened(scan(buffer("next 0")))).toThrow('names the buffer "next 0", which does not exist');
  });

  it("checks batches between one row and a chunk, even if both of these are valid", () => {
    // Rows are 65 - B elements apart, which needs 63 elements for 64 rows and 183 for 4.
    const to = { value: 1, offset: 0, strides: [{ B: -1, plus: 65 }] };
    const write = { kind: "loop", shape: [{ B: 1, plus: 0 }], loads: [], constants: ["1"], operations: [], reductions: [] };
    const plan = opened(
      planOf(
        [z, own(128)],
        [
          { ...write, stores: [{ to, from: 0 }] },
          { kind: "zero", value: 0 },
        ],
      ),
    );
    for (const rows of [1, 2, 3, 64]) expect(plan.run({}, rows).z).toHaveLength(rows);
    for (const rows of [4, 32, 61]) expect(() => plan.run({}, rows)).toThrow("in a value of 128 numbers; the file is damaged");
    expect(plan.run({}, 64).z).toHaveLength(64);
  });

  it("refuses scans whose elements or carries are smaller than the parts that they move", () => {
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
    expect(() => opening({ carries: [] })).toThrow("lists of carries differ in length");
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

  it.each([1, -1, 0.5, "0", null, "length", 2 ** 53])("refuses the value %s of a plan with one value", (at) => {
    expect(() => opened(planOf([z], [{ kind: "zero", value: at }]))).toThrow("but its values are 0 to 0; the file is damaged");
    expect(() => opened(planOf([z], [{ kind: "kernel", calls: [], result: at }]))).toThrow(
      "but its values are 0 to 0; the file is damaged",
    );
  });

  it("refuses a loop that is out of bounds by one element", () => {
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

  it("accepts at most 16 nested scans or repetitions of a call", () => {
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

  it("refuses a call that writes outside of its result", () => {
    const gather = (result: number, to: number) => ({
      ...{ kind: "kernel", result },
      calls: [{ kernel: "gatherRows", args: [number(1), number(1), value(1), number(1), value(1), value(to)], repeat: [] }],
    });
    const plan = (result: number, to = 2) => planOf([z, own(1), own(1)], [gather(result, to), { kind: "zero", value: 0 }]);
    opened(plan(2));
    expect(() => opened(plan(1))).toThrow("writes to the value 2, not to its result");
    expect(() => opened(plan(2, 1))).toThrow("writes to the value 1, not to its result");
  });

  it("refuses an input with the name of a smaller constant", () => {
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

describe("saved plans", () => {
  it("must map x to z for each row", async () => {
    const named = (from: string, to: string) => (plan: Json) => {
      for (const { home } of plan.values as Json[]) if ((home as Json).name === from) Object.assign(home, { name: to });
    };
    await expect(predictor(altered(named("z", "y")))).rejects.toThrow('takes x and gives "y" of 2 numbers, but must take x');
    await expect(predictor(altered(named("x", "__proto__")))).rejects.toThrow("takes __proto__ and gives");
    const more = altered((plan) => {
      (plan.values as object[]).push({ size: { B: 1, plus: 0 }, home: { kind: "buffer", name: "more", offset: 0 } });
      (plan.steps as object[]).push({ kind: "zero", value: (plan.values as object[]).length - 1 });
    });
    await expect(predictor(more)).rejects.toThrow('gives "z" of 2 numbers, "more" of 1 numbers, but must take x');
    // The output has the same size for any number of rows, so a second row would have no values.
    const once = altered((plan) => {
      plan.values = [{ size: 2, home: { kind: "buffer", name: "z", offset: 0 } }] as never;
      plan.steps = [{ kind: "zero", value: 0 }] as never;
    });
    await expect(predictor(once)).rejects.toThrow('takes nothing and gives "z" of 2 numbers, but must take x');
    await expect(predictor(altered(() => {}, { outputs: 1e9 }))).rejects.toThrow(DataError);
  });

  it("predict bit for bit like the trained model, and name their file in errors", async () => {
    expect([...(await predicted(bytes))]).toEqual([...wanted]);
    using found = await predictor<NetworkPredictor>(bytes);
    found.dispose();
    expect(() => found.outputs(rows)).toThrow("was used after dispose()");
  });

  it("neither change nor read the engine's memory", async () => {
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
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(used);
  });
});
