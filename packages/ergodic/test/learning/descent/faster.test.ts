/** Rules with a multiple of their rate, schedules that keep pace with the rows that all replicas see, and that replicas which step so move their mean as one lane moves. */
import { describe, expect, it } from "vitest";
import { add, constant, div, equal, mul, where } from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  adagrad,
  adam,
  chain,
  clipValue,
  constantRate,
  cosineDecay,
  Dataset,
  rule as defineRule,
  exponentialDecay,
  fit,
  inverseTimeDecay,
  lbfgs,
  linear,
  optimalRate,
  polyak,
  prodigy,
  type Schedule,
  scheduleFreeSgd,
  sgd,
  stepDecay,
  warmUp,
} from "../../../src/entries/everything.ts";
import { faster, shortens } from "../../../src/learning/descent/faster.ts";

const counting = defineRule(
  "countingOfFaster",
  { rate: 0.5 },
  ({ g, rate }, { n }) => {
    const count = add(n, where(equal(g, 0), 0, 1));
    return { state: { n: count }, step: div(mul(rate, g), add(count, 1)) };
  },
  { summary: "steps over the number of times that a coordinate was seen", source: "own" },
);

it("steps become shorter by a schedule that falls, and by sums over all updates; by nothing else", () => {
  for (const rate of [
    inverseTimeDecay({ rate: 0.5, decay: 0.1 }),
    exponentialDecay({ rate: 0.5, factor: 0.99 }),
    stepDecay({ rate: 0.5, factor: 0.5, every: 10 }),
    cosineDecay({ rate: 0.5, updates: 100 }),
  ])
    for (const make of [sgd, adam]) expect(shortens(make({ rate }))).toBe(true);
  expect(shortens(adagrad())).toBe(true);
  for (const rule of [
    sgd({ rate: 0.5 }),
    sgd({ rate: constantRate({ rate: 0.5 }) }),
    adam(),
    polyak(),
    lbfgs(),
    chain(clipValue(), sgd()),
  ])
    expect(shortens(rule)).toBe(false);
});

describe("a faster rule", () => {
  it.each([
    ["a number", sgd({ rate: 0.125 }), sgd({ rate: 0.375 })],
    ["the default", adam(), adam({ rate: 3 * (adam().options.rate as number) })],
    ["with its other options", adam({ rate: 0.125, beta1: 0.5 }), adam({ rate: 0.375, beta1: 0.5 })],
    [
      "a schedule",
      sgd({ rate: inverseTimeDecay({ rate: 0.5, decay: 0.1 }) }),
      sgd({ rate: inverseTimeDecay({ rate: 1.5, decay: 3 * 0.1 }) }),
    ],
    [
      "both ends of a schedule",
      sgd({ rate: cosineDecay({ rate: 0.5, updates: 9, final: 0.25 }) }),
      sgd({ rate: cosineDecay({ rate: 1.5, updates: 3, final: 0.75 }) }),
    ],
  ])("has three times its rate: %s", (_, rule, wanted) => {
    const { rule: found, factor, sums } = faster(rule, 3)!;
    expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(wanted)));
    expect(found.kind).toBe("equation");
    expect([factor, sums]).toEqual([3, []]);
  });

  it("is √k times as fast with AdaGrad, whose sums are of a k-th of the gradients", () => {
    const { rule, factor, sums } = faster(adagrad({ rate: 0.5, epsilon: 1e-3 }), 4)!;
    expect(JSON.parse(JSON.stringify(rule))).toEqual(JSON.parse(JSON.stringify(adagrad({ rate: 1, epsilon: 1e-3 }))));
    expect([factor, sums]).toEqual([2, ["r"]]);
  });

  it.each([
    ["a constant", constantRate({ rate: 0.25 })],
    ["1/t", inverseTimeDecay({ rate: 0.25, decay: 0.05 })],
    ["1/√t", inverseTimeDecay({ rate: 0.25, decay: 0.05, power: 0.5 })],
    ["exponential decay", exponentialDecay({ rate: 0.25, factor: 0.97 })],
    ["steps", stepDecay({ rate: 0.25, every: 12, factor: 0.5 })],
    ["a cosine that ends", cosineDecay({ rate: 0.25, updates: 70, final: 0.05 })],
    ["1/αt", optimalRate({ alpha: 0.01, offset: 30 })],
    ["1/αt from the usual offset", optimalRate({ alpha: 0.01 })],
  ])("has the rate that one lane has when as many rows were seen: %s", (_, schedule) => {
    const at = (rate: unknown, t: number): number => (rate as Schedule).value(constant(t)).value;
    for (const [make, k, factor] of [
      [sgd, 2, 2],
      [sgd, 3, 3],
      [adagrad, 4, 2],
    ] as const) {
      const { rate } = faster(make({ rate: schedule }), k)!.rule.options;
      for (let t = 1; t <= 40; t++) expect(at(rate, t) / (factor * at(schedule, k * (t - 1) + 1))).toBeCloseTo(1, 12);
    }
  });

  it.each([
    ["a rule that finds its rate", polyak()],
    ["a search", lbfgs()],
    ["a step whose rate grows by a factor", sgd({ rate: exponentialDecay({ rate: 0.5, factor: 1.01 }) })],
    ["a step whose rate is multiplied by more than 1", sgd({ rate: stepDecay({ rate: 0.5, factor: 2 }) })],
    ["a cosine that ends higher", sgd({ rate: cosineDecay({ rate: 0.5, final: 0.75 }) })],
    ["a chain", chain(clipValue(), sgd())],
    ["a rule that finds the distance to go by all updates", prodigy()],
    ["a rule that averages all updates", scheduleFreeSgd()],
    ["a rule of a user that counts all updates", counting()],
    ["steps that would end between two updates", sgd({ rate: stepDecay({ rate: 0.5, every: 7 }) })],
    ["a rate that rises", sgd({ rate: warmUp({ rate: 0.5, updates: 9 }) })],
    ["a rate that rises, to a schedule", sgd({ rate: warmUp({ rate: constantRate({ rate: 0.5 }), updates: 9 }) })],
  ])("is none: %s", (_, rule) => {
    expect(faster(rule, 2)).toBeUndefined();
    expect(faster(rule, 5)).toBeUndefined();
  });

  it("moves the mean of replicas as far as one lane moves, on rows that share no column", async () => {
    const count = 64;
    using data = Dataset.fromSparse({
      rowCount: count,
      columnCount: count,
      rowStart: Uint32Array.from({ length: count + 1 }, (_, i) => i),
      columnIndex: Uint32Array.from({ length: count }, (_, i) => i),
      values: new Float64Array(count).fill(1),
      target: Float64Array.from({ length: count }, (_, i) => i % 7),
      source: "unit vectors",
    });
    const rule = sgd({ rate: 0.125 });
    const weights = async (options: Parameters<typeof fit>[2]) =>
      (await fit(linear({ standardise: false, intercept: false }), data, { ...options, epochs: 1 })).weights;
    const one = await weights({ rule });
    const two = await weights({ rule: faster(rule, 2)!.rule, replicas: 2 });
    expect(Math.max(...one)).toBeGreaterThan(0.1);
    two.forEach((weight, i) => void expect(weight).toBeCloseTo(one[i], 6));
  });

  it.each([
    ["sgd by 1/t", (n: number) => sgd({ rate: inverseTimeDecay({ rate: 0.06, decay: 2 / n }) })],
    ["AdaGrad", () => adagrad({ rate: 0.1 })],
  ])("brings two replicas as near to the optimum as one lane, on words by Zipf's law: %s", async (_, make) => {
    const rowCount = 8000;
    const { data, objective } = words(rowCount);
    const model = linear({ loss: "logistic", l2: 1e-4, standardise: false });
    const loss = async (options: Parameters<typeof fit>[2]): Promise<number> => {
      const { weights, intercept } = await fit(model, data, { seed: 1, ...options });
      return objective(weights, intercept[0]);
    };
    const optimum = await loss({ rule: lbfgs(), batch: "all", until: { epochs: 1000 } });
    const rule = make(rowCount);
    const one = (await loss({ rule, epochs: 12 })) - optimum;
    const two = (await loss({ rule: faster(rule, 2)!.rule, replicas: 2, averageEvery: 0.25, epochs: 12 })) - optimum;
    data.dispose();
    expect(one).toBeGreaterThan(0);
    expect(two / one).toBeLessThan(1.15);
  });
});

/** Of weights and an intercept: mean logistic loss, and the penalty. */
type Objective = (weights: Float64Array, intercept: number) => number;

/** Twenty words a row of 2000, the j-th as often as 1/(j + 10); a weight of each. */
function words(rowCount: number): { data: Dataset; objective: Objective } {
  const [perRow, columnCount] = [20, 2000];
  const draws = stream(3, "words").at(0);
  const sums = new Float64Array(columnCount);
  for (let j = 0, sum = 0; j < columnCount; j++) sums[j] = sum += 1 / (j + 10);
  const truth = Float64Array.from({ length: columnCount }, () => 1.3 * (draws.uniform() - 0.5));
  const rowStart = Uint32Array.from({ length: rowCount + 1 }, (_, i) => i * perRow);
  const columnIndex = new Uint32Array(rowCount * perRow);
  const target = new Float64Array(rowCount);
  for (let i = 0; i < rowCount; i++) {
    const row = new Set<number>();
    while (row.size < perRow) {
      const u = draws.uniform() * sums[columnCount - 1];
      row.add(sums.findIndex((sum) => sum >= u));
    }
    const columns = [...row].sort((a, b) => a - b);
    columnIndex.set(columns, i * perRow);
    const margin = columns.reduce((sum, j) => sum + truth[j], 0);
    target[i] = draws.uniform() < 1 / (1 + Math.exp(-margin)) ? 1 : 0;
  }
  const values = new Float64Array(columnIndex.length).fill(1);
  const data = Dataset.fromSparse({ rowCount, columnCount, rowStart, columnIndex, target, values, source: "words" });
  const objective: Objective = (weights, intercept) => {
    let sum = 0;
    for (let i = 0; i < rowCount; i++) {
      let margin = intercept;
      for (let k = rowStart[i]; k < rowStart[i + 1]; k++) margin += weights[columnIndex[k]];
      sum += Math.log1p(Math.exp(target[i] > 0 ? -margin : margin));
    }
    return sum / rowCount + 0.5e-4 * weights.reduce((squares, w) => squares + w * w, 0);
  };
  return { data, objective };
}
