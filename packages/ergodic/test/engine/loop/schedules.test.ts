/**
 * The rows that a run visits, for every schedule, batches with a short last one, and racing and replicated lanes.
 * Results depend neither on the grouping of updates into calls nor, for fixed replicas, on the number of workers. Rows
 * are one-hot and the loss is steep and linear, so that a parameter counts the visits of its row. One chi-square test
 * has a false-alarm rate of 1e-4 and detects a row drawn 1.5 times as often.
 */
import { describe, expect, it } from "vitest";
import type { Plan, Progression, Tensor } from "../../../src/engine/contract/index.ts";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { type PlanOptions, resolvePlan } from "../../../src/engine/loop/plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import {
  adam,
  averaging,
  chain,
  lbfgs,
  prodigy,
  type Rule,
  sag,
  saga,
  scheduleFreeSgd,
  sgd,
  stochasticLineSearch,
  svrg,
  type Variance,
} from "../../../src/entries/everything.ts";
import { gradientDescent } from "../../../src/learning/descent/gradient-descent.ts";
import { LinearProblem } from "../../../src/learning/models/linear/problem.ts";
import type { Loss } from "../../../src/learning/models/loss.ts";
import {
  logisticLoss as logistic,
  multinomialLoss as multinomial,
  quantileLoss as quantile,
} from "../../../src/learning/models/losses/index.ts";
import { chiSquare } from "../../bayes/statistical/p-values.ts";
import { plantedRows } from "./planted.ts";

const engine = await openEngine();

interface Started extends Disposable {
  progression: Progression;
  plan: Plan;
}

async function begin(
  data: Dataset,
  options: PlanOptions,
  {
    rule,
    variance,
    loss = logistic(),
    outputs = 1,
    l1 = 0,
    l2 = 0,
    intercept = false,
  }: {
    rule: Rule;
    variance?: Variance;
    loss?: Loss;
    outputs?: number;
    l1?: number;
    l2?: number;
    intercept?: boolean;
  },
): Promise<Started> {
  const plan = resolvePlan("test", options, engine.describe(), { batch: rule.kind === "host" ? "all" : 1 });
  const prepared = data.as(plan.precision.data);
  const problem = new LinearProblem(prepared, engine, {
    loss,
    outputs,
    intercept,
    l1,
    l2,
    group: 0,
    groups: [],
    nonNegative: false,
    penaltyWeights: undefined,
    classWeights: undefined,
    model: plan.precision.model,
    deterministic: plan.deterministic,
  });
  const progression = await gradientDescent({ rule, variance }).start(problem, plan, engine);
  return {
    progression,
    plan,
    [Symbol.dispose]() {
      progression.dispose();
      problem.dispose();
    },
  };
}

const oneHot = (n: number, format: "dense" | "sparse" = "dense"): Dataset =>
  Dataset.fromSparse(
    {
      rowCount: n,
      columnCount: n,
      rowStart: Uint32Array.from({ length: n + 1 }, (_, i) => i),
      columnIndex: Uint32Array.from({ length: n }, (_, i) => i),
      values: new Float64Array(n).fill(1),
      target: new Float64Array(n).fill(1e9),
      source: "one-hot rows",
    },
    { format, type: "f64" },
  );

/** Rows of each step in ascending order, with repetitions. */
async function visits(
  n: number,
  options: PlanOptions,
  epochs = 2,
  format?: "dense" | "sparse",
): Promise<{ steps: number[][]; stepsPerEpoch: number; made: number[] }> {
  using data = oneHot(n, format);
  using run = await begin(data, { precision: "f64", ...options }, { rule: sgd({ rate: 1 }), loss: quantile() });
  const { progression, plan } = run;
  const copies = plan.replicas === "shared" ? 1 : plan.replicas;
  const steps: number[][] = [];
  const made: number[] = [];
  let before = new Float64Array(n);
  while (steps.length < epochs * progression.stepsPerEpoch) {
    const advance = await progression.advance(1);
    made.push(advance.updates);
    const now = progression.parameters().slice(0, n);
    // Each visit in a batch of B adds ½/B to one copy. The mean divides this by the number of copies.
    const unit = (0.5 * advance.updates) / advance.rows / copies;
    const counts = [...now].map((p, i) => (p - before[i]) / unit);
    for (const c of counts) expect(c).toBeCloseTo(Math.round(c), 9);
    steps.push(counts.flatMap((c, i) => new Array<number>(Math.round(c)).fill(i)));
    expect(advance.rows).toBe(steps[steps.length - 1].length);
    before = now;
  }
  expect(progression.updates).toBe(made.reduce((a, b) => a + b, 0));
  return { steps, stepsPerEpoch: progression.stepsPerEpoch, made };
}

const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sorted = (rows: number[]): number[] => [...rows].sort((a, b) => a - b);

describe("row schedules", () => {
  it.each([1, 4, 8, 23, 40])("ordered, batch %i: visits rows as stored, with a short last batch", async (batch) => {
    const { steps } = await visits(23, { schedule: "ordered", batch });
    const size = Math.min(batch, 23);
    const epoch = Array.from({ length: Math.ceil(23 / size) }, (_, s) => all(23).slice(s * size, (s + 1) * size));
    expect(steps).toEqual([...epoch, ...epoch]);
  });

  it.each([1, 4, 22, 23])(
    "shuffled, batch %i: visits each row once per epoch, in an order that changes with epoch and seed",
    async (batch) => {
      const { steps, stepsPerEpoch } = await visits(23, { schedule: "shuffled", batch, seed: 1 });
      const [first, second] = [steps.slice(0, stepsPerEpoch), steps.slice(stepsPerEpoch)];
      for (const epoch of [first, second]) {
        expect(sorted(epoch.flat())).toEqual(all(23));
        expect(epoch.map((rows) => rows.length)).toEqual(
          Array.from({ length: stepsPerEpoch }, (_, s) => Math.min(batch, 23 - s * batch)),
        );
      }
      if (batch < 23) {
        expect(first).not.toEqual(second);
        expect((await visits(23, { schedule: "shuffled", batch, seed: 2 }, 1)).steps).not.toEqual(first);
        expect((await visits(23, { schedule: "shuffled", batch, seed: 1 }, 1)).steps).toEqual(first);
      }
    },
  );

  it("blocks: visits each row once, keeps neighbours together, and shuffles blocks", async () => {
    const { steps, stepsPerEpoch } = await visits(23, { schedule: "blocks", blockRows: 5, seed: 4 });
    const epochs = [steps.slice(0, stepsPerEpoch).flat(), steps.slice(stepsPerEpoch).flat()];
    const blocks = [0, 5, 10, 15, 20].map((from) =>
      all(23)
        .slice(from, from + 5)
        .join(),
    );
    const heads = epochs.map((order) => {
      const found: string[] = [];
      for (let at = 0; at < order.length; ) {
        const block = all(23).slice(order[at], Math.min(23, order[at] + 5));
        expect(order.slice(at, at + block.length)).toEqual(block);
        found.push(block.join());
        at += block.length;
      }
      expect([...found].sort()).toEqual([...blocks].sort());
      return found;
    });
    expect(heads[0]).not.toEqual(heads[1]);
    expect(heads[0]).not.toEqual(blocks);
  });

  it("draws rows uniformly with replacement", async () => {
    const n = 20;
    using data = oneHot(n);
    using run = await begin(
      data,
      { precision: "f64", schedule: "replacement", seed: 8 },
      { rule: sgd({ rate: 1 }), loss: quantile() },
    );
    for (let epoch = 0; epoch < 1000; epoch++) await run.progression.advance(Infinity);
    const counts = [...run.progression.parameters().slice(0, n)].map((p) => Math.round(2 * p));
    expect(counts.reduce((a, b) => a + b)).toBe(20_000);
    expect(chiSquare(counts, () => 1000)).toBeGreaterThan(1e-4);
    // The test would detect a defect that draws row 0 1.5 times as often.
    const mutant = counts.map((c, i) => (i === 0 ? 1.5 * c : c));
    const mean = mutant.reduce((a, b) => a + b) / n;
    expect(chiSquare(mutant, () => mean)).toBeLessThan(1e-4);
    const { steps } = await visits(20, { schedule: "replacement", batch: 7, seed: 8 });
    expect(steps.map((rows) => rows.length)).toEqual([7, 7, 6, 7, 7, 6]);
    expect(new Set(steps.slice(0, 3).flat()).size).toBeLessThan(20);
  });

  it("racing workers share the rows of an epoch, and unequal shares end early", async () => {
    // Uses sparse rows, because racing lanes can lose simultaneous writes, and a dense update writes every parameter.
    const { steps, made, stepsPerEpoch } = await visits(
      23,
      { workers: 2, replicas: "shared", schedule: "shuffled" },
      2,
      "sparse",
    );
    expect(sorted(steps.slice(0, stepsPerEpoch).flat())).toEqual(all(23));
    expect(sorted(steps.slice(stepsPerEpoch).flat())).toEqual(all(23));
    expect(made.slice(0, stepsPerEpoch)).toEqual([...new Array(11).fill(2), 1]);
  });

  it.each(["ordered", "shuffled", "blocks"] as const)(
    "sharded replicas, %s: visit each row once per epoch over all copies",
    async (schedule) => {
      const { steps, stepsPerEpoch } = await visits(23, {
        replicas: 4,
        schedule,
        averageEvery: 100,
        ...(schedule === "blocks" ? { blockRows: 2 } : {}),
      });
      expect(stepsPerEpoch).toBe(6);
      expect(sorted(steps.slice(0, 6).flat())).toEqual(all(23));
      expect(sorted(steps.slice(6).flat())).toEqual(all(23));
    },
  );

  it("replicated data: each copy visits every row in its own order", async () => {
    const { steps, stepsPerEpoch } = await visits(9, { replicas: 3, data: "replicated", averageEvery: 100 });
    expect(stepsPerEpoch).toBe(9);
    expect(sorted(steps.slice(0, 9).flat())).toEqual(sorted([...all(9), ...all(9), ...all(9)]));
    expect(steps.some((rows) => new Set(rows).size > 1)).toBe(true);
  });
});

describe("averaging replicas", () => {
  it("all copies continue from their mean, states included, at the given interval of epochs", async () => {
    const { data } = plantedRows({ rows: 40, columns: 5, classes: 2, format: "dense" });
    using run = await begin(data, { replicas: 4, averageEvery: 0.5, precision: "f64" }, { rule: adam({ rate: 0.1 }) });
    const copies = (): number[][] =>
      Array.from({ length: 4 }, (_, c) => [...(run.progression.snapshot().tensors[`parameters.${c}`] as Float64Array)]);
    await run.progression.advance(4);
    const before = copies();
    expect(before[0]).not.toEqual(before[1]);
    const states = run.progression.snapshot().tensors;
    await run.progression.advance(100);
    expect(run.progression.step).toBe(5);
    const after = copies();
    for (const copy of after) expect(copy).toEqual(after[0]);
    const moments = Object.keys(states).filter((name) => name.startsWith("state."));
    expect(moments.length).toBe(8);
    const tensors = run.progression.snapshot().tensors;
    for (const name of moments) expect([...tensors[name]]).toEqual([...tensors[name.replace(/\d+$/, "0")]]);
    data.dispose();
  });
});

interface Setting {
  name: string;
  plan: PlanOptions;
  rule: Rule;
  variance?: Variance;
  classes?: number;
  format?: "dense" | "sparse";
}
const settings: Setting[] = [
  { name: "sgd", plan: {}, rule: sgd({ rate: 0.1 }) },
  { name: "sgd, sparse", plan: {}, rule: sgd({ rate: 0.1 }), format: "sparse" },
  { name: "adam, batch 4, sparse", plan: { batch: 4 }, rule: adam({ rate: 0.05 }), format: "sparse" },
  { name: "saga, with replacement", plan: { schedule: "replacement" }, rule: sgd({ rate: 0.05 }), variance: saga() },
  {
    name: "sag, sparse",
    plan: { schedule: "blocks", blockRows: 3 },
    rule: sgd({ rate: 0.05 }),
    variance: sag(),
    format: "sparse",
  },
  { name: "svrg, batch 3", plan: { batch: 3 }, rule: sgd({ rate: 0.05 }), variance: svrg({ every: 2 }) },
  { name: "8-bit data, 16-bit model", plan: { precision: { data: "i8", model: "i16" } }, rule: sgd({ rate: 0.1 }) },
  { name: "stochastic line search", plan: { batch: 5 }, rule: stochasticLineSearch() },
  { name: "prodigy, three classes", plan: { batch: 2 }, rule: prodigy(), classes: 3 },
  { name: "averaged iterates", plan: {}, rule: chain(sgd({ rate: 0.1 }), averaging({ start: 20 })) },
  { name: "schedule-free, three classes, sparse", plan: {}, rule: scheduleFreeSgd({ rate: 0.2 }), classes: 3, format: "sparse" },
];

async function bytesOf(
  setting: Setting,
  plan: PlanOptions,
  stretch: (step: number) => number,
): Promise<{ bytes: Map<string, string>; parameters: number[]; lossSum: number }> {
  const { data } = plantedRows({ rows: 37, columns: 6, classes: setting.classes ?? 2, format: setting.format ?? "dense" });
  using run = await begin(
    data,
    { seed: 6, ...setting.plan, ...plan },
    {
      rule: setting.rule,
      variance: setting.variance,
      loss: setting.classes ? multinomial() : logistic(),
      outputs: setting.classes ?? 1,
      l2: 0.01,
      intercept: true,
    },
  );
  const { progression } = run;
  let lossSum = 0;
  while (progression.step < 4 * progression.stepsPerEpoch)
    lossSum += (await progression.advance(stretch(progression.step))).lossSum;
  const text = (tensor: Tensor): string => Buffer.from(tensor.buffer, tensor.byteOffset, tensor.byteLength).toString("hex");
  const { tensors, state } = progression.snapshot();
  const bytes = new Map([
    ...Object.entries(tensors).map(([name, tensor]): [string, string] => [name, text(tensor)]),
    ["state", JSON.stringify(state)],
  ]);
  const parameters = [...progression.parameters()];
  data.dispose();
  return { bytes, parameters, lossSum };
}

describe("determinism", () => {
  const stretches = [() => 1, () => 7, (step: number) => 1 + (step % 5)];
  it.each(settings)("grouping updates does not change the bytes: $name", async (setting) => {
    for (const plan of [{}, ...(setting.rule.kind === "search" ? [] : [{ replicas: 3, averageEvery: 0.4 }])]) {
      const whole = await bytesOf(setting, plan, () => Infinity);
      expect(Math.max(...whole.parameters.map(Math.abs))).toBeGreaterThan(1e-3);
      for (const stretch of stretches) {
        const { bytes, lossSum } = await bytesOf(setting, plan, stretch);
        expect(bytes).toEqual(whole.bytes);
        expect(Math.abs(lossSum - whole.lossSum)).toBeLessThan(1e-12 * Math.abs(whole.lossSum));
      }
    }
  });

  it.each(settings)("the number of workers does not change the bytes with fixed replicas: $name", async (setting) => {
    const plan = { replicas: 4, averageEvery: 0.5 };
    const one = await bytesOf(setting, { ...plan, workers: 1 }, () => 5);
    for (const workers of [2, 3]) expect((await bytesOf(setting, { ...plan, workers }, () => 5)).bytes).toEqual(one.bytes);
    const strict = await bytesOf(setting, { ...plan, workers: 2, deterministic: true }, () => 3);
    expect(strict.bytes).toEqual((await bytesOf(setting, { ...plan, workers: 1, deterministic: true }, () => 9)).bytes);
  });

  it("the number of workers does not change the bytes of full gradients", async () => {
    for (const rule of [sgd({ rate: 0.5 }), adam({ rate: 0.1 })]) {
      const setting = { name: rule.name, plan: { batch: "all" as const }, rule };
      const one = await bytesOf(setting, { workers: 1 }, () => 1);
      expect((await bytesOf(setting, { workers: 2 }, () => 1)).bytes).toEqual(one.bytes);
    }
    const { data } = plantedRows({ rows: 900, columns: 6, classes: 2, format: "dense" });
    const ends = await Promise.all(
      [1, 2].map(async (workers) => {
        using run = await begin(data, { workers }, { rule: lbfgs(), l2: 0.01 });
        for (let k = 0; k < 5; k++) await run.progression.advance(1);
        return [...run.progression.parameters()];
      }),
    );
    expect(ends[0]).toEqual(ends[1]);
    data.dispose();
  });

  it("another seed changes the bytes", async () => {
    const a = await bytesOf({ ...settings[0], plan: { seed: 1 } }, { seed: 1 }, () => 5);
    const b = await bytesOf({ ...settings[0], plan: { seed: 2 } }, { seed: 2 }, () => 5);
    expect(a.bytes).not.toEqual(b.bytes);
  });
});
