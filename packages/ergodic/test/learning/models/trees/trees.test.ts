/** Boosting of trees: equal to a plain reference, for every option, and the promises of a run. */
import { describe, expect, it } from "vitest";
import { mul, neg, sub } from "../../../../src/engine/compiler/index.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { CapabilityError, Dataset, fit, linear, OptionError, predictor, trees } from "../../../../src/entries/index.ts";
import type { Trained } from "../../../../src/learning/fit/trained.ts";
import { loss } from "../../../../src/learning/models/loss.ts";
import { huberLoss } from "../../../../src/learning/models/losses/huber.ts";
import type { TreesOptions } from "../../../../src/learning/models/trees/settings.ts";
import type { TreesPredictor } from "../../../../src/predict/trees/trees.ts";
import { boosted, type ReferenceOptions } from "./reference.ts";

/** Random rows of float32 numbers, of which some are missing, and a target. */
function rowsOf(seed: number, count: number, columns: number, gaps = 0.1): { x: number[][]; y: number[] } {
  const draws = stream(seed, "rows").at(0);
  const x = Array.from({ length: count }, () =>
    Array.from({ length: columns }, () => (draws.uniform() < gaps ? NaN : Math.fround(draws.normal()))),
  );
  const y = x.map((row) => (row[0] > 0 ? 1 : 0) * 2 + (row[1 % columns] || 0.7) * (row[2 % columns] || 1) + 0.3 * draws.normal());
  return { x, y };
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const DEFAULTS: ReferenceOptions = {
  rounds: 5,
  rate: 0.3,
  leaves: 8,
  depth: Infinity,
  l1: 0,
  l2: 1,
  minGain: 0,
  minHessian: 1,
  minRows: 1,
};

const optionsOf = ({ rounds: _, depth, ...rest }: ReferenceOptions): TreesOptions => ({
  ...rest,
  ...(depth === Infinity ? {} : { depth }),
});

const values = (model: TreesPredictor, x: readonly number[][]): number[] => model.predict(x).map(({ value }) => Number(value));

describe("trees() equals the reference", () => {
  const cases: [string, Partial<ReferenceOptions>][] = [
    ["with defaults", {}],
    ["with l1", { l1: 2 }],
    ["without l2", { l2: 0 }],
    ["with a limit on depth", { depth: 2, leaves: 31 }],
    ["with a smallest gain", { minGain: 1.5 }],
    ["with a smallest hessian", { minHessian: 12 }],
    ["with a smallest number of rows", { minRows: 15 }],
    ["with stumps", { leaves: 2 }],
  ];
  for (const [name, own] of cases) {
    it(`${name}, squared loss`, async () => {
      const options = { ...DEFAULTS, ...own };
      for (const seed of [1, 2, 3]) {
        const { x, y } = rowsOf(seed, 90, 4);
        const { x: at } = rowsOf(seed + 100, 50, 4, 0.3);
        const wanted = boosted(x, (z, i) => [z - y[i], 1], mean(y), options, at);
        const data = Dataset.fromArrays({ x, y, encode: "none" });
        const model = await fit(trees({ ...optionsOf(options), loss: "squared" }), data, { epochs: options.rounds });
        values(model, at).forEach((value, i) => {
          expect(value).toBeCloseTo(wanted[i], 9);
        });
      }
    });
  }

  it("with the logistic loss and row weights", async () => {
    const options = { ...DEFAULTS, minHessian: 0.5, minRows: 6 };
    for (const seed of [4, 5]) {
      const { x, y } = rowsOf(seed, 120, 3);
      const weights = y.map((_, i) => 0.5 + (i % 4));
      const t = y.map((value) => Number(value > 1));
      const total = weights.reduce((a, b) => a + b, 0);
      const p = weights.reduce((sum, w, i) => sum + w * t[i], 0) / total;
      const derivatives = (z: number, i: number): [number, number] => {
        const s = sigmoid(z);
        return [weights[i] * (s - t[i]), weights[i] * s * (1 - s)];
      };
      const wanted = boosted(x, derivatives, Math.log(p / (1 - p)), options, x);
      const data = Dataset.fromArrays({ x, y: t.map(String), weights, encode: "none" });
      const model = await fit(trees(optionsOf(options)), data, { epochs: options.rounds });
      model.predict(x).forEach(({ probabilities }, i) => {
        expect(probabilities!["1"]).toBeCloseTo(sigmoid(wanted[i]), 9);
      });
    }
  });

  it("with the bound on the curvature for a loss with pieces", async () => {
    const { x, y } = rowsOf(6, 90, 3);
    const base = await fit(
      trees({ loss: huberLoss({ delta: 0.5 }), minHessian: 1e9 }),
      Dataset.fromArrays({ x, y, encode: "none" }),
      { epochs: 1 },
    );
    const start = Number(base.predict(x[0]).value);
    const slope = (z: number, i: number): number => Math.max(-0.5, Math.min(0.5, z - y[i]));
    // The base has a slope of 0, to which the first tree, a single leaf, adds nothing.
    expect(y.reduce((sum, _, i) => sum + slope(start, i), 0)).toBeCloseTo(0, 6);
    const wanted = boosted(x, (z, i) => [slope(z, i), 1], start, DEFAULTS, x);
    const data = Dataset.fromArrays({ x, y, encode: "none" });
    const model = await fit(trees({ ...optionsOf(DEFAULTS), loss: huberLoss({ delta: 0.5 }) }), data, {
      epochs: DEFAULTS.rounds,
    });
    values(model, x).forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 6);
    });
  });
});

describe("several classes", () => {
  it("fit each class's slope and curvature of the multinomial loss", async () => {
    const { x, y } = rowsOf(7, 90, 3, 0);
    const classes = y.map((value) => (value < 0 ? 0 : value < 1.5 ? 1 : 2));
    const data = Dataset.fromArrays({ x, y: classes.map(String), encode: "none" });
    const model = await fit(trees({ ...optionsOf(DEFAULTS), leaves: 4, minHessian: 0.1 }), data, { epochs: 1 });
    const shares = [0, 1, 2].map((k) => classes.filter((c) => c === k).length / classes.length);
    const z = [0, 1, 2].map((k) =>
      boosted(
        x,
        (_, i) => [shares[k] - Number(classes[i] === k), shares[k] * (1 - shares[k])],
        0,
        { ...DEFAULTS, rounds: 1, leaves: 4, minHessian: 0.1 },
        x,
      ),
    );
    model.predict(x).forEach(({ probabilities }, i) => {
      const e = [0, 1, 2].map((k) => shares[k] * Math.exp(z[k][i]));
      const total = e[0] + e[1] + e[2];
      for (const k of [0, 1, 2]) expect(probabilities![String(k)]).toBeCloseTo(e[k] / total, 9);
    });
    expect(model.treeCount).toBe(3);
  });
});

describe("categories", () => {
  const table = (levels: readonly (string | null)[], y: readonly number[]) => {
    const names = [...new Set(levels.filter((level) => level !== null))];
    const codes = Int32Array.from(levels, (level) => (level === null ? -1 : names.indexOf(level)));
    return Dataset.fromTable(
      {
        source: "t",
        rowCount: y.length,
        columns: [
          { name: "city", kind: "category", levels: names, codes },
          { name: "y", kind: "number", values: Float64Array.from(y) },
        ],
      },
      { target: "y", encode: "none" },
    );
  };

  it("of four levels or fewer divide one level from the rest", async () => {
    const levels = Array.from({ length: 80 }, (_, i) => "abcd"[i % 4]);
    const y = levels.map((level) => ({ a: 0, b: 5, c: 1, d: 1 })[level]!);
    const model = await fit(trees({ leaves: 2, rate: 1, l2: 0 }), table(levels, y), { epochs: 1 });
    const at = (city: string | null): number => Number(model.predict({ city }).value);
    expect(at("b")).toBeCloseTo(5, 12);
    expect(at("a")).toBeCloseTo(2 / 3, 12);
    expect(at("c")).toBeCloseTo(2 / 3, 12);
    // No value was missing, so missing values and unknown levels go with the larger part.
    expect(at(null)).toBe(at("a"));
    expect(at("zzz")).toBe(at("a"));
  });

  it("of more levels are divided in the order of their means", async () => {
    const draws = stream(9, "levels").at(0);
    const means = Array.from({ length: 12 }, () => draws.normal());
    const levels = Array.from({ length: 2400 }, (_, i) => `level ${i % 12}`);
    const y = levels.map((level) => means[Number(level.slice(6))]);
    const model = await fit(trees({ leaves: 2, rate: 1, l2: 0 }), table(levels, y), { epochs: 1 });
    const found = means.map((_, k) => Number(model.predict({ city: `level ${k}` }).value));
    const order = [...means.keys()].sort((a, b) => means[a] - means[b]);
    // The best division of sorted means, by trying all.
    const sse = (part: readonly number[]): number =>
      part.reduce((sum, k) => sum + (means[k] - mean(part.map((i) => means[i]))) ** 2, 0);
    const best = [...order.keys()]
      .slice(1)
      .reduce((a, b) => (sse(order.slice(0, b)) + sse(order.slice(b)) < sse(order.slice(0, a)) + sse(order.slice(a)) ? b : a));
    order.forEach((k, rank) => {
      const part = rank < best ? order.slice(0, best) : order.slice(best);
      expect(found[k]).toBeCloseTo(mean(part.map((i) => means[i])), 9);
    });
  });

  it("learn the side of missing values", async () => {
    const levels = Array.from({ length: 90 }, (_, i) => ["a", "b", null][i % 3]);
    const y = levels.map((level) => (level === "a" ? 0 : 4));
    const model = await fit(trees({ leaves: 2, rate: 1, l2: 0 }), table(levels, y), { epochs: 1 });
    expect(Number(model.predict({ city: null }).value)).toBeCloseTo(4, 12);
    expect(Number(model.predict({ city: "new" }).value)).toBeCloseTo(4, 12);
  });
});

describe("a run", () => {
  const { x, y } = rowsOf(11, 400, 9);
  const data = Dataset.fromArrays({ x, y, encode: "none" });
  const model = trees({ rows: 0.7, columns: 0.6, leaves: 6 });

  it("gives the same bytes with any number of workers", async () => {
    const large = Dataset.fromArrays({ ...rowsOf(12, 12_000, 20), encode: "none" });
    const [one, two, four] = await Promise.all(
      [1, 2, 4].map(async (workers) => (await fit(model, large, { epochs: 3, seed: 5, workers })).toBytes()),
    );
    expect(two).toEqual(one);
    expect(four).toEqual(one);
  });

  it("continues from a checkpoint bit for bit", async () => {
    const whole = await fit(model, data, { epochs: 9, seed: 3 });
    const run = fit(model, data, { epochs: 9, seed: 3 });
    let checkpoint: Uint8Array | undefined;
    for await (const tick of run) {
      if (tick.update < 4) continue;
      checkpoint = await run.checkpoint();
      break;
    }
    const resumed = await fit.resume<TreesPredictor & Trained>(checkpoint!, data);
    expect(resumed.toBytes()).toEqual(whole.toBytes());
  });

  it("adds rounds to an earlier model", async () => {
    const plain = trees({ leaves: 6 });
    const whole = await fit(plain, data, { epochs: 10 });
    const half = await fit(plain, data, { epochs: 5 });
    const both = await fit(plain, data, { epochs: 5, from: half });
    expect(both.treeCount).toBe(10);
    expect(values(both, x)).toEqual(values(whole, x));
  });

  it("stops early and keeps the best rounds", async () => {
    const { train, test } = data.split(0.6, { seed: 1 });
    const run = fit(trees({ rate: 0.5 }), train, { epochs: 400, validate: test, patience: 3, seed: 1 });
    const losses: number[] = [];
    for await (const tick of run) if (tick.validation) losses.push(tick.validation.loss);
    const found = await run;
    expect(losses.length).toBeLessThan(400);
    expect(found.evaluate(test)).toMatchObject({ rmse: Math.min(...losses) });
    expect(found.treeCount).toBe(losses.indexOf(Math.min(...losses)) + 1);
  });

  it("reports the validation of every round, also if other runs measured the same rows before", async () => {
    const { train, test } = data.split(0.6, { seed: 1 });
    for (const rate of [0.5, 0.1, 0.5]) {
      const run = fit(trees({ rate }), train, { epochs: 4, validate: test, seed: 1 });
      const losses: number[] = [];
      for await (const tick of run) if (tick.validation) losses.push(tick.validation.loss);
      const found: number[] = [];
      for (let epochs = 1; epochs <= 4; epochs++)
        found.push((await fit(trees({ rate }), train, { epochs, seed: 1 })).evaluate(test).rmse!);
      expect(losses).toEqual(found);
    }
  });

  it("ends when no division lowers the loss", async () => {
    const flat = Dataset.fromArrays({ x: [[1], [1], [1], [1]], y: [1, 2, 3, 4] });
    const run = await fit(trees(), flat, { epochs: 50 });
    expect(run.treeCount).toBe(1);
    expect(Number(run.predict([1]).value)).toBeCloseTo(2.5, 12);
  });

  it("saves and loads the same model", async () => {
    const made = await fit(model, data, { epochs: 4, seed: 2 });
    const loaded = await predictor<TreesPredictor>(made.toBytes());
    expect(values(loaded, x)).toEqual(values(made, x));
    expect(loaded.toBytes()).toEqual(made.toBytes());
  });

  it("treats a row of weight 2 like two rows", async () => {
    const twice = x.flatMap((row, i) => (i % 3 === 0 ? [row, row] : [row]));
    const targets = y.flatMap((value, i) => (i % 3 === 0 ? [value, value] : [value]));
    const weighted = Dataset.fromArrays({ x, y, weights: y.map((_, i) => (i % 3 === 0 ? 2 : 1)), encode: "none" });
    const a = await fit(trees({ bins: 30 }), weighted, { epochs: 5 });
    const b = await fit(trees({ bins: 30 }), Dataset.fromArrays({ x: twice, y: targets, encode: "none" }), { epochs: 5 });
    values(a, x).forEach((value, i) => {
      expect(value).toBeCloseTo(values(b, [x[i]])[0], 9);
    });
  });
});

describe("limits", () => {
  const { x, y } = rowsOf(13, 300, 3, 0.05);
  const data = Dataset.fromArrays({ x, y, names: ["a", "b", "c"], encode: "none" });

  it("keeps monotone directions", async () => {
    const grid = Array.from({ length: 60 }, (_, k) => -3 + k / 10);
    for (const way of [1, -1] as const) {
      const model = await fit(trees({ monotone: { a: way } }), data, { epochs: 30 });
      for (const [, b, c] of x.slice(0, 40)) {
        const along = values(
          model,
          grid.map((a) => [a, b, c]),
        );
        along.slice(1).forEach((value, k) => {
          expect(way * (value - along[k])).toBeGreaterThanOrEqual(0);
        });
      }
    }
  });

  it("puts at least minRows rows into each leaf, whatever their second derivatives", async () => {
    const labels = y.map((value) => (value > 1 ? "yes" : "no"));
    const own = Dataset.fromArrays({ x, y: labels, encode: "none" });
    const model = await fit(trees({ minRows: 25, minHessian: 0, leaves: 64, rate: 1 }), own, { epochs: 4 });
    const { ensemble } = model;
    for (let t = 0; t < model.treeCount; t++) {
      const counts = new Map<number, number>();
      for (const row of x) {
        let n = ensemble.firstNode[t];
        while (ensemble.feature[n] >= 0) {
          const value = row[ensemble.feature[n]];
          const left = Number.isNaN(value) ? (ensemble.rule[n] & 1) === 1 : value < ensemble.threshold[n];
          n = left ? ensemble.left[n] : ensemble.right[n];
        }
        counts.set(n, (counts.get(n) ?? 0) + 1);
      }
      expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(25);
    }
  });

  it("uses at most the given number of bins, of about equal weight", async () => {
    const model = await fit(trees({ bins: 4, leaves: 40, minHessian: 0 }), data, { epochs: 5 });
    const { feature, threshold } = model.ensemble;
    for (let j = 0; j < 3; j++) {
      const cuts = new Set([...feature.keys()].filter((n) => feature[n] === j && threshold[n] < 1e30).map((n) => threshold[n]));
      expect(cuts.size).toBeLessThanOrEqual(3);
      const present = x.map((row) => row[j]).filter((value) => !Number.isNaN(value));
      for (const cut of cuts) {
        const share = (4 * present.filter((value) => value < cut).length) / present.length;
        expect(Math.abs(share - Math.round(share))).toBeLessThan(0.06);
      }
    }
  });
});

describe("refusals", () => {
  const { x, y } = rowsOf(14, 60, 3, 0);
  const data = Dataset.fromArrays({ x, y });
  it("name losses, columns, options and data that trees cannot use", async () => {
    await expect(fit(trees({ loss: "epsilonInsensitive" }), data)).rejects.toThrow(
      "has pieces on which its second derivative is 0",
    );
    await expect(fit(trees({ loss: "quantile", monotone: { x1: 1 } }), data)).rejects.toThrow("quantiles of residuals");
    await expect(fit(trees({ monotone: { z: 1 } }), data)).rejects.toThrow('monotone names "z", which is not a column');
    const concave = loss("concaveForTrees", {}, ({ z, y }) => neg(mul(sub(z, y), sub(z, y))), {
      task: "regression",
      link: "identity",
    });
    await expect(fit(trees({ loss: concave() }), data)).rejects.toThrow("but trees need one >= 0");
    expect(() => trees({ learningRate: 0.1 } as never)).toThrow("write rate: 0.1");
    expect(() => trees({ leaves: 1 })).toThrow(OptionError);
    expect(() => trees({ l2: 0, minHessian: 0 })).toThrow("both 0");
    await expect(fit(trees(), data, { replicas: 2, epochs: 1 })).rejects.toThrow(CapabilityError);
  });

  it("of models that need encoded columns name the option", async () => {
    const kept = Dataset.fromArrays({
      x: [
        [1, NaN],
        [2, 3],
        [3, 1],
      ],
      y: [1, 2, 3],
      encode: "none",
    });
    await expect(fit(linear(), kept)).rejects.toThrow('encode: "none"');
    expect(() => kept.standardise()).toThrow('encode: "none"');
    expect(() => kept.as("i8")).toThrow('encode: "none"');
    expect(() => Dataset.fromArrays({ x: [[1, NaN]], y: [1] })).toThrow("NaN");
  });
});
