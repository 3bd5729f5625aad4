/** `l2: "auto"`, and the defaults of `fit` if nothing is specified. */
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  adagrad,
  Dataset,
  type FitOptions,
  fit,
  type LinearOptions,
  linear,
  newtonCholesky,
  rff,
  saga,
} from "../../../src/entries/everything.ts";
import { chosenStrength } from "../../../src/learning/fit/kinds/linear-strength.ts";
import { inRowSpan } from "../../../src/learning/fit/kinds/row-span.ts";
import { isSlow, power } from "../../power.ts";

interface Made {
  readonly train: Dataset;
  /** Made on first use, because most tests need no test rows. */
  readonly test: Dataset;
}

/** Training rows, and test rows that are made on first use. */
function lazily(train: Dataset, makeTest: () => Dataset): Made {
  let made: Dataset | undefined;
  return {
    train,
    get test() {
      made ??= makeTest();
      return made;
    },
  };
}

/** Rows of `columns` normal numbers, `signal` of which matter, in units of noise. */
function noisy(
  rows: number,
  columns: number,
  { signal = 1, seed = 1, classes = 0, shift = 0 }: { signal?: number; seed?: number; classes?: number; shift?: number } = {},
): Made {
  const draws = stream(seed, "rows").at(0);
  const truth = Array.from({ length: columns }, () => (signal * draws.normal()) / Math.sqrt(columns));
  const make = (count: number): Dataset => {
    const x = Array.from({ length: count }, () => Array.from({ length: columns }, () => draws.normal()));
    const z = x.map((row) => shift + row.reduce((sum, v, j) => sum + v * truth[j], 0));
    const y = classes
      ? z.map((v) => "abcd"[Math.min(classes - 1, Math.max(0, Math.floor(v + draws.normal() + classes / 2)))])
      : [];
    return Dataset.fromArrays({ x, y: classes ? y : z.map((v) => v + draws.normal()) });
  };
  return lazily(make(rows), () => make(power(1000, 2000)));
}

/** Rows of categories with some rare levels that predict four classes well: sparse rows of 120 columns. */
function levelled(rows: number, seed: number): Made {
  const draws = stream(seed, "levels").at(0);
  const [categories, levels, classes] = [4, 30, "abcd"];
  const effects = Array.from({ length: categories }, () =>
    Array.from({ length: levels }, () => Array.from(classes, () => 4 * draws.normal())),
  );
  const make = (rowCount: number) => {
    const codes = effects.map(() => new Int32Array(rowCount));
    const y = Int32Array.from({ length: rowCount }, (_, i) => {
      const scores = Array.from(classes, () => -Math.log(-Math.log(draws.uniform())));
      for (const [c, effect] of effects.entries()) {
        codes[c][i] = Math.floor(levels * draws.uniform() ** 2);
        for (const [k, value] of effect[codes[c][i]].entries()) scores[k] += value;
      }
      return scores.indexOf(Math.max(...scores));
    });
    const names = Array.from({ length: levels }, (_, k) => `level ${k}`);
    const columns = codes.map((code, c) => ({ name: `c${c}`, kind: "category" as const, levels: names, codes: code }));
    const target = { name: "y", kind: "category" as const, levels: [...classes], codes: y };
    return { columns: [...columns, target], rowCount, source: "levels" };
  };
  const train = Dataset.fromTable(make(rows), { target: "y", format: "sparse" });
  return { train, test: train.pipeline.apply(make(power(1500, 3000))) };
}

const chosenL2 = async (model: LinearOptions, data: Dataset, options: FitOptions = {}): Promise<number> => {
  const { model: made } = (await fit(linear(model), data, options).chosen) as { model: { l2: number } };
  return made.l2;
};
const errorOf = async (l2: LinearOptions["l2"], { train, test }: Made, model: LinearOptions = {}): Promise<number> => {
  const measured = (await fit(linear({ ...model, l2 }), train, { algorithm: "auto", seed: 2 })).evaluate(test);
  return measured.logLoss ?? measured.deviance ?? measured.rmse!;
};

describe("the strength", () => {
  it("is found from step to step by L-BFGS, too, if the best one is weak", async () => {
    for (const seed of isSlow ? [1, 2] : [1]) {
      const made = levelled(3000, seed);
      const chosen = await errorOf("auto", made);
      let least = Infinity;
      // The error is smallest at 10⁻⁴·⁵ for both seeds, and rises on both sides, so this strength alone suffices.
      const most = power(0, 2);
      for (let off = -most; off <= most; off += 0.5) least = Math.min(least, await errorOf(10 ** (off - 4.5), made));
      expect(chosen).toBeLessThan(1.015 * least);
    }
  });

  type Shape = [rows: number, columns: number, more?: Parameters<typeof noisy>[2]];
  const more: [string, Shape, LinearOptions][] = [
    ["two classes, little to learn", [100, 40, { signal: 0.3, classes: 2 }], {}],
    ["numbers, fewer rows than columns", [60, 90, { signal: 3 }], {}],
    ["three classes, four times as many columns as rows", [60, 240, { signal: 3, classes: 3 }], {}],
    ["numbers, mostly noise", [60, 30, { signal: 0.5 }], { loss: "huber" }],
    ["without an intercept", [90, 60, { signal: 2, classes: 2 }], { intercept: false }],
  ];
  it.each<[string, Shape, LinearOptions]>([
    ["two classes, fewer rows than columns", [80, 120, { signal: 2, classes: 2 }], {}],
    ["two classes, many rows", [3000, 20, { signal: 3, classes: 2 }], {}],
    ["three classes that share a loss", [120, 40, { signal: 2, classes: 3 }], {}],
    ["one class against the rest", [150, 30, { signal: 2, classes: 3 }], { loss: "logistic" }],
    ["numbers, four times as many columns as rows", [40, 160, { signal: 3 }], {}],
    ["numbers far from 0, in large units", [60, 30, { signal: 500, shift: 1e5 }], {}],
    ["random features", [200, 5, { signal: 2, classes: 2 }], { features: rff({ count: 300, seed: 1 }) }],
    // These take the same paths as the other cases.
    ...(isSlow ? more : []),
  ])("%s: predicts test rows about as well as the best of many strengths", async (_, [rows, columns, more], model) => {
    const ratios: number[] = [];
    const seeds = power(1, 4);
    for (let seed = 1; seed <= seeds; seed++) {
      const made = noisy(rows, columns, { ...more, seed });
      const errors: number[] = [];
      // The best strength is among these. Weaker and stronger ones take longer and run only at full power.
      for (let k = power(-5, -12); k <= power(0, 3); k++) errors.push(await errorOf(10 ** k, made, model));
      ratios.push((await errorOf("auto", made, model)) / Math.min(...errors));
    }
    // Folds are a sample: a wrong choice costs a few percent, and the wrong end of the grid much more.
    expect(ratios.reduce((a, b) => a + b, 0) / seeds).toBeLessThan(1.06);
  });

  it("is 0 for numbers with 20 rows per parameter, and the report explains this", async () => {
    const ample = noisy(20 * 6, 5).train;
    const scarce = noisy(20 * 6 - 1, 5).train;
    const run = fit(linear(), ample);
    expect((await run).toBytes()).toEqual((await fit(linear({ l2: 0 }), ample, { algorithm: newtonCholesky() })).toBytes());
    expect((await run.chosen).why).toBe(
      "a smooth objective of 6 parameters per output; l2 is 0, since there are 20 rows or more for each column",
    );
    const other = fit(linear(), scarce);
    expect((await other.chosen).why).toMatch(/; l2 is \S+, under which held-out rows are predicted best$/);
    expect(await chosenL2({}, scarce)).toBeGreaterThan(0);
  });

  it("is 0 for a constant target, which the intercept alone fits", async () => {
    const x = Array.from({ length: 30 }, (_, i) => [i % 7, (i * i) % 11, i % 3]);
    using data = Dataset.fromArrays({ x, y: x.map(() => 4) });
    const run = fit(linear(), data);
    const { weights, intercept } = await run;
    expect(intercept[0]).toBeCloseTo(4, 9);
    for (const weight of weights) expect(weight).toBeCloseTo(0, 9);
    expect((await run.chosen).why).toMatch(/; l2 is 0, since the target is the same in all rows$/);
    // Without an intercept, columns must fit the constant.
    expect((await fit(linear({ intercept: false }), data).chosen).why).toMatch(/; l2 is \S+, under which/);
    // The intercept cannot fit it either if each row has its own offset.
    using offsets = Dataset.fromArrays({ x, y: x.map(() => 4), offset: x.map(([a]) => a) });
    expect((await fit(linear(), offsets).chosen).why).toMatch(/; l2 is \S+, under which/);
  });

  it("is proportional to weights of any size, for L-BFGS and Newton, so that the model is unchanged", async () => {
    const { train } = noisy(300, 4, { classes: 3 });
    const x = Array.from({ length: 300 }, (_, i) => [...train.row(i)]);
    const y = Array.from({ length: 300 }, (_, i) => "abc"[train.target.values[i]]);
    const fitted = async (weight: number) => {
      using data = Dataset.fromArrays({ x, y, type: "f64", weights: x.map(() => weight) });
      const run = fit(linear({ loss: "multinomial" }), data);
      const { weights } = await run;
      const { l2 } = ((await run.chosen) as { model: { l2: number } }).model;
      return { weights, l2: l2 / weight };
    };
    const wanted = await fitted(1);
    for (const weight of isSlow ? [0.5, 1 / 300, 1e-6, 1e-9] : [1 / 300, 1e-9]) {
      const found = await fitted(weight);
      expect(found.l2 / wanted.l2).toBeCloseTo(1, 6);
      for (const [j, w] of found.weights.entries()) expect(Math.abs(w - wanted.weights[j])).toBeLessThan(2e-3);
    }
  });

  it("refuses anything but a number or auto, and names both", () => {
    expect(() => linear({ l2: "atuo" as "auto" })).toThrow(
      'linear: l2 is "atuo", but must be a number >= 0 or "auto" [OPTION_RANGE]',
    );
  });

  it("is chosen for counts with any number of rows, and for more features than rows", async () => {
    const { train } = noisy(400, 3);
    const x = Array.from({ length: 400 }, (_, i) => [...train.row(i)]);
    const counts = Dataset.fromArrays({ x, y: x.map(([a], i) => Math.floor(Math.exp(0.5 * a) + (i % 3) / 2)) });
    for (const run of [fit(linear({ loss: "poisson" }), counts), fit(linear({ features: rff({ count: 60 }) }), train)]) {
      expect((await run.chosen).why).toMatch(/under which held-out rows are predicted best$/);
      await run;
    }
  });

  it("is on the grid after scaling by rows over their mean square", async () => {
    const draws = stream(5, "signs").at(0);
    const x = Array.from({ length: 90 }, () => Array.from({ length: 30 }, () => (draws.uniform() < 0.5 ? -1 : 1)));
    const y = x.map(([a, b]) => (a + b + 2 * draws.normal() > 0 ? "yes" : "no"));
    const l2 = await chosenL2({ standardise: false, intercept: false }, Dataset.fromArrays({ x, y }));
    const place = 2 * Math.log10((l2 * 90) / 30);
    expect(place).toBeCloseTo(Math.round(place), 9);
  });

  it("is as small as nearly collinear columns need", async () => {
    // Spectra of five bands whose sizes fall by a factor of 3. The target depends on the smallest, which is above the
    // noise of the columns only at small strengths.
    const draws = stream(3, "spectra").at(0);
    const make = (rows: number): Dataset => {
      const bands = Array.from({ length: rows }, () => Array.from({ length: 5 }, () => draws.normal()));
      const band = (j: number, b: number): number => 0.3 ** b * Math.exp(-((j / 100 - 0.2 * b - 0.1) ** 2) / 0.02);
      const channels = Array.from({ length: 100 }, (_, j) => j);
      const x = bands.map((sizes) =>
        channels.map((j) => 3 + sizes.reduce((sum, size, b) => sum + size * band(j, b), 0) + 1e-4 * draws.normal()),
      );
      return Dataset.fromArrays({ x, y: bands.map((sizes) => sizes[0] + sizes[2] - 2 * sizes[4] + 0.05 * draws.normal()) });
    };
    const made = lazily(make(60), () => make(500));
    const errors: number[] = [];
    for (let k = -9; k <= -3; k++) errors.push(await errorOf(10 ** k, made));
    // With the smallest strength of 1e-5 mean ‖x‖² / rows, which was used before, the ratio is 18.
    expect((await errorOf("auto", made)) / Math.min(...errors)).toBeLessThan(1.2);
  });

  it("is reported as the end of the grid if it is", async () => {
    const draws = stream(8, "edges").at(0);
    const rows = Array.from({ length: 30 }, () => Array.from({ length: 4 }, () => Math.round(4 * draws.normal())));
    // Columns that lie in four dimensions, without noise or rounding: weaker is better.
    const x = rows.map((row) => Array.from({ length: 40 }, (_, j) => row[j % 4] * (1 + (j % 7))));
    const exact = fit(linear({ standardise: false }), Dataset.fromArrays({ x, y: rows.map(([a, b]) => 3 * a - b) }));
    expect((await exact.chosen).why).toMatch(/, the smallest strength that is tried$/);
    // Equal rows with opposite targets: every weight that is learnt from one of them makes the other worse.
    const pairs = rows.flatMap((row) => [row, row]);
    const y = rows.flatMap(([a, , c]) => [a + c, -a - c]);
    const opposite = fit(linear(), Dataset.fromArrays({ x: pairs, y }));
    expect((await opposite.chosen).why).toMatch(/, the largest strength that is tried$/);
    const usual = fit(linear(), noisy(60, 30).train);
    expect((await usual.chosen).why).toMatch(/are predicted best$/);
  });

  it("does not depend on the means of the columns", async () => {
    const { train } = noisy(60, 40, { signal: 2 });
    const x = Array.from({ length: 60 }, (_, i) => [...train.row(i)]);
    const y = [...train.target.values];
    const l2 = await chosenL2({ standardise: false }, train);
    const shifted = Dataset.fromArrays({ x: x.map((row) => row.map((v) => v + 64)), y });
    expect((await chosenL2({ standardise: false }, shifted)) / l2).toBeCloseTo(1, 4);
  });

  it("is 0 if rows lie on a line", async () => {
    const x = [
      [1, 2],
      [2, 1],
      [3, 5],
      [4, 4],
      [5, 9],
      [6, 1],
    ];
    const model = await fit(linear(), Dataset.fromArrays({ x, y: x.map(([a, b]) => 3 * a - 2 * b + 1) }));
    expect(Array.from(model.weights, (w) => Math.round(1e6 * w) / 1e6)).toEqual([3, -2]);
  });

  it("keeps separable classes finite, while 0 has no minimum", async () => {
    const data = Dataset.fromArrays({
      x: Array.from({ length: 40 }, (_, i) => [i]),
      y: Array.from({ length: 40 }, (_, i) => (i < 20 ? "a" : "b")),
    });
    const model = await fit(linear(), data);
    expect(model.run.reason).toBe("converged");
    expect(model.evaluate(data).accuracy).toBe(1);
    expect(Math.abs(model.weights[0])).toBeLessThan(1e3);
    expect((await fit(linear({ l2: 0 }), data)).run.reason).toMatch(/the loss still falls as weights grow without end/);
  });

  it("scales like a prior: half for duplicated rows, twice for weights of 2, and 100-fold for units × 10", async () => {
    const { train } = noisy(60, 40, { signal: 2 });
    const x = Array.from({ length: 60 }, (_, i) => [...train.row(i)]);
    const y = [...train.target.values];
    // All powers of ten of the grid differ by at least √10.
    const l2 = await chosenL2({ standardise: false }, train);
    const heavy = await chosenL2({ standardise: false }, Dataset.fromArrays({ x, y, weights: y.map(() => 2) }));
    const large = await chosenL2({ standardise: false }, Dataset.fromArrays({ x: x.map((row) => row.map((v) => 10 * v)), y }));
    expect(heavy / l2).toBeCloseTo(2, 6);
    expect(large / l2).toBeCloseTo(100, 4);
  });

  it("does not depend on the units of standardised columns, at any scale", async () => {
    const { train } = noisy(60, 40, { signal: 2 });
    const x = Array.from({ length: 60 }, (_, i) => [...train.row(i)]);
    const y = [...train.target.values];
    const l2 = await chosenL2({ standardise: true }, train);
    for (const unit of [2 ** -20, 2 ** 20]) {
      const data = Dataset.fromArrays({ x: x.map((row) => row.map((v) => unit * v)), y });
      expect((await chosenL2({ standardise: true }, data)) / l2).toBeCloseTo(1, 6);
    }
  });

  it("does not depend on the units of the target", async () => {
    const { train } = noisy(60, 40, { signal: 2 });
    const x = Array.from({ length: 60 }, (_, i) => [...train.row(i)]);
    const small = Dataset.fromArrays({ x, y: Array.from(train.target.values, (v) => 1e-4 * v) });
    expect((await chosenL2({}, small)) / (await chosenL2({}, train))).toBeCloseTo(1, 6);
    // The same holds for L-BFGS.
    const features = rff({ count: 200, seed: 1 });
    expect((await chosenL2({ features }, small)) / (await chosenL2({ features }, train))).toBeCloseTo(1, 6);
  });

  it("is equal for equal seeds, and uses another sample for another seed", async () => {
    const { train } = noisy(90, 60, { signal: 1, classes: 2, seed: 11 });
    const first = await fit(linear(), train, { seed: 4 });
    expect((await fit(linear(), train, { seed: 4, deterministic: false })).toBytes()).toEqual(first.toBytes());
    const others = await Promise.all((isSlow ? [1, 2, 3, 5, 6, 7] : [1, 2, 3]).map((seed) => chosenL2({}, train, { seed })));
    expect(new Set(others).size).toBeGreaterThan(1);
  });

  it("is chosen from a sample of many rows", async () => {
    const { train } = noisy(30_000, 3, { signal: 1, classes: 2 });
    const l2 = await chosenL2({}, train);
    expect(l2).toBeGreaterThan(0);
    expect(l2).toBeLessThan(10 * (3 / 30_000) * 1.2);
  });

  it.each<[string, Dataset, LinearOptions?]>([
    ["one row without an intercept", Dataset.fromArrays({ x: [[2]], y: [1] }), { intercept: false }],
    ["one row of a class", Dataset.fromArrays({ x: [[1], [2], [3], [5]], y: ["a", "a", "a", "b"] })],
  ])("is weak for %s", async (_, data, options = {}) => {
    const run = fit(linear(options), data);
    expect((await run).run.reason).toBe("converged");
    expect((await run.chosen).why).toMatch(/; l2 is \S+, a weak one, since there are too few rows to hold any out$/);
    expect(await chosenL2(options, data)).toBeGreaterThan(0);
  });

  it("treats two numbers as classes even if folds would contain one class only", async () => {
    const data = Dataset.fromArrays({
      x: Array.from({ length: 30 }, (_, i) => [i % 7, i % 3]),
      y: Array.from({ length: 30 }, (_, i) => (i < 2 ? 1 : 0)),
    });
    const run = fit(linear({ loss: "logistic" }), data);
    expect((await run).run.reason).toBe("converged");
    expect((await run.chosen).why).toMatch(/under which held-out rows/);
  });

  it("is stored in the model and in a checkpoint, which chooses no other", async () => {
    const { train } = noisy(80, 40, { classes: 2 });
    const run = fit(linear(), train, { seed: 3 });
    const whole = await run;
    const { model } = whole.description as unknown as { model: { l2: number } };
    expect(model.l2).toBe(await chosenL2({}, train, { seed: 3 }));
    const resumed = await fit.resume(await run.checkpoint(), train);
    expect(resumed.toBytes()).toEqual(whole.toBytes());
  });

  it("is chosen for descent, too, on request", async () => {
    const { train } = noisy(80, 40, { classes: 2 });
    const l2 = await chosenL2({}, train);
    expect(await chosenL2({ l2: "auto" }, train, { epochs: 3 })).toBe(l2);
    expect(await chosenL2({ l2: "auto" }, train, { algorithm: newtonCholesky() })).toBe(l2);
    expect((await fit(linear(), train, { epochs: 3 })).description.model).not.toHaveProperty("l2");
  });

  it("stops when it is aborted", async () => {
    const { train } = noisy(3000, 140, { classes: 2 });
    const stop = new AbortController();
    const run = fit(linear(), train, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await expect(run).rejects.toThrow("enough");
    // The abort works during the choice, not only after it.
    for (const data of [train, noisy(40, 160).train])
      await expect(chosenStrength(linear(), data, { signal: stop.signal })).rejects.toThrow("enough");
  });

  it.each<[string, LinearOptions]>([
    ["l1", { l1: 0.01 }],
    ["groups", { group: { strength: 0.01, groups: [["x0", "x1"]] } }],
    ["coefficients not below 0", { nonNegative: true }],
  ])("stays at 0 with %s", async (_, options) => {
    const run = fit(linear(options), noisy(60, 8).train);
    const { model, why } = (await run.chosen) as unknown as { model: object; why: string };
    expect([Object.hasOwn(model, "l2"), why]).toEqual([false, expect.not.stringContaining("l2")]);
    await run;
  });

  it("is refused if minima cannot distinguish strengths, and by other verbs", async () => {
    const { train } = noisy(40, 3);
    const two = noisy(40, 3, { classes: 2 }).train;
    await expect(fit(linear({ l2: "auto", loss: "hinge" }), two)).rejects.toThrow(
      'l2 is "auto", which is chosen for smooth losses, but loss is "hinge"; give a number',
    );
    await expect(fit(linear({ l2: "auto", l1: 0.1 }), train)).rejects.toThrow(
      'l2 is "auto", which is chosen where L2 is the only penalty, but there is another penalty or a bound; give a number',
    );
    expect(() => fit.path(linear({ l2: "auto" }), train)).toThrow("the model's l2 is auto, but a path sets the strengths itself");
    expect(() => linear({ l2: "much" as never })).toThrow(/l2 is "much"/);
  });
});

describe("the span of rows", () => {
  it("preserves products, targets, weights and offsets, so that models have the same outputs", async () => {
    const draws = stream(3, "span").at(0);
    const x = Array.from({ length: 12 }, () => Array.from({ length: 30 }, () => draws.normal()));
    // A duplicate row has a position in the span, too.
    x[7] = [...x[2]];
    const given = { y: x.map(([a], i) => a + (i % 3)), weights: x.map((_, i) => 1 + (i % 2)), offset: x.map(([, b]) => b) };
    const data = Dataset.fromArrays({ x, ...given, type: "f64" });
    const span = inRowSpan(data);
    const product = (rows: Dataset, i: number, j: number) => rows.row(i).reduce((sum, v, k) => sum + v * rows.row(j)[k], 0);
    for (let i = 0; i < 12; i++)
      for (let j = 0; j < 12; j++) expect(Math.abs(product(span, i, j) - product(data, i, j))).toBeLessThan(1e-7);
    expect([span.target.values, span.weights, span.offset]).toEqual([data.target.values, data.weights, data.offset]);
    const outputs = async (rows: Dataset) => {
      const options = { algorithm: newtonCholesky(), precision: "f64" } as const;
      return (await fit(linear({ l2: 0.3, standardise: false }), rows, options)).outputs(rows);
    };
    const [own, other] = [await outputs(data), await outputs(span)];
    for (const [i, z] of own.entries()) expect(other[i]).toBeCloseTo(z, 6);
  });

  it("keeps the names of classes", () => {
    const data = Dataset.fromArrays({
      x: [
        [1, 2, 3],
        [4, 5, 7],
      ],
      y: ["no", "yes"],
    });
    expect(inRowSpan(data).target).toMatchObject({ levels: ["no", "yes"], values: Float64Array.of(0, 1) });
  });
});

describe("options", () => {
  const { train, test } = noisy(60, 4, { classes: 2 });
  const algorithmOf = async (options: FitOptions, model: LinearOptions = {}): Promise<string> => {
    const run = fit(linear(model), train, options);
    const { algorithm } = (await run.chosen) as { algorithm: { algorithm: string } };
    await run;
    return algorithm.algorithm;
  };

  it.each<[string, FitOptions]>([
    ["rule", { rule: adagrad({ rate: 0.1 }) }],
    ["variance", { variance: saga() }],
    ["epochs", { epochs: 2 }],
    ["batch", { batch: 4 }],
    ["batch: all", { batch: "all" }],
    ["schedule", { schedule: "ordered" }],
    ["replicas", { replicas: 2, workers: 2 }],
    ["patience", { patience: 2, validate: test }],
    ["validateEvery", { validateEvery: 2, validate: test }],
    ["from", { from: new Float64Array(5) }],
    ["until updates", { until: { updates: 10 } }],
    ["until a tolerance", { until: { tolerance: 0.1 } }],
    ["a type of the parameters", { precision: { data: "i8", model: "i16" } }],
    ["a type of the parameters alone", { precision: { model: "f64" } }],
    ['algorithm: "gradient"', { algorithm: "gradient" }],
    ['algorithm: "gradient", with a rule', { algorithm: "gradient", rule: adagrad({ rate: 0.1 }) }],
  ])("%s selects descent", async (_, options) => expect(await algorithmOf(options)).toBe("gradientDescent"));

  it.each<[string, FitOptions]>([
    ["nothing", {}],
    ["seed", { seed: 4 }],
    ["workers", { workers: 2 }],
    ["deterministic", { deterministic: true }],
    ["validate", { validate: test }],
    ["seconds", { until: { seconds: 60 } }],
    ["a type of the data", { precision: "i8" }],
    ["a type of the data alone", { precision: { data: "f64" } }],
    ["float64", { precision: "f64" }],
    ["a signal", { signal: new AbortController().signal }],
  ])("%s does not select descent", async (_, options) => expect(await algorithmOf(options)).toBe("newtonCholesky"));

  it("a single point uses one thread, whatever the number of workers", async () => {
    const one = await fit(linear(), train);
    const run = fit(linear(), train, { workers: 2 });
    expect((await run).toBytes()).toEqual(one.toBytes());
    expect((await run.chosen).plan).toMatchObject({ workers: 1, replicas: 1 });
    const three = fit(linear(), noisy(60, 4, { classes: 3 }).train, { workers: 2 });
    expect((await three.chosen).plan).toMatchObject({ workers: 2, replicas: 1, batch: "all" });
    await three;
  });
});
