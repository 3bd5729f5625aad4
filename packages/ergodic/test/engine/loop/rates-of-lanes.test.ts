/**
 * The rate of each update. Racing lanes share one count of updates, while growth and smoothing depend on the updates
 * per epoch.
 */
import { describe, expect, it } from "vitest";
import {
  Dataset,
  fit,
  inverseTimeDecay,
  linear,
  quantileLoss,
  sgd,
  spsMax,
  stochasticLineSearch,
} from "../../../src/entries/everything.ts";

/** Row i is unit vector i, so each update moves only one weight, independently of the others. */
function identity(count: number): Dataset {
  const table = {
    rowCount: count,
    columnCount: count,
    rowStart: Uint32Array.from({ length: count + 1 }, (_, i) => i),
    columnIndex: Uint32Array.from({ length: count }, (_, i) => i),
    values: new Float64Array(count).fill(1),
    // The target is so far away that the slope of the quantile loss stays −τ.
    target: new Float64Array(count).fill(1e6),
    source: "unit vectors",
  };
  return Dataset.fromSparse(table, { type: "f64" });
}

describe("racing lanes", () => {
  // With l2, weights are stored as a scale times the updated values, and the scale must use the lane's update count,
  // too. An l2 of 1e-9 changes no weight measurably.
  it.each([0, 1e-9])("two lanes use the rates of updates 1, 3, 5 … and 2, 4, 6 …, with l2 %f", async (l2) => {
    const count = 12;
    using data = identity(count);
    const rate = inverseTimeDecay({ rate: 1, decay: 1 });
    const model = linear({ loss: quantileLoss({ quantile: 0.5 }), l2, intercept: false, standardise: false });
    const fitted = await fit(model, data, {
      rule: sgd({ rate }),
      workers: 2,
      replicas: "shared",
      precision: "f64",
      schedule: "ordered",
      epochs: 1,
    });
    // η_t = 1/t, times τ.
    const wanted = Array.from({ length: count }, (_, t) => 0.5 / (t + 1));
    const found = [...fitted.weights].sort((a, b) => b - a);
    for (const [i, w] of found.entries()) expect(w).toBeCloseTo(wanted[i], 6);
  });
});

describe("growth per epoch", () => {
  const rows = 10;
  // Batches of 3 of 10 rows give 4 updates per epoch, the last with one row.
  const x = Array.from({ length: rows }, (_, i) => [1 + (i % 3)]);
  const y = x.map(([v]) => 5 * v);
  const options = { batch: 3, precision: "f64", schedule: "ordered", deterministic: true } as const;
  const model = linear({ loss: "squared", intercept: false, standardise: false });

  it("the first step of the line search grows by `growth` per epoch, not per update", async () => {
    using data = Dataset.fromArrays({ x, y, type: "f64" });
    // So small that the first trial of each batch is accepted.
    const rule = stochasticLineSearch({ initial: 1e-6, growth: 3, c: 0.1 });
    for (const epochs of [1, 2]) {
      const { run } = await fit(model, data, { ...options, rule, epochs });
      expect(run.updates).toBe(4 * epochs);
      expect(run.report.rate / 1e-6).toBeCloseTo(3 ** epochs, 9);
    }
  });

  it("the smoothed cap of Polyak's rule doubles per epoch, even with a smaller last batch", async () => {
    using data = Dataset.fromArrays({ x, y, type: "f64" });
    const maximum = 1e-7;
    const weights = async (epochs: number): Promise<number> =>
      (await fit(model, data, { ...options, rule: spsMax({ maximum }), epochs })).weights[0];
    // Steps are always capped: η_t = maximum · 2^((t − 1)/4), on gradients Σ x (xw − y)/rows with w near 0.
    const slopes = [0, 3, 6, 9].map((from) => {
      const batch = x.slice(from, from + 3).map(([v]) => -5 * v * v);
      return batch.reduce((sum, g) => sum + g, 0) / batch.length;
    });
    const moved = Array.from({ length: 8 }, (_, t) => -maximum * 2 ** (t / 4) * slopes[t % 4]).reduce(
      (sum, step) => sum + step,
      0,
    );
    expect((await weights(2)) / moved).toBeCloseTo(1, 4);
  });
});
