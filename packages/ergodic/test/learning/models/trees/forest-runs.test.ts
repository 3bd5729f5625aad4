/** Promises of runs of forests: workers, checkpoints, further trees, files, refusals, and what uses their predictions. */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import {
  crossValidate,
  Dataset,
  extraTrees,
  fit,
  forest,
  measure,
  predictor,
  tree,
  trees,
  tune,
} from "../../../../src/entries/index.ts";
import type { Trained } from "../../../../src/learning/fit/trained.ts";
import { openLearner } from "../../../../src/learning/online/online.ts";
import { calibrated, conformal } from "../../../../src/predict/calibration/index.ts";
import type { TreesPredictor } from "../../../../src/predict/trees/trees.ts";

function rowsOf(seed: number, count: number): { x: number[][]; y: number[]; c: string[] } {
  const draws = stream(seed, "forest runs").at(0);
  const x = Array.from({ length: count }, () => Array.from({ length: 5 }, () => Math.fround(draws.normal())));
  const y = x.map((row) => 2 * Number(row[0] > 0) + row[1] * row[2] + 0.3 * draws.normal());
  return { x, y, c: y.map((v) => (v < 0 ? "low" : v < 1.5 ? "middle" : "high")) };
}

const { x, y, c } = rowsOf(1, 600);
const numbers = Dataset.fromArrays({ x, y, encode: "none" });
const classes = Dataset.fromArrays({ x, y: c, encode: "none" });
const values = (model: TreesPredictor): number[] => model.predict(x).map(({ value }) => Number(value));

describe("a run of a forest", () => {
  it("gives the same bytes with any number of workers", async () => {
    for (const model of [forest(), extraTrees()]) {
      const [one, two, five] = await Promise.all(
        [1, 2, 5].map(async (workers) => (await fit(model, classes, { epochs: 7, seed: 5, workers })).toBytes()),
      );
      expect(two).toEqual(one);
      expect(five).toEqual(one);
    }
  });

  it("continues from a checkpoint bit for bit, with its out-of-bag error", async () => {
    for (const data of [numbers, classes]) {
      const whole = await fit(forest(), data, { epochs: 12, seed: 3 });
      const run = fit(forest(), data, { epochs: 12, seed: 3 });
      let checkpoint: Uint8Array | undefined;
      for await (const tick of run) {
        if (tick.update < 4) continue;
        checkpoint = await run.checkpoint();
        break;
      }
      run.stop();
      await run;
      const resumed = await fit.resume<TreesPredictor & Trained>(checkpoint!, data);
      expect(resumed.toBytes()).toEqual(whole.toBytes());
      expect(resumed.run.report).toEqual(whole.run.report);
      expect(resumed.run.loss).toBe(whole.run.loss);
    }
  });

  it("adds trees to an earlier model", async () => {
    const whole = await fit(forest(), numbers, { epochs: 9, seed: 2 });
    const part = await fit(forest(), numbers, { epochs: 4, seed: 2 });
    const both = await fit(forest(), numbers, { epochs: 5, seed: 2, from: part });
    expect(both.treeCount).toBe(9);
    values(both).forEach((value, i) => {
      expect(value).toBeCloseTo(values(whole)[i], 9);
    });
    expect(both.run.loss).toBeCloseTo(whole.run.loss, 9);
    const shares = await fit(forest(), classes, { epochs: 3, from: await fit(forest(), classes, { epochs: 2 }) });
    expect(shares.treeCount).toBe(5);
  });

  it("stops early, reports the out-of-bag error in ticks, and saves and loads the same model", async () => {
    const { train, test } = classes.split(0.7, { seed: 1 });
    const run = fit(forest(), train, { epochs: 300, validate: test, patience: 10, seed: 1 });
    const errors: number[] = [];
    for await (const tick of run) errors.push(Number(tick.oob));
    const model = await run;
    expect(model.treeCount).toBeLessThan(300);
    expect(errors.at(-1)).toBeGreaterThan(0);
    // With some trees, the out-of-bag error is an honest estimate: five standard errors of 180 rows.
    const held = 1 - model.evaluate(test).accuracy!;
    expect(Math.abs(errors.at(-1)! - held)).toBeLessThan(5 * Math.sqrt(0.25 / 180));
    const loaded = await predictor<TreesPredictor>(model.toBytes());
    expect(loaded.predict(x)).toEqual(model.predict(x));
    expect(loaded.toBytes()).toEqual(model.toBytes());
  });

  it("gives probabilities that sum to 1, and class weights change them", async () => {
    const plain = await fit(forest(), classes, { epochs: 10, seed: 1 });
    for (const { probabilities } of plain.predict(x)) {
      const p = Object.values(probabilities!);
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(Math.min(...p)).toBeGreaterThanOrEqual(0);
    }
    const heavy = await fit(forest({ minRows: 20, classWeights: { low: 100 } }), classes, { epochs: 10, seed: 1 });
    const lows = (model: TreesPredictor): number => model.predict(x).filter(({ value }) => value === "low").length;
    expect(lows(heavy)).toBeGreaterThan(lows(plain));
  });

  it("uses offsets of numbers, and refuses those of classes", async () => {
    const offset = y.map((_, i) => 100 * (i % 2));
    const data = Dataset.fromArrays({ x, y: y.map((v, i) => v + offset[i]), offset, encode: "none" });
    const model = await fit(forest(), data, { epochs: 5, seed: 1 });
    const without = await fit(forest(), numbers, { epochs: 5, seed: 1 });
    expect(model.evaluate(data).rmse).toBeCloseTo(without.evaluate(numbers).rmse!, 6);
    const shifted = Dataset.fromArrays({ x, y: c.map((v) => (v === "low" ? "a" : "b")), offset, encode: "none" });
    await expect(fit(forest(), shifted)).rejects.toThrow("shares of classes");
  });

  it("refuses what does not fit", async () => {
    expect(() => forest({ nEstimators: 5 } as never)).toThrow("epochs: 200");
    expect(() => tree({ columns: 0.5 } as never)).toThrow("columns");
    const boosted = await fit(trees(), numbers, { epochs: 2 });
    await expect(fit(forest(), numbers, { from: boosted })).rejects.toThrow("from was made by trees()");
    const grown = await fit(forest(), numbers, { epochs: 2 });
    await expect(fit(trees(), numbers, { from: grown })).rejects.toThrow("from was made by forest()");
    await expect(fit(tree(), numbers, { from: grown })).rejects.toThrow("cannot be continued");
    for (const model of [boosted, grown]) await expect(openLearner(model)).rejects.toThrow("only linear models, networks");
  });
});

describe("verbs around models of trees", () => {
  type Made = TreesPredictor & Trained;
  const makers: Record<string, { train: (data: Dataset) => PromiseLike<Made>; folds: () => PromiseLike<unknown> }> = {
    trees: {
      train: (data) => fit(trees({ leaves: 6 }), data, { epochs: 20, seed: 1 }),
      folds: () => crossValidate(trees({ leaves: 6 }), numbers, { folds: 3, fit: { epochs: 5 } }),
    },
    forest: {
      train: (data) => fit(forest(), data, { epochs: 20, seed: 1 }),
      folds: () => crossValidate(forest(), numbers, { folds: 3, fit: { epochs: 5 } }),
    },
    tree: {
      train: (data) => fit(tree({ minRows: 5 }), data),
      folds: () => crossValidate(tree({ minRows: 5 }), numbers, { folds: 3 }),
    },
  };
  for (const [name, { train: trained, folds }] of Object.entries(makers)) {
    it(`calibrate, measure and cross-validate ${name}`, async () => {
      const { train, test } = classes.split(0.5, { seed: 1 });
      const halves = test.split(0.5, { seed: 2 });
      const model = await trained(train);
      const before = model.evaluate(halves.train);
      for (const method of ["temperature", "isotonic"] as const) {
        const honest = await calibrated(model, halves.train, { method });
        // On the rows by which it was chosen, a temperature does not raise the log loss.
        const after = honest.evaluate(halves.train).logLoss!;
        if (method === "temperature") expect(after).toBeLessThanOrEqual(before.logLoss! + 1e-9);
        for (const { probabilities } of honest.predict(x.slice(0, 20)))
          expect(Object.values(probabilities!).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      }
      const binary = Dataset.fromArrays({ x, y: y.map((v) => (v > 0.5 ? "yes" : "no")), encode: "none" }).split(0.5, { seed: 3 });
      const two = await trained(binary.train);
      // For two classes, curves do not raise it either.
      for (const method of ["temperature", "isotonic"] as const) {
        const honest = await calibrated(two, binary.test, { method });
        expect(honest.evaluate(binary.test).logLoss!).toBeLessThanOrEqual(two.evaluate(binary.test).logLoss! + 1e-9);
      }
      // A set covers at least 0.9 on average; five standard errors.
      const careful = await conformal(model, halves.train, { alpha: 0.1 });
      const kept = careful.predict(halves.test) as unknown as { set: string[] }[];
      const names = halves.test.target.levels!;
      const covered = kept.filter(({ set }, i) => set.includes(names[halves.test.target.values[i]])).length / kept.length;
      expect(covered).toBeGreaterThan(0.9 - 5 * Math.sqrt(0.09 / kept.length));
      const parts = numbers.split(0.5, { seed: 4 });
      const intervals = await conformal(await trained(parts.train), parts.test, { alpha: 0.1 });
      const [{ interval }] = intervals.predict([x[0]]) as unknown as { interval: [number, number] }[];
      expect(interval[0]).toBeLessThan(interval[1]);
      const { metrics } = (await folds()) as { metrics: { rmse: { mean: number } } };
      const spread = numbers.target.values.reduce((sum, v) => sum + v ** 2, 0) / 600;
      expect(metrics.rmse.mean).toBeLessThan(Math.sqrt(spread));
      const measured = await measure(model, x.slice(0, 10), { scenario: "offline", rows: 50, seconds: 0.01, warmup: 0 });
      expect(measured.rowsPerSecond).toBeGreaterThan(0);
    });
  }

  it("tune the columns of a forest", async () => {
    const { train, test } = numbers.split(0.7, { seed: 1 });
    const best = await tune(
      ({ columns }, { signal }) => fit(forest({ columns: columns! }), train, { epochs: 10, validate: test, signal, seed: 1 }),
      { over: { columns: { low: 0.1, high: 1 } }, trials: 4, seed: 1 },
    );
    expect(best.settings.columns).toBeGreaterThan(0.1);
    expect(best.value).toBeGreaterThan(0);
  });
});
