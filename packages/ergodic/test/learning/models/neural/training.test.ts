/**
 * Networks in training: they learn, are reproducible bit for bit, resume from a checkpoint, release memory, and stop
 * early.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import {
  adam,
  averaging,
  chain,
  cnn,
  Dataset,
  dense,
  dropout,
  type FitOptions,
  fit,
  flatten,
  type LayerLike,
  momentum,
  type NetworkPredictor,
  network,
  relu,
  sequential,
} from "../../../../src/entries/everything.ts";
import { isSlow, power } from "../../../power.ts";
import { bytesOf, digits, numbersOf, signs, small, stirred } from "./small-networks.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("learning", () => {
  it("solves a problem that no linear model can", async () => {
    using data = signs(600);
    const rule = adam({ rate: 0.01 });
    const model = await fit(network([dense(16), relu(), dense(1)]), data, { rule, epochs: 60, batch: 32, seed: 1 });
    expect(model.evaluate(data).accuracy).toBeGreaterThan(0.97);
    const linear = await fit(network([dense(1)]), data, { rule, epochs: 60, batch: 32, seed: 1 });
    expect(linear.evaluate(data).accuracy).toBeLessThan(0.65);
  });

  it("classifies digits as images", async () => {
    const { train, test } = digits();
    const options: FitOptions = { rule: adam({ rate: 0.003 }), epochs: 8, batch: 32, seed: 1 };
    const model = await fit(network(cnn({ outputs: 10, channels: [8, 16], hidden: 32 })), train, options);
    expect(model.evaluate(test).accuracy).toBeGreaterThan(0.95);
    expect(model.rowShape).toEqual([8, 8, 1]);
    train.dispose();
    test.dispose();
  });

  it("fits numbers and counts", async () => {
    const draws = stream(4, "numbers").at(0);
    const x = Array.from({ length: 400 }, () => [draws.normal(), draws.normal()]);
    using numbers = Dataset.fromArrays({ x, y: x.map(([a, b]) => 3 * Math.abs(a) - b) });
    using counts = Dataset.fromArrays({ x, y: x.map(([a]) => Math.round(4 * Math.abs(a))) });
    const options: FitOptions = { rule: adam({ rate: 0.01 }), epochs: 60, batch: 32, seed: 1 };
    const layers = (): LayerLike[] => [dense(16), relu(), dense(1)];
    const line = await fit(network(layers(), { loss: "squared" }), numbers, options);
    expect(line.evaluate(numbers).r2).toBeGreaterThan(0.97);
    const rate = await fit(network(layers(), { loss: "poisson" }), counts, options);
    const { deviance } = rate.evaluate(counts);
    const constant = await fit(network([dense(1)], { loss: "poisson" }), counts, options);
    expect(deviance).toBeLessThan(0.3 * constant.evaluate(counts).deviance);
  });
});

describe("equal seeds", () => {
  const runs: Record<string, FitOptions> = {
    "minibatches, with a remainder": { batch: 16 },
    "single rows": { batch: 1, epochs: 1 },
    "rows with replacement": { schedule: "replacement" },
    float64: { precision: "f64" },
    "8-bit data": { precision: "i8" },
    "16-bit data": { precision: { data: "i16", model: "f32" } },
    deterministic: { deterministic: true },
    "four replicas": { replicas: 4, averageEvery: 0.5 },
  };
  it.each(Object.keys(runs))("produce the same bits: %s", async (name) => {
    using data = signs(104);
    // A single row has no variance, and batch norm requires batches.
    const layers = name === "single rows" ? [dense(6), relu(), dropout(0.2), dense(1)] : stirred();
    const made = async (seed: number): Promise<string> =>
      bytesOf(await fit(network(layers), data, { ...small, ...runs[name], seed }));
    const first = await made(5);
    expect(await made(5)).toBe(first);
    // All runs draw from the stream of one seed.
    if (isSlow || name.startsWith("minibatches")) expect(await made(6)).not.toBe(first);
  });
});

describe("resumption from a checkpoint", () => {
  const layers = (): LayerLike => sequential(stirred());
  const runs: Record<string, FitOptions> = {
    "batch norm, dropout and noise": {},
    "at an average": { rule: chain(momentum({ rate: 0.02 }), averaging({ start: 8 })) },
    "three replicas": { replicas: 3, averageEvery: 0.7 },
    "float64, deterministic": { precision: "f64", deterministic: true },
    "rows with replacement": { schedule: "replacement" },
  };
  it.each(Object.keys(runs))("is bit for bit: %s", async (name) => {
    using data = signs(100);
    const options = { ...small, ...runs[name] };
    const file = join(folder, `${name}.checkpoint`);
    const whole = await fit(network(layers(), { l2: 1e-3 }), data, { ...options, epochs: 4 });
    const first = fit(network(layers(), { l2: 1e-3 }), data, { ...options, epochs: 1.5 });
    await first;
    await first.checkpoint(file);
    const resumed = (await fit.resume(file, data, { epochs: 4 })) as unknown as NetworkPredictor;
    expect(numbersOf(resumed)).toEqual(numbersOf(whole));
    expect(resumed.predict([{ x0: 0.5, x1: -1, x2: 0 }])).toEqual(whole.predict([{ x0: 0.5, x1: -1, x2: 0 }]));
  });

  it("is bit for bit on full gradients, with dropout", async () => {
    using data = signs(600);
    const model = (): ReturnType<typeof network> => network([dense(8), relu(), dropout(0.3), dense(1)]);
    const options: FitOptions = { rule: adam({ rate: 0.05 }), batch: "all", seed: 5 };
    const file = join(folder, "all.checkpoint");
    const whole = await fit(model(), data, { ...options, epochs: 10 });
    const first = fit(model(), data, { ...options, epochs: 4 });
    await first;
    await first.checkpoint(file);
    const resumed = (await fit.resume(file, data, { epochs: 10 })) as unknown as NetworkPredictor;
    expect(numbersOf(resumed)).toEqual(numbersOf(whole as NetworkPredictor));
  });
});

it("a run releases its memory", async () => {
  using data = signs(100);
  using held = signs(50, "f32", 2);
  const { memory } = await openEngine();
  const once = async (options: FitOptions = {}): Promise<void> => {
    using model = await fit(network(stirred()), data, { ...small, validate: held, ...options });
    model.predict({ x0: 1, x1: 2, x2: 3 });
  };
  const full: FitOptions = { batch: "all", validate: undefined };
  const whole = async (): Promise<void> => {
    using model = await fit(network([dense(4), dropout(0.1), dense(1)]), data, { ...small, ...full });
    model.predict({ x0: 1, x1: 2, x2: 3 });
  };
  await once();
  await once({ replicas: 2, workers: 2 });
  await whole();
  const before = memory.usedBytes;
  for (let i = 0; i < power(1, 3); i++) {
    await once();
    await once({ replicas: 2, workers: 2 });
    await whole();
  }
  // It can be less, if garbage of other tests was collected meanwhile.
  expect(memory.usedBytes).toBeLessThanOrEqual(before);
});

it("patience ends a run, and keeps the best parameters", async () => {
  using data = signs(60);
  using held = signs(200, "f32", 2);
  const options: FitOptions = { rule: adam({ rate: 0.03 }), batch: 8, seed: 3, validate: held, patience: 4, epochs: 400 };
  const run = fit(network([flatten(), dense(64), relu(), dense(64), relu(), dense(1)]), data, options);
  const losses: number[] = [];
  for await (const tick of run) if (tick.validation) losses.push(tick.validation.loss);
  const model = await run;
  expect(model.run.epochs).toBeLessThan(400);
  const best = Math.min(...losses);
  expect(losses.indexOf(best)).toBe(losses.length - 1 - 4);
  expect(model.evaluate(held).logLoss).toBeCloseTo(best, 10);
});
