/**
 * Traps in untrusted network files are typed errors that affect no other predictor. Many files at a time release their
 * memories.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { ErgodicError, MemoryLimitError, WorkerError } from "../../src/engine/errors/errors.ts";
import type { Engine, Machine } from "../../src/engine/memory/engine.ts";
import { type NetworkPredictor, predictor } from "../../src/entries/everything.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";
import { power } from "../power.ts";
import { bytes, engine, own, planOf, rows, wanted } from "./hostile.ts";
import { drawn, savedPlans } from "./plans.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("traps", () => {
  const saved = savedPlans.dense;
  const given = { x: drawn(3 * saved.width) };
  /** An engine whose kernels fail temporarily. */
  function failing(): { engine: Engine; fails: boolean } {
    const state = { fails: false } as { engine: Engine; fails: boolean };
    const trapping = (machine: Machine): Machine => ({
      memory: machine.memory,
      kernel(name, deterministic) {
        const kernel = machine.kernel(name, deterministic);
        return (...args) => {
          if (state.fails && name.startsWith("gemm")) {
            // A failing kernel can leave memory in any state.
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

  it.each([true, false])("throw a typed error and do not affect later calls; apart: %s", (apart) => {
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
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(used);
  });
});

describe("many files loaded at a time", () => {
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

  const isSame = (z: Float64Array): boolean => z.length === wanted.length && z.every((value, k) => value === wanted[k]);

  it("more than 256 files load and predict, with small memories of which at most 256 are live", async () => {
    const count = power(270, 1000);
    const used = engine.memory.usedBytes;
    const all: NetworkPredictor[] = [];
    for (let i = 0; i < count; i++) {
      all.push(await predictor<NetworkPredictor>(bytes));
      if (!isSame(all[i].outputs(rows))) expect.fail(`file ${i} predicts other numbers`);
    }
    expect(Math.max(...maxima)).toBeLessThan(64);
    expect(await alive()).toBeLessThanOrEqual(256);
    // Predictors whose memories were evicted get new ones.
    for (const i of [0, 1, 9, count - 2, count - 1]) expect([...all[i].outputs(rows)]).toEqual([...wanted]);
    expect(memories.length).toBe(count + 3);
    for (const one of all) one.dispose();
    expect(await alive()).toBe(0);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(used);
  });

  it("are collected with their memory if nobody disposes of them", async () => {
    for (let i = 0; i < 50; i++) (await predictor<NetworkPredictor>(bytes)).outputs(rows);
    expect(memories.length).toBe(50);
    expect(await alive()).toBeLessThan(5);
  });

  it("release their memories if the system has none left", async () => {
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

  it("use no memory before they predict", async () => {
    const found = await predictor<NetworkPredictor>(bytes);
    expect(memories.length).toBe(0);
    expect(found).not.toBeInstanceOf(ErgodicError);
  });

  it("discards a batch that does not fit, and still serves smaller ones", () => {
    const machine = apart.call(engine, 32);
    const small = Object.assign(Object.create(engine) as Engine, machine);
    const wide = { size: { B: 50_000, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } };
    const filled = (at: number) => ({ kind: "zero", value: at });
    using plan = new NetworkPlan(small, planOf([wide, own({ B: 50_000, plus: 0 })], [filled(1), filled(0)]), {}, {});
    expect(plan.run({}, 1).z).toHaveLength(50_000);
    const used = machine.memory.usedBytes;
    // For three rows, the values between layers fit but the output does not.
    for (let i = 0; i < 10; i++) expect(() => plan.run({}, 3)).toThrow(MemoryLimitError);
    expect(machine.memory.usedBytes).toBeLessThanOrEqual(used);
    expect(plan.run({}, 1).z).toHaveLength(50_000);
  });
});
