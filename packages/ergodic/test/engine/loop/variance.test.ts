/**
 * Variance reduction: theoretical rates on problems with known largest curvature, and SVRG on replicas against a plain
 * twin.
 */
import { describe, expect, it } from "vitest";
import { theoreticalRate } from "../../../src/engine/optimise/variance.ts";
import { Dataset, fit, linear, sag, saga, sgd, svrg, type Variance } from "../../../src/entries/everything.ts";

const x = [
  [1, 0],
  [2, 1],
  [-1, 3],
  [0, -2],
  [1, 1],
  [2, -1],
];
const y = [1, -1, 2, 0.5, 3, -2];

/** The default rate of a run. */
async function rateOf(data: Dataset, variance: Variance, l2: number): Promise<number> {
  const model = linear({ loss: "squared", standardise: false, l2 });
  const run = fit(model, data, { variance, precision: "f64", epochs: 1 });
  const { algorithm } = (await run.chosen) as { algorithm: { rule: { rule: string; options: { rate: number } } } };
  await run;
  expect(algorithm.rule.rule).toBe("sgd");
  return algorithm.rule.options.rate;
}

describe("default rate of variance reduction", () => {
  it("is 1/(3(L + l2)) for SAGA and SVRG, 1/(L + l2) for SAG", () => {
    expect(theoreticalRate(saga(), 2, 1)).toBe(1 / 9);
    expect(theoreticalRate(svrg(), 2, 1)).toBe(1 / 9);
    expect(theoreticalRate(sag(), 2, 1)).toBe(1 / 3);
  });

  it("depends on the largest ‖x‖² of the rows, because squared loss has curvature 1", async () => {
    using data = Dataset.fromArrays({ x, y, type: "f64" });
    // ‖(−1, 3, 1)‖² = 11, because the intercept is a column of ones.
    expect(await rateOf(data, saga(), 0)).toBeCloseTo(1 / 33, 12);
    expect(await rateOf(data, svrg(), 0.5)).toBeCloseTo(1 / 34.5, 12);
    expect(await rateOf(data, sag(), 0.5)).toBeCloseTo(1 / 11.5, 12);
  });

  it("depends on the row's weight", async () => {
    const weights = [100, 1, 1, 1, 1, 1];
    using data = Dataset.fromArrays({ x, y, weights, type: "f64" });
    // The first row has ‖x‖² = 2 with weight 100, which exceeds the 11 of the third.
    expect(await rateOf(data, saga(), 0)).toBeCloseTo(1 / (3 * 200), 12);
  });
});

/**
 * Parameters of each replica by SVRG (Johnson, Zhang 2013) on its own rows, all averaged after each `averageEvery`
 * epochs.
 */
function svrgTwin(shards: readonly (readonly number[])[], rate: number, every: number, epochs: number): number[] {
  const lanes = shards.map((rows) => ({ rows, p: [0, 0], mean: [0, 0], table: new Map<number, number>() }));
  const slope = (p: readonly number[], i: number): number => x[i][0] * p[0] + x[i][1] * p[1] - y[i];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const lane of lanes) {
      if (epoch % every === 0) {
        lane.mean = [0, 0];
        for (const i of lane.rows) {
          const d = slope(lane.p, i);
          lane.table.set(i, d);
          for (const j of [0, 1]) lane.mean[j] += (d * x[i][j]) / lane.rows.length;
        }
      }
      for (const i of lane.rows) {
        const d = slope(lane.p, i) - lane.table.get(i)!;
        for (const j of [0, 1]) lane.p[j] -= rate * (d * x[i][j] + lane.mean[j]);
      }
    }
    const mean = [0, 1].map((j) => lanes.reduce((sum, { p }) => sum + p[j], 0) / lanes.length);
    for (const lane of lanes) lane.p = [...mean];
  }
  return lanes[0].p;
}

it.each([1, 3])(
  "SVRG on two replicas with different rows follows its twin across averagings, with a snapshot every %i epochs",
  async (every) => {
    using data = Dataset.fromArrays({ x, y, type: "f64" });
    const fitted = await fit(linear({ loss: "squared", standardise: false, intercept: false }), data, {
      rule: sgd({ rate: 0.05 }),
      variance: svrg({ every }),
      replicas: 2,
      precision: "f64",
      schedule: "ordered",
      epochs: 5,
      deterministic: true,
    });
    const wanted = svrgTwin(
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      0.05,
      every,
      5,
    );
    for (const [j, w] of fitted.weights.entries()) expect(w).toBeCloseTo(wanted[j], 10);
  },
);
