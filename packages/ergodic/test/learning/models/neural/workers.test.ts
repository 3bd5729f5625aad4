/** Networks on several workers: replicas, racing, shared full gradients, and their random draws. */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { RowObjective } from "../../../../src/engine/optimise/objective.ts";
import {
  adam,
  batchNorm,
  circulantNet,
  cnn,
  convolution,
  Dataset,
  dense,
  depthwise,
  dropout,
  type FitOptions,
  fit,
  flatten,
  globalAveragePool,
  gru,
  type LayerLike,
  momentum,
  network,
  relu,
  reshaped,
  sequential,
  sgd,
} from "../../../../src/entries/everything.ts";
import { planOf } from "../bound-network.ts";
import { digits, numbersOf, signs, small, startOf, stirred } from "./small-networks.ts";

describe("many workers", () => {
  it("compute the same as one if replicas are averaged", async () => {
    using data = signs(200);
    const options = { ...small, replicas: 4, averageEvery: 0.5 };
    const one = await fit(network(stirred()), data, { ...options, workers: 1 });
    const two = await fit(network(stirred()), data, { ...options, workers: 2 });
    expect(numbersOf(two)).toEqual(numbersOf(one));
    expect(two.run.updates).toBe(4 * 3 * Math.ceil(50 / 16));
  });

  const kinds: Record<string, () => LayerLike> = {
    "convolutions and pools": () => cnn({ outputs: 10, channels: [8, 12], hidden: 24 }),
    "depthwise convolutions": () => sequential([convolution(12), relu(), depthwise(), relu(), globalAveragePool(), dense(10)]),
    "circulant blocks": () => circulantNet({ outputs: 10, channels: [16, 16], hidden: 32 }),
    "a recurrence": () => sequential([reshaped([8, 8]), gru(16), dense(10)]),
  };
  it.each(Object.keys(kinds))("share no scratch memory: %s", async (name) => {
    const { train, test } = digits();
    using some = train.select(Array.from({ length: 128 }, (_, i) => i));
    const run = (workers: number) =>
      fit(network(kinds[name]()), some, { batch: 32, epochs: 1, replicas: 2, averageEvery: 0.25, seed: 2, workers });
    const [one, two] = [await run(1), await run(2)];
    expect(numbersOf(two)).toEqual(numbersOf(one));
    // Two simultaneous runs on one engine do not affect each other.
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
      replicas: "shared",
      epochs: 40,
      batch: 32,
      seed: 1,
    });
    expect(model.description.plan).toMatchObject({ replicas: "shared", workers: 2 });
    expect(model.evaluate(data).accuracy).toBeGreaterThan(0.9);
  });

  it("share full gradients of large networks in turns, with memory for the workers only", async () => {
    const { train, test } = digits();
    const engine = await openEngine();
    const model = network([convolution(32), relu(), dropout(0.2), flatten(), dense(10)]);
    const bytes: number[] = [];
    const seen: number[][] = [];
    for (const workers of [1, 2, 4]) {
      const plan = planOf({ batch: "all", workers, precision: { data: "f32", model: "f32" } });
      const problem = model.bind(train, plan, engine);
      const before = engine.memory.usedBytes;
      const objective = new RowObjective(problem, problem, plan, engine);
      bytes.push(engine.memory.usedBytes - before);
      const gradient = new Float64Array(problem.parameterCount);
      const loss = await objective.evaluateOnWorkers(problem.start, gradient, 3);
      seen.push([loss, ...gradient]);
      objective.dispose();
      problem.dispose();
      expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    const [one, two, four] = bytes;
    expect(one).toBeGreaterThan(2 ** 22);
    expect((four - two) / (two - one)).toBeCloseTo(2, 1);
    train.dispose();
    test.dispose();
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

describe("random layers", () => {
  // Outputs are 2wx or 0, depending on the mask of each row.
  const ROWS = 16_384;
  const x = Array.from({ length: ROWS }, (_, i) => [1 + i / 1e5]);
  const moment = (power: number): number => x.reduce((sum, [a]) => sum + a ** power, 0) / x.length;
  /**
   * Five standard errors of the mean of numbers that are 2x² or 0. One mask per 256 rows would make the error eight
   * times as large.
   */
  const bound = 5 * Math.sqrt(moment(4) / ROWS);
  const make = () => Dataset.fromArrays({ x, y: x.map(() => 0) });
  const model = network([dense(1, { bias: false, name: "w" }), dropout(0.5)], { loss: "squared", standardise: false });

  it("draw masks for each row of a full gradient, on any number of workers", async () => {
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
      // The loss at w = 1.
      expect(Math.abs(loss - moment(2))).toBeLessThan(bound);
      expect(gradient[0]).toBeCloseTo(2 * loss, 4);
      seen.push(loss);
    }
    expect(new Set(seen).size).toBe(6);
    objective.dispose();
    problem.dispose();
  });

  it("draw other masks in every chunk of 256 rows", async () => {
    const engine = await openEngine();
    const alike = Array.from({ length: ROWS }, (_, i) => [1 + (i % 256) / 1000]);
    const losses: number[] = [];
    // Two chunks of one part, and the first of the next. All other rows have weight 0.
    for (const from of [0, 256, ROWS / 16]) {
      const weights = alike.map((_, i) => Number(i >= from && i < from + 256));
      using data = Dataset.fromArrays({ x: alike, y: alike.map(() => 0), weights });
      const plan = planOf({ batch: "all", precision: { data: "f32", model: "f32" } });
      const problem = model.bind(data, plan, engine);
      const objective = new RowObjective(problem, problem, plan, engine);
      const at = Float64Array.from({ length: problem.parameterCount }, (_, i) => Number(i === 0));
      losses.push(objective.evaluate(at, at.slice()));
      objective.dispose();
      problem.dispose();
    }
    expect(Math.min(...losses)).toBeGreaterThan(0);
    expect(new Set(losses.map((loss) => loss.toPrecision(5))).size).toBe(3);
  });

  it.each<[string, FitOptions]>([
    ["on full gradients", { batch: "all" }],
    ["on minibatches", { batch: ROWS, schedule: "ordered" }],
  ])("draw masks in each update, %s", async (_, options) => {
    using data = make();
    const at = [(await startOf(model, data, 2))["w.weight"][0]];
    for (const updates of [1, 2, 3]) {
      const made = await fit(model, data, { rule: sgd({ rate: 0.1 }), ...options, until: { updates }, seed: 2 });
      at.push(numbersOf(made)["w.weight"][0]);
    }
    // w ← w (1 − rate · 2 · the mean of the numbers above)
    const shares = [0, 1, 2].map((t) => (1 - at[t + 1] / at[t]) / 0.2);
    for (const share of shares) expect(Math.abs(share - moment(2))).toBeLessThan(bound);
    expect(new Set(shares.map((share) => share.toFixed(5))).size).toBe(3);
  });
});
