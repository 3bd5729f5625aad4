/**
 * Boltzmann machines: gradients against enumeration of all states, learning, resuming, and refusals. Only this file runs
 * the program of contrastive divergence. predict/boltzmann.test.ts tests trained machines.
 */
import { describe, expect, it } from "vitest";
import * as ergodic from "../../../src/entries/everything.ts";
import { BoltzmannMachine } from "../../../src/predict/boltzmann/boltzmann.ts";

const { boltzmannMachine, Dataset, fit, sgd } = ergodic;

const VISIBLE = 3;
const HIDDEN = 2;
const WEIGHT = [0.5, -1, 1.5, 0.3, -0.7, 0.9];
const VISIBLE_BIAS = [0.2, -0.4, 0.1];
const HIDDEN_BIAS = [-0.3, 0.6];
const PATTERNS = [
  [1, 0, 1],
  [0, 1, 1],
  [1, 1, 0],
  [0, 0, 1],
];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const bits = (count: number): number[][] =>
  Array.from({ length: 2 ** count }, (_, k) => Array.from({ length: count }, (_, i) => (k >> i) & 1));
const hiddenGiven = (v: number[]): number[] =>
  HIDDEN_BIAS.map((b, j) => sigmoid(v.reduce((sum, x, i) => sum + x * WEIGHT[i * HIDDEN + j], b)));
const visibleGiven = (h: number[]): number[] =>
  VISIBLE_BIAS.map((a, i) => sigmoid(h.reduce((sum, x, j) => sum + x * WEIGHT[i * HIDDEN + j], a)));
const chance = (states: number[], ones: number[]): number =>
  states.reduce((product, s, k) => product * (s === 1 ? ones[k] : 1 - ones[k]), 1);
/** One sweep: distribution of v → distribution of v after hidden units and visible units were drawn. */
const swept = (p: number[]): number[] =>
  bits(VISIBLE).map((to) =>
    bits(HIDDEN).reduce(
      (sum, h) => sum + chance(to, visibleGiven(h)) * bits(VISIBLE).reduce((s, v, k) => s + p[k] * chance(h, hiddenGiven(v)), 0),
      0,
    ),
  );
/** Means of vᵀp(h | v), v and p(h | v) under a distribution of v, in the order W, a, b. */
const statistics = (p: number[]): number[] => {
  const sums = new Array<number>(VISIBLE * HIDDEN + VISIBLE + HIDDEN).fill(0);
  for (const [k, v] of bits(VISIBLE).entries()) {
    const h = hiddenGiven(v);
    const all = [...v.flatMap((x) => h.map((y) => x * y)), ...v, ...h];
    for (const [i, x] of all.entries()) sums[i] += p[k] * x;
  }
  return sums;
};
const ofRows = bits(VISIBLE).map((v) => PATTERNS.filter((row) => row.every((x, i) => x === v[i])).length / PATTERNS.length);
const model = (): number[] => {
  let p = new Array<number>(8).fill(1 / 8);
  for (let k = 0; k < 400; k++) p = swept(p);
  return p;
};

/** Rows in each test of a gradient. Standard errors are at most ½/√ROWS; tolerances are 5 of them for each of two means. */
const ROWS = 40_000;
const TOLERANCE = 5 / Math.sqrt(ROWS);
const many = Dataset.fromArrays({
  x: Array.from({ length: ROWS }, (_, i) => PATTERNS[i % PATTERNS.length]),
  y: new Float64Array(ROWS),
});
const few = Dataset.fromArrays({ x: PATTERNS, y: [0, 1, 0, 1] });
const start = new BoltzmannMachine({
  kind: "boltzmannMachine",
  description: { visible: VISIBLE, hidden: HIDDEN, pipeline: few.pipeline.toJSON() as never },
  tensors: {
    weight: Float64Array.from(WEIGHT),
    visibleBias: Float64Array.from(VISIBLE_BIAS),
    hiddenBias: Float64Array.from(HIDDEN_BIAS),
    base: new Float64Array(VISIBLE),
  },
});
const numbersOf = ({ machine }: InstanceType<typeof BoltzmannMachine>): number[] => [
  ...machine.weight,
  ...machine.visibleBias,
  ...machine.hiddenBias,
];

describe("the gradient of a Boltzmann machine", () => {
  it.each([
    ["CD-1", { steps: 1 }, swept(ofRows)],
    ["CD-3", { steps: 3 }, swept(swept(swept(ofRows)))],
    ["persistent chains after 60 sweeps", { steps: 60, persistent: true }, model()],
  ] as const)("is the difference of enumerated means: %s", async (_, options, ofModel) => {
    const trained = await fit(boltzmannMachine({ hidden: HIDDEN, ...options }), many, {
      ...{ rule: sgd({ rate: 1 }), batch: ROWS, epochs: 1, from: start, seed: 5, precision: "f64" },
    });
    const [data, free] = [statistics(ofRows), statistics(ofModel)];
    const before = numbersOf(start);
    for (const [i, after] of numbersOf(trained).entries())
      expect(Math.abs(after - before[i] - (data[i] - free[i]))).toBeLessThan(TOLERANCE);
  });

  it("continues the persistent chains from update to update", async () => {
    const [updates, rate] = [12, 1e-6];
    const trained = await fit(boltzmannMachine({ hidden: HIDDEN, persistent: true }), many, {
      ...{ rule: sgd({ rate }), batch: ROWS, epochs: updates, from: start, seed: 6, precision: "f64" },
    });
    // Chains start at hidden units of 0.
    let p = bits(VISIBLE).map((v) => chance(v, visibleGiven([0, 0])));
    const sums = statistics(ofRows).map((x) => updates * x);
    for (let update = 0; update < updates; update++) {
      for (const [i, x] of statistics(p).entries()) sums[i] -= x;
      p = swept(p);
    }
    const before = numbersOf(start);
    for (const [i, after] of numbersOf(trained).entries())
      expect(Math.abs((after - before[i]) / rate - sums[i])).toBeLessThan(updates * TOLERANCE);
    // The test could not see a restart at every update otherwise.
    const restarted = statistics(bits(VISIBLE).map((v) => chance(v, visibleGiven([0, 0]))));
    const differences = statistics(p).map((x, i) => Math.abs(x - restarted[i]));
    expect(Math.max(...differences)).toBeGreaterThan(4 * TOLERANCE);
  });

  it("weights rows, and ignores the rows that fill the last batch", async () => {
    // Two batches of 30,000: the second has 10,000 rows. With a rate of 1 at both, both gradients count.
    const weights = Float64Array.from({ length: ROWS }, (_, i) => (i % 4 === 0 ? 4 : 0.001));
    const data = Dataset.fromArrays({
      x: Array.from({ length: ROWS }, (_, i) => PATTERNS[i % 4]),
      y: new Float64Array(ROWS),
      weights,
    });
    const options = { rule: sgd({ rate: 1e-3 }), batch: 30_000, epochs: 1, from: start, seed: 5, precision: "f64" } as const;
    const trained = await fit(boltzmannMachine({ hidden: HIDDEN }), data, options);
    const first = bits(VISIBLE).map((v) => (v.every((x, i) => x === PATTERNS[0][i]) ? 1 : 0));
    const [rows, free] = [statistics(first), statistics(swept(first))];
    const before = numbersOf(start);
    for (const [i, after] of numbersOf(trained).entries()) {
      const change = (after - before[i]) / 1e-3;
      expect(Math.abs(change - 2 * (rows[i] - free[i]))).toBeLessThan(0.06);
    }
  });

  it("adds the penalties to W alone", async () => {
    const at = async (options: object) =>
      numbersOf(
        await fit(boltzmannMachine({ hidden: HIDDEN, ...options }), few, {
          ...{ rule: sgd({ rate: 0.5 }), batch: 4, epochs: 1, from: start, seed: 5, precision: "f64" },
        }),
      );
    const [plain, l2] = [await at({}), await at({ l2: 0.1 })];
    const changes = plain.map((x, i) => l2[i] - x);
    for (const [i, w] of WEIGHT.entries()) expect(changes[i]).toBeCloseTo(-0.5 * 0.1 * w, 10);
    expect(changes.slice(WEIGHT.length)).toEqual([0, 0, 0, 0, 0]);
  });
});

/** Bars and stripes on 3 × 3: all horizontal or all vertical lines, 14 distinct rows. */
const lines = Array.from({ length: 8 }, (_, k) => [0, 1, 2].map((i) => (k >> i) & 1));
const bars = [
  ...lines.map((line) => [0, 1, 2].flatMap((r) => line.map(() => line[r]))),
  ...lines.slice(1, -1).map((line) => [0, 1, 2].flatMap(() => line)),
];
const barsData = Dataset.fromArrays({ x: bars, y: new Float64Array(bars.length) });

describe("training a Boltzmann machine", () => {
  it.each([false, true])("learns bars and stripes (persistent: %s)", async (persistent) => {
    // Every row 8 times, because a few chains alone mix slowly.
    const data = Dataset.fromArrays({ x: new Array(8).fill(bars).flat(), y: new Float64Array(8 * bars.length) });
    const machine = await fit(boltzmannMachine({ hidden: 12, persistent }), data, {
      ...{ rule: sgd({ rate: 0.05 }), batch: 112, epochs: 6000, seed: 2 },
    });
    // Independent columns give −6.24. The best possible value is −ln 14 = −2.64.
    expect(machine.evaluate(barsData).logLikelihood).toBeGreaterThan(-4);
    expect(machine.evaluate(barsData).pseudoLogLikelihood).toBeGreaterThan(-4);
  });

  it("reports the stochastic pseudo-likelihood as the loss", async () => {
    const run = await fit(boltzmannMachine({ hidden: HIDDEN }), many, {
      ...{ rule: sgd({ rate: 1e-9 }), batch: ROWS, epochs: 1, from: start, seed: 3, precision: "f64" },
    });
    const exact = -start.evaluate(few).pseudoLogLikelihood;
    expect(Math.abs(run.run.loss - exact)).toBeLessThan((5 * VISIBLE) / Math.sqrt(ROWS));
  });

  it.each([false, true])("resumes bit for bit (persistent: %s)", async (persistent) => {
    const options = { batch: 4, epochs: 8, seed: 4 };
    const model = () => boltzmannMachine({ hidden: 5, persistent });
    const whole = await fit(model(), barsData, options);
    const half = fit(model(), barsData, { ...options, epochs: 4 });
    await half;
    const resumed = await fit.resume(await half.checkpoint(), barsData, { epochs: 8 });
    expect((resumed as never as typeof whole).machine).toEqual(whole.machine);
  });

  it("gives the same bytes with 1 and 2 workers, and trains on all rows at once", async () => {
    const of = async (workers: number) =>
      (await fit(boltzmannMachine({ hidden: 5 }), barsData, { batch: 3, epochs: 4, replicas: 2, workers, seed: 4 })).machine;
    expect(await of(2)).toEqual(await of(1));
    const all = await fit(boltzmannMachine({ hidden: 5 }), barsData, { batch: "all", epochs: 30, seed: 4 });
    expect(all.machine.weight.every(Number.isFinite)).toBe(true);
  });

  it("takes 100 epochs of 64 rows by adam() with a rate of 0.005 by default", async () => {
    const data = Dataset.fromArrays({ x: new Array(12).fill(bars).flat(), y: new Float64Array(12 * bars.length) });
    const of = async (options: object) => (await fit(boltzmannMachine({ hidden: 5 }), data, { seed: 4, ...options })).machine;
    const plain = await of({});
    expect(plain).toEqual(await of({ epochs: 100, batch: 64, rule: ergodic.adam({ rate: 0.005 }) }));
    const stepwise = { algorithm: ergodic.gradientDescent({ rule: ergodic.adam({ rate: 0.005 }) }) };
    expect(plain).toEqual(await of(stepwise));
  });

  it("measures held-out rows", async () => {
    const run = fit(boltzmannMachine({ hidden: 4 }), barsData, { epochs: 2, validate: few8(), seed: 1 });
    const ticks: ergodic.Tick[] = [];
    for await (const tick of run) ticks.push(tick);
    const machine = await run;
    const { pseudoLogLikelihood, logLikelihood } = machine.evaluate(few8());
    expect(ticks.at(-1)!.validation).toEqual({ loss: -pseudoLogLikelihood, pseudoLogLikelihood, logLikelihood });
  });

  it.each([
    ["a value above 1", { x: [[0, 3]] }, {}, {}, /row 1, column "x1": the value is 3, but .* from 0 to 1.*DATA_RANGE/],
    ["a negative value", { x: [[0, -1]] }, {}, {}, /the value is -1, but binary units.*DATA_RANGE/],
    [
      "all rows with persistent chains",
      {},
      { persistent: true },
      { batch: "all" },
      /batch is "all", but the number of pers.*PLAN_MEANING/,
    ],
    ["replicas of persistent chains", {}, { persistent: true }, { replicas: 2 }, /2 lanes were asked for.*PLAN_MEANING/],
    [
      "racing workers of persistent chains",
      {},
      { persistent: true },
      { replicas: "shared", workers: 2 },
      /2 lanes were.*PLAN_MEANING/,
    ],
    ["a rule on the whole objective", {}, {}, { rule: ergodic.lbfgs() }, /^fit: lbfgs\(\) compares losses.*RULE_CAPABILITY/],
    ["a rule that reads the loss", {}, {}, { rule: ergodic.polyak() }, /^fit: polyak\(\) compares losses.*RULE_CAPABILITY/],
    ["a negative l1", {}, { l1: -1 }, {}, /^boltzmannMachine: l1 is -1.*OPTION_RANGE/],
    ["a negative l2", {}, { l2: -1 }, {}, /^boltzmannMachine: l2 is -1.*OPTION_RANGE/],
    ["a number for a flag", {}, { persistent: 1 }, {}, /^boltzmannMachine: persistent is 1.*OPTION_TYPE/],
    ["no hidden units", {}, { hidden: 0 }, {}, /boltzmannMachine: hidden is 0.*OPTION_RANGE/],
    ["a fraction of a sweep", {}, { steps: 1.5 }, {}, /boltzmannMachine: steps is 1.5.*OPTION_/],
    ["an unknown option", {}, { visble: 3 }, {}, /boltzmannMachine.*visble.*OPTION_UNKNOWN/],
  ])("refuses %s", async (_, arrays, options, plan, message) => {
    const data = Dataset.fromArrays({ x: PATTERNS, ...arrays, y: new Float64Array((arrays as { x?: [] }).x?.length ?? 4) });
    const failed = async () =>
      await fit(boltzmannMachine({ hidden: 2, ...options } as never), data, { epochs: 1, ...plan } as never);
    await expect(failed()).rejects.toThrow(message);
  });
});

function few8() {
  return Dataset.fromArrays({ x: bars.slice(0, 8), y: new Float64Array(8) });
}
