/**
 * Networks in training: they learn, repeat themselves bit for bit, go on from a checkpoint, run as replicas and racing workers, keep what is frozen or
 * shared as it is, scale the steps of groups, and stop early.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RowObjective } from "../../../src/algorithms/gradient/objective.ts";
import { stream } from "../../../src/base/stream.ts";
import { currentEngine, openEngine } from "../../../src/host/engine.ts";
import {
  adam,
  adamw,
  averaging,
  batchNorm,
  chain,
  circulantNet,
  cnn,
  Dataset,
  dense,
  dropout,
  type FitOptions,
  fit,
  flatten,
  frozen,
  grouped,
  gru,
  type LayerLike,
  layerNorm,
  mobileNetV2,
  momentum,
  type NetworkModel,
  type NetworkOptions,
  type NetworkPredictor,
  network,
  noise,
  ones,
  relu,
  reshaped,
  sequential,
  sgd,
} from "../../../src/index.ts";
import { planOf } from "../bound-network.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Two classes that no line tells apart: the signs of two numbers agree, or not. */
function signs(rows: number, type: "f32" | "f64" = "f32", seed = 1): Dataset {
  const draws = stream(seed, "signs").at(0);
  const x = Array.from({ length: rows }, () => [draws.normal(), draws.normal(), draws.normal()]);
  return Dataset.fromArrays({ x, y: x.map(([a, b]) => (a * b > 0 ? "same" : "other")), type });
}

function digits(): { train: Dataset; test: Dataset } {
  const file = readFileSync(new URL("../../../../cli/data/digits.csv", import.meta.url), "utf8");
  const rows = file
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(",").map(Number));
  const all = Dataset.fromArrays({
    x: rows.map((row) => row.slice(0, 64)),
    y: rows.map((row) => row[64]),
    classes: true,
    rowShape: [8, 8, 1],
  });
  return all.split(0.8, { seed: 1 });
}

/** The numbers of the file by name. */
const numbersOf = (model: NetworkPredictor): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries((model as unknown as { tensors(): Record<string, { values: ArrayLike<number> }> }).tensors()).map(
      ([name, { values }]) => [name, Array.from(values)],
    ),
  );

/** The numbers before training. */
function startOf(model: NetworkModel, data: Dataset, seed: number): Record<string, number[]> {
  const problem = model.bind(data, planOf({ seed }), currentEngine());
  const { tensors } = model.save(data, problem.start);
  problem.dispose();
  return Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, Array.from(values)]));
}

const bytesOf = (model: NetworkPredictor): string => Buffer.from(model.toBytes()).toString("base64");
/** Batch norm, dropout and noise: all that an update is made of. */
const stirred = (outputs = 1): LayerLike[] => [noise(0.05), dense(12), batchNorm(), relu(), dropout(0.2), dense(outputs)];
const small = { epochs: 3, batch: 16, seed: 5 };

describe("learns", () => {
  it("what no linear model can", async () => {
    using data = signs(600);
    const rule = adam({ rate: 0.01 });
    const model = await fit(network([dense(16), relu(), dense(1)]), data, { rule, epochs: 60, batch: 32, seed: 1 });
    expect(model.evaluate(data).accuracy).toBeGreaterThan(0.97);
    const linear = await fit(network([dense(1)]), data, { rule, epochs: 60, batch: 32, seed: 1 });
    expect(linear.evaluate(data).accuracy).toBeLessThan(0.65);
  });

  it("digits, as images", async () => {
    const { train, test } = digits();
    const options: FitOptions = { rule: adam({ rate: 0.003 }), epochs: 8, batch: 32, seed: 1 };
    const model = await fit(network(cnn({ outputs: 10, channels: [8, 16], hidden: 32 })), train, options);
    expect(model.evaluate(test).accuracy).toBeGreaterThan(0.95);
    expect(model.rowShape).toEqual([8, 8, 1]);
    train.dispose();
    test.dispose();
  });

  it("numbers and counts", async () => {
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

describe("the same seed gives the same bits", () => {
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
  it.each(Object.keys(runs))("%s", async (name) => {
    using data = signs(104);
    // A single row has no variance: batch norm is for batches.
    const layers = name === "single rows" ? [dense(6), relu(), dropout(0.2), dense(1)] : stirred();
    const made = async (seed: number): Promise<string> =>
      bytesOf(await fit(network(layers), data, { ...small, ...runs[name], seed }));
    const first = await made(5);
    expect(await made(5)).toBe(first);
    expect(await made(6)).not.toBe(first);
  });
});

describe("a checkpoint goes on bit for bit", () => {
  const layers = (): LayerLike => sequential(stirred());
  const runs: Record<string, FitOptions> = {
    "batch norm, dropout and noise": {},
    "at an average": { rule: chain(momentum({ rate: 0.02 }), averaging({ start: 8 })) },
    "three replicas": { replicas: 3, averageEvery: 0.7 },
    "float64, deterministic": { precision: "f64", deterministic: true },
    "rows with replacement": { schedule: "replacement" },
  };
  it.each(Object.keys(runs))("%s", async (name) => {
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

  it("on full gradients, with dropout", async () => {
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

describe("many workers", () => {
  it("give what one gives, where replicas are averaged", async () => {
    using data = signs(200);
    const options = { ...small, replicas: 4, averageEvery: 0.5 };
    const one = await fit(network(stirred()), data, { ...options, workers: 1 });
    const two = await fit(network(stirred()), data, { ...options, workers: 2 });
    expect(numbersOf(two)).toEqual(numbersOf(one));
    expect(two.run.updates).toBe(4 * 3 * Math.ceil(50 / 16));
  });

  const kinds: Record<string, () => LayerLike> = {
    "convolutions and pools": () => cnn({ outputs: 10, channels: [16, 24], hidden: 48 }),
    "depthwise convolutions": () => mobileNetV2({ outputs: 10, width: 0.25, form: "small" }),
    "circulant blocks": () => circulantNet({ outputs: 10, channels: [16, 16], hidden: 32 }),
    "a recurrence": () => sequential([reshaped([8, 8]), gru(16), dense(10)]),
  };
  it.each(Object.keys(kinds))("share no scratch memory: %s", async (name) => {
    const { train, test } = digits();
    const run = (workers: number) =>
      fit(network(kinds[name]()), train, { batch: 32, epochs: 1, replicas: 2, averageEvery: 0.25, seed: 2, workers });
    const [one, two] = [await run(1), await run(2)];
    expect(numbersOf(two)).toEqual(numbersOf(one));
    // Two runs in turns on one engine are each as if it were alone.
    const [third, fourth] = await Promise.all([run(2), run(1)]);
    expect([numbersOf(third), numbersOf(fourth)]).toEqual([numbersOf(one), numbersOf(one)]);
    train.dispose();
    test.dispose();
  });

  it("race on one model", async () => {
    using data = signs(600);
    const layers = [dense(16), batchNorm(), relu(), dense(1)];
    const model = await fit(network(layers), data, {
      rule: momentum({ rate: 0.05 }),
      workers: 2,
      epochs: 40,
      batch: 32,
      seed: 1,
    });
    expect(model.description.plan).toMatchObject({ replicas: "shared", workers: 2 });
    expect(model.evaluate(data).accuracy).toBeGreaterThan(0.9);
  });

  it("share full gradients", async () => {
    using data = signs(2000);
    const made = (workers: number) =>
      fit(network([dense(8), relu(), dropout(0.3), dense(1)]), data, {
        rule: adam({ rate: 0.05 }),
        batch: "all",
        epochs: 5,
        workers,
        seed: 3,
      });
    expect(numbersOf(await made(2))).toEqual(numbersOf(await made(1)));
  });
});

describe("full gradients draw anew", () => {
  // All rows are alike: their outputs are 2w or 0, as their own masks have it.
  const x = Array.from({ length: 1024 }, () => [1]);
  const make = () => Dataset.fromArrays({ x, y: x.map(() => 0) });
  const model = network([dense(1, { bias: false, name: "w" }), dropout(0.5)], { loss: "squared", standardise: false });

  it("for each row, on any number of workers", async () => {
    using data = make();
    const engine = await openEngine();
    const plan = planOf({ batch: "all", workers: 2, precision: { data: "f32", model: "f32" } });
    const problem = model.bind(data, plan, engine);
    const objective = new RowObjective(problem, problem, plan, engine);
    const at = Float64Array.from({ length: problem.parameterCount }, (_, i) => Number(i === 0));
    const seen: number[] = [];
    for (let update = 0; update < 6; update++) {
      const [gradient, shared] = [at.slice(), at.slice()];
      const loss = objective.evaluate(at, gradient, update);
      expect(await objective.evaluateOnWorkers(at, shared, update)).toBe(loss);
      expect(shared).toEqual(gradient);
      // ½ (2w)² with probability ½; the mean of 1024 such has a standard error of 1/32. With one mask for many rows it would be farther off.
      expect(Math.abs(loss - 1)).toBeLessThan(5 / 32);
      expect(gradient[0]).toBeCloseTo(2 * loss, 10);
      seen.push(loss);
    }
    expect(new Set(seen).size).toBe(6);
    objective.dispose();
    problem.dispose();
  });

  it("in each update", async () => {
    using data = make();
    const at = [startOf(model, data, 2)["w.weight"][0]];
    for (const updates of [1, 2, 3]) {
      const made = await fit(model, data, { rule: sgd({ rate: 0.1 }), batch: "all", until: { updates }, seed: 2 });
      at.push(numbersOf(made)["w.weight"][0]);
    }
    // w ← w (1 − 4 · rate · the share of rows that are kept)
    const shares = [0, 1, 2].map((t) => (1 - at[t + 1] / at[t]) / 0.4);
    for (const share of shares) expect(Math.abs(share - 0.5)).toBeLessThan(5 / 64);
    expect(new Set(shares.map((share) => share.toFixed(5))).size).toBe(3);
  });
});

describe("what is not trained", () => {
  /** Numbers before training: those of a run without steps. */
  async function moved(layers: LayerLike, options: NetworkOptions, run: FitOptions): Promise<Record<string, number>> {
    using data = signs(96);
    const before = startOf(network(layers, options), data, small.seed);
    const after = numbersOf(await fit(network(layers, options), data, { ...small, ...run }));
    return Object.fromEntries(
      Object.entries(before).map(([name, values]) => [name, Math.max(...values.map((v, i) => Math.abs(v - after[name][i])))]),
    );
  }
  const runs: [string, FitOptions][] = [
    ["AdamW", { rule: adamw({ rate: 0.01, decay: 0.1 }) }],
    ["AdamW on full gradients", { rule: adamw({ rate: 0.01, decay: 0.1 }), batch: "all" }],
    ["an average", { rule: chain(sgd({ rate: 0.1 }), averaging()) }],
    ["an average on full gradients", { rule: chain(sgd({ rate: 0.1 }), averaging()), batch: "all" }],
    ["replicas", { rule: momentum({ rate: 0.05 }), replicas: 3 }],
  ];

  it.each(runs)("frozen layers stay: %s", async (_, run) => {
    const layers = sequential([frozen(dense(6, { name: "first" })), relu(), dense(1, { name: "last" })]);
    const by = await moved(layers, { l2: 0.1 }, run);
    expect(by["first.weight"]).toBe(0);
    expect(by["last.weight"]).toBeGreaterThan(1e-3);
  });

  it.each(runs)("so do groups of rate 0: %s", async (_, run) => {
    const layers = sequential([grouped("slow", dense(6, { name: "first" })), relu(), dense(1, { name: "last" })]);
    const by = await moved(layers, { rates: { slow: 0 } }, run);
    expect(by["first.weight"]).toBe(0);
    expect(by["last.weight"]).toBeGreaterThan(1e-3);
  });

  it.each([false, true])("rates multiply steps; on full gradients: %s", async (all) => {
    const layers = sequential([
      grouped("slow", dense(6, { name: "first" })),
      relu(),
      grouped("quick", dense(1, { name: "last" })),
    ]);
    // One update: steps at the start, where the gradient is the same.
    const run: FitOptions = {
      rule: sgd({ rate: 0.1 }),
      epochs: undefined,
      until: { updates: 1 },
      precision: "f64",
      ...(all ? { batch: "all" as const } : {}),
    };
    const plain = await moved(layers, {}, run);
    const scaled = await moved(layers, { rates: { slow: 0.25, quick: 2 } }, run);
    expect(plain["first.weight"]).toBeGreaterThan(1e-3);
    expect(scaled["first.weight"] / plain["first.weight"]).toBeCloseTo(0.25, 4);
    expect(scaled["last.weight"] / plain["last.weight"]).toBeCloseTo(2, 4);
  });

  it("an average of a group's points is one of its own points", async () => {
    using data = signs(96);
    const layers = sequential([grouped("slow", dense(6, { name: "first" })), relu(), dense(1, { name: "last" })]);
    const options = { ...small, precision: "f64" as const, epochs: undefined, until: { updates: 1 } };
    const model = (rule: FitOptions["rule"]) => fit(network(layers, { rates: { slow: 0.5 } }), data, { ...options, rule });
    // After one update the average is the point itself.
    const averaged = numbersOf(await model(chain(sgd({ rate: 0.1 }), averaging())));
    expect(averaged).toEqual(numbersOf(await model(sgd({ rate: 0.1 }))));
  });
});

describe("parameters of one layer in two places", () => {
  it("stay one", async () => {
    using data = signs(96);
    const shared = dense(3, { name: "shared" });
    const model = await fit(network([shared, relu(), shared, dense(1, { name: "last" })]), data, small);
    expect(Object.keys(numbersOf(model)).filter((name) => !name.startsWith("constant"))).toEqual([
      "shared.weight",
      "shared.bias",
      "last.weight",
      "last.bias",
    ]);
    expect(model.description.parameters).toBe(3 * 3 + 3 + 3 + 1);
  });
});

describe("L2", () => {
  it("shrinks weights, and neither biases nor norms", async () => {
    // x is 0, and y is what biases give: no gradient of the loss, so that what moves is the penalty's.
    using data = Dataset.fromArrays({ x: [[0], [0], [0], [0]], y: [1, 1, 1, 1] });
    const layers = sequential([
      dense(3, { name: "first", initialBias: ones() }),
      layerNorm({ name: "norm" }),
      dense(1, { name: "last", initialBias: ones() }),
    ]);
    const model = network(layers, { loss: "squared", l2: 0.2, standardise: false });
    const before = startOf(model, data, 3);
    const after = numbersOf(
      await fit(model, data, { rule: sgd({ rate: 0.5 }), batch: 4, precision: "f64", seed: 3, until: { updates: 1 } }),
    );
    const names = ["first.weight", "first.bias", "norm.scale", "norm.shift", "last.weight", "last.bias"];
    const shrunk = (name: string) => after[name].map((v, i) => v - (name.endsWith("weight") ? 0.9 : 1) * before[name][i]);
    for (const name of names) for (const off of shrunk(name)) expect(Math.abs(off), name).toBeLessThan(1e-6);
  });
});

describe("running statistics", () => {
  it("are those of the last update, whatever a rule averages", async () => {
    using data = signs(96, "f64");
    const layers = sequential([batchNorm({ name: "norm" }), dense(1, { name: "last" })]);
    const options: FitOptions = { ...small, precision: "f64" };
    // The rate is so small that the layers are the same; statistics of the inputs move all the same.
    const rule = sgd({ rate: 1e-12 });
    const plain = await fit(network(layers), data, { ...options, rule });
    const averaged = await fit(network(layers), data, { ...options, rule: chain(rule, averaging()) });
    const rows = [{ x0: 0.3, x1: -2, x2: 1 }];
    expect(averaged.predict(rows)[0].probabilities!.same).toBeCloseTo(plain.predict(rows)[0].probabilities!.same, 6);
    // They have moved: after one update the prediction is another one.
    const early = await fit(network(layers), data, { ...options, rule, epochs: undefined, until: { updates: 1 } });
    expect(Math.abs(early.predict(rows)[0].probabilities!.same - plain.predict(rows)[0].probabilities!.same)).toBeGreaterThan(
      1e-3,
    );
  });
});

it("a run gives its memory back", async () => {
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
  for (let i = 0; i < 3; i++) {
    await once();
    await once({ replicas: 2, workers: 2 });
    await whole();
  }
  expect(memory.usedBytes).toBe(before);
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
