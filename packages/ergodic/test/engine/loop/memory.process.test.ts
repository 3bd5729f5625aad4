/**
 * Runs on the engine over time: memory stays flat, data live while used and are freed after, and crashes and signals
 * leave the engine usable.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { enginePool } from "../../../src/engine/memory/engine.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import {
  adam,
  coordinateDescent,
  type FitOptions,
  fit,
  type LinearOptions,
  lbfgs,
  linear,
  prodigy,
  rff,
  saga,
  scheduleFreeSgd,
  sgd,
  stochasticLineSearch,
  svrg,
  WorkerError,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { plantedRows } from "./planted.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const memory = engineMemory();

/** Waits until finalisers have run. */
async function collected(): Promise<void> {
  for (let k = 0; k < 5; k++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  // A large request makes the memory free the pieces that finalisers reported.
  memory.allocate(64, "probe").dispose();
}

const kinds: { name: string; options: FitOptions; model?: LinearOptions; validate?: boolean }[] = [
  { name: "adagrad, standardised, validated", options: {}, model: { standardise: true }, validate: true },
  { name: "saga in f64", options: { variance: saga(), precision: "f64" } },
  { name: "svrg, two replicas, 8 bits", options: { variance: svrg(), replicas: 2, precision: "i8" } },
  { name: "adam, batches", options: { rule: adam(), batch: 7 } },
  { name: "random features", options: { rule: prodigy() }, model: { features: rff({ count: 8 }) }, validate: true },
  { name: "averaged", options: { rule: scheduleFreeSgd() } },
  { name: "line search", options: { rule: stochasticLineSearch(), batch: 5 } },
  { name: "L-BFGS", options: { rule: lbfgs() } },
  { name: "full gradients", options: { rule: adam(), batch: "all" } },
  { name: "group penalty", options: {}, model: { group: { strength: 0.01, groups: [["x0", "x1"]] } } },
  {
    name: "group penalty on full gradients",
    options: { rule: sgd(), batch: "all" },
    model: { group: { strength: 0.01, groups: [["x0", "x1"]] } },
  },
  { name: "working sets", options: { algorithm: coordinateDescent(), epochs: 20 }, model: { l1: 0.01 } },
  { name: "coordinates in turn", options: { algorithm: coordinateDescent({ pick: "cyclic" }), epochs: 20 }, model: { l1: 0.01 } },
  {
    name: "coordinates with momentum",
    options: { algorithm: coordinateDescent({ acceleration: "nesterov" }), epochs: 20 },
    model: { l1: 0.01 },
  },
  {
    name: "coordinates by estimates",
    options: { algorithm: coordinateDescent({ pick: "random", estimate: { rows: 60, rate: 0.1 } }), epochs: 20 },
    model: { l1: 0.01 },
  },
  {
    name: "blocks",
    options: { algorithm: coordinateDescent(), epochs: 20 },
    model: { group: { strength: 0.01, groups: [["x0", "x1"]] } },
  },
];

describe("memory of runs", () => {
  it("stays flat over hundreds of thousands of updates", async () => {
    const { data } = plantedRows({ rows: 5000, columns: 10, classes: 2, format: "dense", type: "f32" });
    const used: number[] = [];
    const heap: number[] = [];
    const run = fit(linear({ standardise: false }), data, {
      rule: sgd({ rate: 0.01 }),
      until: { updates: 200_000 },
      validate: data,
      validateEvery: 4,
    });
    for await (const tick of run) {
      if (tick.validation === undefined) continue;
      used.push(memory.usedBytes);
      collect();
      heap.push(process.memoryUsage().heapUsed);
    }
    expect((await run).run.updates).toBe(200_000);
    expect(used.length).toBe(10);
    expect(new Set(used.slice(1)).size).toBe(1);
    expect(heap[9] - heap[2]).toBeLessThan(1 << 20);
    data.dispose();
  });

  it.each(kinds)("frees everything after each run: $name", async ({ options, model, validate }) => {
    const { data } = plantedRows({ rows: 40, columns: 6, classes: 2, format: "dense", type: "f32" });
    const { data: heldOut } = plantedRows({ rows: 20, columns: 6, classes: 2, format: "dense", type: "f32" });
    const once = async (): Promise<void> =>
      void (await fit(linear(model), data, { epochs: 2, ...options, ...(validate ? { validate: heldOut, patience: 2 } : {}) }));
    // The first run stores objects with the data (conversions) and with the engine (compiled programs, stop cells).
    await once();
    const { usedBytes, reservedBytes } = memory;
    for (let k = 0; k < power(5, 100); k++) await once();
    expect(memory.usedBytes).toBeLessThanOrEqual(usedBytes);
    expect(memory.reservedBytes).toBe(reservedBytes);
    data.dispose();
    heldOut.dispose();
  });

  it("frees everything after paths with cross-validation", async () => {
    const { data } = plantedRows({ rows: 40, columns: 6, classes: 2, format: "sparse", type: "f32" });
    const once = async (): Promise<void> => void (await fit.path(linear(), data, { lambdas: 5, folds: 3 }));
    await once();
    const { usedBytes, reservedBytes } = memory;
    for (let k = 0; k < power(3, 20); k++) await once();
    expect(memory.usedBytes).toBeLessThanOrEqual(usedBytes);
    expect(memory.reservedBytes).toBe(reservedBytes);
    data.dispose();
  });

  it("frees everything after runs that fail or are refused", async () => {
    const { data } = plantedRows({ rows: 40, columns: 6, classes: 2, format: "sparse", type: "f32" });
    const attempts = [
      () => fit(linear({ loss: "poisson" }), data, { epochs: 1 }),
      () => fit(linear({ standardise: true, loss: "squaredHinge" }), data, { rule: sgd({ rate: 1e30 }), epochs: 9 }),
      () => fit(linear({ standardise: true }), data, { rule: lbfgs(), batch: 3 }),
      () => fit(linear({ l1: 1 }), data, { rule: lbfgs() }),
      () => fit(linear({ standardise: true }), data, { signal: AbortSignal.abort() }),
    ];
    for (const attempt of attempts) await expect((async () => await attempt())()).rejects.toThrow();
    const { usedBytes } = memory;
    for (let k = 0; k < power(3, 20); k++)
      for (const attempt of attempts) await expect((async () => await attempt())()).rejects.toThrow();
    expect(memory.usedBytes).toBeLessThanOrEqual(usedBytes);
    data.dispose();
  });

  it("retains a dataset held only by a run until the run ends, then frees it", async () => {
    await collected();
    const before = memory.usedBytes;
    const begin = (): ReturnType<typeof fit> => {
      const { data } = plantedRows({ rows: 3000, columns: 30, classes: 2, format: "dense", type: "f32" });
      const { data: heldOut } = plantedRows({ rows: 500, columns: 30, classes: 2, format: "dense", type: "f32" });
      return fit(linear({ standardise: true }), data, {
        epochs: power(4, 40),
        precision: "i16",
        validate: heldOut,
        validateEvery: power(2, 5),
        seed: 1,
      });
    };
    const wanted = (await begin()).weights;
    let run: ReturnType<typeof fit> | undefined = begin();
    let looks = 0;
    for await (const tick of run) {
      if (tick.validation && looks++ < power(1, 8)) await collected();
    }
    const found = (await run).weights;
    expect(found).toEqual(wanted);
    run = undefined;
    await collected();
    expect(memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

describe("interrupted runs", () => {
  const { data } = plantedRows({ rows: 20_000, columns: 20, classes: 2, format: "dense", type: "f32" });
  const long = { epochs: 1e5, rule: sgd({ rate: 0.001 }), seed: 1 };
  const model = linear({ standardise: false });
  const usable = async (): Promise<void> => {
    const fitted = await fit(model, data, { ...long, epochs: 1, workers: 2, replicas: 2 });
    expect(fitted.run.updates).toBe(20_000);
  };

  it("report the cause when a worker dies, and leave the engine usable", async () => {
    await usable();
    const { usedBytes } = memory;
    const run = fit(model, data, { ...long, workers: 2, replicas: "shared" });
    const watching = (async () => {
      for await (const tick of run) if (tick.update > 1000) await (await enginePool()).terminate(0);
    })();
    await expect(watching).rejects.toThrow(
      /worker 0: ended in the middle of a call: .* the next call starts another \[WORKER_DIED\]/,
    );
    await expect(run).rejects.toBeInstanceOf(WorkerError);
    await usable();
    expect(memory.usedBytes).toBeLessThanOrEqual(usedBytes + 64);
  });

  it.each([
    { name: "one worker", options: {} },
    { name: "two racing workers", options: { workers: 2, replicas: "shared" as const } },
    { name: "full gradients", options: { batch: "all" as const, workers: 2 } },
    { name: "svrg", options: { variance: svrg() } },
  ])("end within a stretch after a signal: $name", async ({ options }) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 60);
    await expect((async () => await fit(model, data, { ...long, ...options, signal: controller.signal }))()).rejects.toThrow(
      "enough",
    );
    // A run that ignores the signal takes hours, so the test would time out.
    await usable();
  });
});
