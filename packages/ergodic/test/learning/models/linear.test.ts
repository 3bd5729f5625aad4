/**
 * Linear models compared with closed forms: kernel machines through random features, weights of rows and classes, and
 * penalties by column and by group.
 */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/engine/contract/index.ts";
import {
  Dataset,
  epsilonInsensitiveLoss as epsilonInsensitive,
  type FitOptions,
  fit,
  huberLoss as huber,
  type LinearOptions,
  lbfgs,
  linear,
  orthogonal,
  polyak,
  rff,
  saga,
} from "../../../src/entries/everything.ts";
import { linearFromJson } from "../../../src/learning/models/linear/from-json.ts";
import { plantedRows } from "../../engine/loop/planted.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import { isSlow } from "../../power.ts";

const exact: FitOptions = { rule: lbfgs({ gradientTolerance: 1e-11, changeTolerance: 1e-16 }), precision: "f64" };

/** Solves Ax = b by elimination with pivoting. */
function solve(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]]);
  for (let k = 0; k < m.length; k++) {
    const pivot = m.slice(k).reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(m[best][k]) ? k + i : best), k);
    [m[k], m[pivot]] = [m[pivot], m[k]];
    for (let i = k + 1; i < m.length; i++) {
      const factor = m[i][k] / m[k][k];
      for (let j = k; j <= m.length; j++) m[i][j] -= factor * m[k][j];
    }
  }
  const x = new Array<number>(m.length).fill(0);
  for (let k = m.length - 1; k >= 0; k--)
    x[k] = (m[k][m.length] - m[k].slice(k + 1, m.length).reduce((sum, v, j) => sum + v * x[k + 1 + j], 0)) / m[k][k];
  return x;
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe("random features as kernel machines", () => {
  const n = 40;
  const u = numbers(17);
  const x = Array.from({ length: n }, () => [2 * u.next().value, 2 * u.next().value]);
  const smooth = x.map(([a, b]) => Math.sin(3 * a) + a * b);
  const labels = smooth.map((v) => Number(v + 0.3 * u.next().value > 0));
  const gamma = 1.5;
  const lambda = 0.01;
  const gaussian = x.map((p) => x.map((q) => Math.exp(-gamma * ((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2))));
  const times = (k: number[][], alpha: number[]): number[] => k.map((row) => row.reduce((sum, v, j) => sum + v * alpha[j], 0));

  /** f = Kα with (K + nλI) α = y: the minimum of mean ½(f − y)² + λ/2 αᵀKα. */
  const ridge = (k: number[][]): number[] =>
    times(
      k,
      solve(
        k.map((row, i) => row.map((v, j) => v + (i === j ? n * lambda : 0))),
        smooth,
      ),
    );

  /** The minimum of mean log(1 + e^(−yf)) + λ/2 αᵀKα, by Newton's method on f. */
  function logistic(k: number[][]): number[] {
    let f = new Array<number>(n).fill(0);
    for (let step = 0; step < 30; step++) {
      const p = f.map((v) => 1 / (1 + Math.exp(-v)));
      const w = p.map((v) => v * (1 - v));
      const working = f.map((v, i) => v + (labels[i] - p[i]) / w[i]);
      f = times(
        k,
        solve(
          k.map((row, i) => row.map((v, j) => v + (i === j ? (n * lambda) / w[i] : 0))),
          working,
        ),
      );
    }
    return f;
  }

  it.each([
    { loss: "squared" as const, kernel: ridge, y: smooth },
    { loss: "logistic" as const, kernel: logistic, y: labels },
  ])("$loss: equal the machine of their own kernel, and approximate the Gaussian's", async ({ loss, kernel, y }) => {
    const features = orthogonal({ count: 2000, gamma, seed: 1 });
    using data = Dataset.fromArrays({ x, y, type: "f64", classes: loss === "logistic" });
    const model = await fit(linear({ loss, l2: lambda, features, intercept: false, standardise: false }), data, exact);
    const f = model.outputs(data);
    using mapped = data.map(features);
    const z = x.map((_, i) => mapped.row(i));
    const own = z.map((a) => z.map((b) => a.reduce((sum, v, j) => sum + v * b[j], 0)));
    expect(largest(f, kernel(own))).toBeLessThan(1e-6);
    // Kernels differ by about 1/√(2000/2) in each cell, and the machine averages over the cells.
    expect(largest(own.flat(), gaussian.flat())).toBeLessThan(0.12);
    expect(largest(f, kernel(gaussian))).toBeLessThan(0.1);
    expect(largest(f, new Array(n).fill(0))).toBeGreaterThan(0.5);
    data.dispose();
  });

  it("come closer with more features", async () => {
    using data = Dataset.fromArrays({ x, y: smooth, type: "f64" });
    const wanted = ridge(gaussian);
    const apart = async (count: number): Promise<number> => {
      let sum = 0;
      for (const seed of isSlow ? [1, 2, 3] : [1]) {
        const model = await fit(
          linear({ l2: lambda, features: rff({ count, gamma, seed }), intercept: false, standardise: false }),
          data,
          exact,
        );
        sum += largest(model.outputs(data), wanted);
      }
      return sum;
    };
    expect(await apart(3200)).toBeLessThan(0.5 * (await apart(200)));
  });
});

describe("weights", () => {
  const planted = plantedRows({ rows: 50, columns: 5, classes: 2, format: "dense" });
  const x = Array.from({ length: 50 }, (_, i) => [...planted.data.row(i)]);
  const weights = planted.y.map((_, i) => 1 + (i % 3));

  it("count a row of weight 3 like three rows", async () => {
    using weighted = Dataset.fromArrays({ x, y: planted.y, classes: true, weights, type: "f64" });
    const copies = weights.flatMap((w, i) => new Array<number>(w).fill(i));
    using repeated = planted.data.select(copies);
    // Means are over rows, not over weights.
    const l2 = 0.05;
    const a = await fit(linear({ loss: "logistic", l2, standardise: false }), weighted, exact);
    const b = await fit(linear({ loss: "logistic", l2: (l2 * 50) / copies.length, standardise: false }), repeated, exact);
    expect(largest(a.weights, b.weights)).toBeLessThan(1e-7);
    const [one, other] = [a.evaluate(weighted), b.evaluate(repeated)] as { logLoss: number; accuracy: number }[];
    expect(one.accuracy).toBeCloseTo(other.accuracy, 12);
    expect(one.logLoss).toBeCloseTo(other.logLoss, 7);
  });

  it("multiply class weights by row weights", async () => {
    using plain = Dataset.fromArrays({ x, y: planted.y, classes: true, weights, type: "f64" });
    using multiplied = Dataset.fromArrays({
      x,
      y: planted.y,
      classes: true,
      weights: weights.map((w, i) => w * (planted.y[i] ? 2 : 0.25)),
      type: "f64",
    });
    const a = await fit(linear({ l2: 0.05, classWeights: { 0: 0.25, 1: 2 }, standardise: false }), plain, exact);
    const b = await fit(linear({ l2: 0.05, standardise: false }), multiplied, exact);
    expect(a.weights).toEqual(b.weights);
  });

  it("choose the step size of variance reduction from weighted rows", async () => {
    using plain = Dataset.fromArrays({ x, y: planted.y, classes: true, type: "f64" });
    const model = linear({ l2: 1, classWeights: { 0: 1, 1: 200 }, standardise: false });
    const wanted = await fit(model, plain, exact);
    const found = await fit(model, plain, { variance: saga(), precision: "f64", epochs: 4000 });
    expect(largest(found.weights, wanted.weights)).toBeLessThan(1e-6);
  });

  it("leave a column of penalty weight 0 free, and exclude one of penalty weight 1e9", async () => {
    const model = linear({ loss: "squared", l2: 1, penaltyWeights: { x0: 0, x1: 1e9 }, intercept: false, standardise: false });
    using data = Dataset.fromArrays({
      x: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      y: [3, 3, 3],
      type: "f64",
    });
    const { weights: w } = await fit(model, data, exact);
    // ½ mean (w − 3)² + v/2 w² has its minimum at 3 (1/3) / (1/3 + v).
    expect(largest(w, [3, 0, 3 / 4])).toBeLessThan(1e-8);
  });
});

describe("reported losses and losses for rules", () => {
  it("reports the loss of the data alone, but includes the penalty for Polyak's step on full gradients", async () => {
    const { data } = plantedRows({ rows: 80, columns: 5, classes: 2, format: "dense" });
    const model = linear({ loss: "logistic", l2: 0.1, standardise: false });
    const best = await fit(model, data, exact);
    const { logLoss } = best.evaluate(data) as { logLoss: number };
    expect(best.run.loss).toBeCloseTo(logLoss, 12);
    const optimum = logLoss + 0.05 * best.weights.reduce((sum, w) => sum + w * w, 0);
    const found = await fit(model, data, { rule: polyak({ optimum }), batch: "all", precision: "f64", epochs: 3000 });
    expect(largest(found.weights, best.weights)).toBeLessThan(1e-4);
    const { logLoss: own } = found.evaluate(data) as { logLoss: number };
    expect(found.run.loss).toBeCloseTo(own, 6);
    data.dispose();
  });
});

describe("group penalty over several classes", () => {
  it("agrees with proximal gradient, and zeroes whole groups over all outputs", async () => {
    const { data, entries, y } = plantedRows({ rows: 120, columns: 6, classes: 3, format: "dense", noise: 2 });
    const groups = [
      ["x0", "x1"],
      ["x2", "x3"],
    ];
    const strength = 0.035;
    const columns = [[0, 1], [2, 3], [4], [5]];
    const p = Array.from({ length: 3 }, () => new Array<number>(7).fill(0));
    for (let step = 0; step < 6000; step++) {
      const before = p.flat();
      const g = p.map((row) => row.map(() => 0));
      entries.forEach((row, i) => {
        const full = [...row, [6, 1] as const];
        const z = p.map((w) => full.reduce((sum, [j, v]) => sum + v * w[j], 0));
        const top = Math.max(...z);
        const e = z.map((v) => Math.exp(v - top));
        const total = e.reduce((a, b) => a + b);
        e.forEach((v, k) => {
          for (const [j, value] of full) g[k][j] += ((v / total - Number(k === y[i])) * value) / 120;
        });
      });
      for (const [k, w] of p.entries()) for (let j = 0; j < w.length; j++) w[j] -= g[k][j];
      for (const members of columns) {
        const norm = Math.sqrt(members.reduce((sum, j) => sum + p.reduce((s, w) => s + w[j] ** 2, 0), 0));
        const factor = Math.max(0, 1 - (strength * Math.sqrt(members.length)) / norm);
        for (const j of members) for (const w of p) w[j] *= norm === 0 ? 0 : factor;
      }
      // Steps shrink geometrically, by at least a thousandth each, so that the rest is far below the tolerance.
      if (largest(p.flat(), before) < 1e-13) break;
    }
    const wanted = p.flatMap((w) => w.slice(0, 6));
    const fitted = await fit(linear({ group: { strength, groups }, standardise: false }), data, {
      epochs: 300,
      precision: "f64",
    });
    expect(largest(fitted.weights, wanted)).toBeLessThan(1e-8);
    const zeros = columns.map((members) => members.every((j) => [0, 1, 2].every((k) => fitted.weights[6 * k + j] === 0)));
    expect(zeros).toEqual(columns.map((members) => members.every((j) => p.every((w) => w[j] === 0))));
    expect(zeros).toContain(true);
    expect(zeros).toContain(false);
    data.dispose();
  });
});

describe("the inputs of a model", () => {
  const { data } = plantedRows({ rows: 60, columns: 4, classes: 0, format: "dense" });
  const x = Array.from({ length: 60 }, (_, i) => [...data.row(i)].map((v, j) => v * 100 ** j + 5));
  const make = (): Dataset => Dataset.fromArrays({ x, y: data.target.values, type: "f64" });

  it("keep 0/1 columns in their units, and ignore them in the decision to standardise", async () => {
    const x = Array.from({ length: 40 }, (_, i) => [1000 + 37 * (i % 11), i % 20 === 3 ? 1 : 0, (i * 7) % 3 === 0 ? 1 : 0]);
    const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a / 100 + 5 * b) });
    const stepOf = async (options: LinearOptions, rows = data) => {
      const { pipeline } = (await fit(linear({ l2: 0, ...options }), rows)).description as unknown as {
        pipeline: { kind: string; centre: number[]; scale: number[] }[];
      };
      return pipeline.find(({ kind }) => kind === "standardise");
    };
    const step = await stepOf({});
    expect(step!.centre.slice(1)).toEqual([0, 0]);
    expect(step!.scale.slice(1)).toEqual([1, 1]);
    expect(step!.centre[0]).toBeGreaterThan(1000);
    const asked = await stepOf({ standardise: true });
    expect(asked!.centre[1]).toBeCloseTo(0.05, 10);
    const rare = Dataset.fromArrays({ x: x.map(([, b, c]) => [b, c, 2 * b - 1]), y: x.map(([a]) => a) });
    expect(await stepOf({}, rare)).toBeUndefined();
    expect(await stepOf({ standardise: true }, rare)).toBeDefined();
    // So rare that a numeric column of this size would be standardised.
    const once = Array.from({ length: 400 }, (_, i) => [i === 3 ? 1 : 0, 1 - 2 * (i % 2)]);
    expect(await stepOf({}, Dataset.fromArrays({ x: once, y: once.map((_, i) => i % 5) }))).toBeUndefined();
    // A map has one gamma for all columns.
    const mapped = await stepOf({ features: rff({ count: 20 }) });
    expect(mapped!.scale.slice(1)).toEqual([1, 1]);
    expect(await stepOf({ features: rff({ count: 20 }) }, rare)).toBeUndefined();
  });

  it("standardise columns of other scales automatically, while the model accepts raw rows", async () => {
    using raw = make();
    using standardised = raw.standardise();
    const auto = await fit(linear({ l2: 0.01 }), raw, exact);
    const asked = await fit(linear({ l2: 0.01, standardise: true }), raw, exact);
    const own = await fit(linear({ l2: 0.01, standardise: false }), standardised, exact);
    expect(auto.weights).toEqual(asked.weights);
    expect(auto.weights).toEqual(own.weights);
    expect(auto.outputs(raw)).toEqual(own.outputs(standardised));
    const left = await fit(linear({ l2: 0.01, standardise: false }), raw, exact);
    expect(left.weights).not.toEqual(auto.weights);
  });

  it("have no intercept if it is switched off", async () => {
    using raw = make();
    for (const options of [exact, { epochs: 2 }, { precision: "i8" as const, epochs: 2 }]) {
      const fitted = await fit(linear({ intercept: false, standardise: true }), raw, options);
      expect([...fitted.intercept]).toEqual([0]);
    }
  });

  it("are restored from JSON, including loss options and features", () => {
    const models: LinearOptions[] = [
      { loss: epsilonInsensitive({ epsilon: 0.2 }), l1: 0.1 },
      { loss: huber({ delta: 3 }), features: rff({ count: 8, gamma: 0.5 }), group: { strength: 0.1, groups: [] } },
    ];
    for (const options of models) {
      const model = linear(options);
      const json = JSON.parse(JSON.stringify(model.toJSON())) as JsonObject;
      expect(linearFromJson(json).toJSON()).toEqual(json);
    }
  });

  it("treat −1 and +1, or 0 and 1, as two classes for a binary loss, and keep their names", async () => {
    for (const [low, high] of [
      [-1, 1],
      [0, 1],
    ]) {
      using two = Dataset.fromArrays({ x, y: Array.from(data.target.values, (v) => (v > 0 ? high : low)) });
      const fitted = await fit(linear({ loss: "logistic" }), two, { epochs: 20 });
      expect(fitted.classes).toEqual([String(low), String(high)]);
      const metrics = fitted.evaluate(two) as { accuracy: number };
      const right = fitted.predict(two).filter(({ value }, i) => Number(value) === two.target.values[i]).length;
      expect(metrics.accuracy).toBe(right / 60);
      expect(metrics.accuracy).toBeGreaterThan(0.8);
    }
  });
});
