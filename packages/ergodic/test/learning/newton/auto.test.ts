/** `algorithm: "auto"`: its choice by the table of docs/solvers.md, and the reason. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  coordinateDescent,
  Dataset,
  dense,
  type FitOptions,
  fit,
  type LinearOptions,
  lbfgs,
  linear,
  loss,
  network,
  newtonCholesky,
  quantileLoss,
  rff,
  stream,
} from "../../../src/entries/everything.ts";
import { linearSolver } from "../../../src/learning/fit/kinds/linear-solver.ts";

const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i * 7) % 5]);
const two = Dataset.fromArrays({ x: rows, y: rows.map(([a], i) => (a + ((i * 13) % 7) / 4 > 0.6 ? "yes" : "no")) });
const three = Dataset.fromArrays({ x: rows, y: rows.map((_, i) => "abc"[i % 3]) });
const numbers = Dataset.fromArrays({ x: rows, y: rows.map(([a, b, c]) => a - b + c) });
const long = (count: number, classes = false): Dataset =>
  Dataset.fromArrays({
    x: Array.from({ length: count }, (_, i) => [i % 7]),
    y: Array.from({ length: count }, (_, i) => (classes ? "abc"[i % 3] : i)) as string[] | number[],
  });
const shifted = Dataset.fromArrays({ x: rows, y: rows.map(([a]) => a), offset: rows.map(([, b]) => b) });
const wide = (columns: number, perRow: number): Dataset =>
  Dataset.fromSparse({
    rowCount: 2,
    columnCount: columns,
    rowStart: Uint32Array.of(0, perRow, 2 * perRow),
    columnIndex: Uint32Array.from({ length: 2 * perRow }, (_, i) => i % perRow),
    values: new Float64Array(2 * perRow).fill(1),
    target: Float64Array.of(1, 2),
    source: "wide",
  });

const cube = loss("cubeOfDistance", {}, ({ z }) => z, { task: "regression", link: "identity" });
const nameOf = async (model: LinearOptions, data: Dataset): Promise<string | undefined> => {
  const { algorithm, why } = await linearSolver(linear(model), data);
  expect(why).toMatch(/^\S.*\S$/);
  const { algorithm: name, rule } = (algorithm?.toJSON() ?? {}) as { algorithm?: string; rule?: { rule: string } };
  return rule?.rule ?? name;
};

describe("the table of algorithms", () => {
  const group = { strength: 0.1, groups: [["x0", "x1"]] };
  it.each<[string, LinearOptions, Dataset, string | undefined]>([
    ["two classes", {}, two, "newtonCholesky"],
    ["numbers, with l2", { l2: 0.1 }, numbers, "newtonCholesky"],
    ["counts", { loss: "poisson" }, Dataset.fromArrays({ x: rows, y: rows.map((_, i) => i % 4) }), "newtonCholesky"],
    ["one class against the rest", { loss: "squaredHinge" }, three, "newtonCholesky"],
    ["an offset", { loss: "huber" }, shifted, "newtonCholesky"],
    ["classes that share a loss", {}, three, "lbfgs"],
    ["999 columns", {}, wide(999, 100), "newtonCholesky"],
    ["1000 columns", {}, wide(1000, 100), "lbfgs"],
    ["299 numbers a row", {}, wide(999, 299), "newtonCholesky"],
    ["300 numbers a row", {}, wide(999, 300), "lbfgs"],
    ["half a million parameters", {}, wide(499_999, 100), "lbfgs"],
    ["one more", {}, wide(500_000, 100), undefined],
    ["half a million of all outputs", { features: rff({ count: 166_664 }) }, three, "lbfgs"],
    ["six more", { features: rff({ count: 166_666 }) }, three, undefined],
    ["random features", { features: rff({ count: 2000 }) }, numbers, "lbfgs"],
    ["as many numbers as a solver goes through", { features: rff({ count: 399_998 }) }, long(1250), "lbfgs"],
    ["more", { features: rff({ count: 399_998 }) }, long(1251), undefined],
    ["as many for three outputs", { features: rff({ count: 159_998 }), loss: "squaredHinge" }, long(1041, true), "lbfgs"],
    ["more for three outputs", { features: rff({ count: 159_998 }), loss: "squaredHinge" }, long(1042, true), undefined],
    ["l1", { l1: 0.1 }, two, "coordinateDescent"],
    ["groups", { group }, two, "coordinateDescent"],
    ["coefficients not below 0", { nonNegative: true }, numbers, "coordinateDescent"],
    ["hinge", { loss: "hinge", l2: 0.1 }, two, undefined],
    ["hinge without an intercept", { loss: "hinge", l2: 0.1, intercept: false }, two, "dualCoordinateDescent"],
    ["hinge without l2", { loss: "hinge", intercept: false }, two, undefined],
    ["hinge with l1", { loss: "hinge", l1: 0.1, l2: 0.1, intercept: false }, two, undefined],
    ["hinge with weights of the penalty", { loss: "hinge", l2: 1, intercept: false, penaltyWeights: { x0: 2 } }, two, undefined],
    ["quantile with an offset", { loss: "quantile", l2: 0.1, intercept: false }, shifted, undefined],
    ["quantile", { loss: quantileLoss({ quantile: 0.9 }), l2: 0.1, intercept: false }, numbers, "dualCoordinateDescent"],
    ["a loss of one's own", { loss: cube() }, numbers, undefined],
  ])("selects the solver: %s", async (_, model, data, wanted) => expect(await nameOf(model, data)).toBe(wanted));

  it("equals the table in the docs", () => {
    const text = readFileSync(new URL("../../../../../docs/solvers.md", import.meta.url), "utf8");
    const solvers = [...text.matchAll(/^\|.*\| `(\w+)\(/gm)].map(([, name]) => name);
    expect(solvers).toEqual(["newtonCholesky", "coordinateDescent", "lbfgs", "dualCoordinateDescent", "adagrad"]);
  });
});

it("trains like the named algorithm, and reports why", async () => {
  const run = fit(linear({ l2: 0 }), two, { algorithm: "auto" });
  const byName = await fit(linear({ l2: 0 }), two, { algorithm: newtonCholesky() });
  expect((await run).toBytes()).toEqual(byName.toBytes());
  expect(await run.chosen).toMatchObject({
    algorithm: { algorithm: "newtonCholesky" },
    why: "a smooth objective of 4 parameters per output",
    plan: { batch: "all" },
  });
});

it("uses descent if no solver applies, and reports why", async () => {
  const run = fit(linear({ loss: "hinge" }), two, { algorithm: "auto", seed: 3 });
  expect((await run).toBytes()).toEqual((await fit(linear({ loss: "hinge" }), two, { seed: 3 })).toBytes());
  expect(await run.chosen).toMatchObject({ why: 'loss "hinge" has no curvature for a solver' });
  expect((await run).run.epochs).toBe(5);
});

it("reaches the minimum for rare columns, far beyond the default rule", async () => {
  // Forty levels with about ten rows each.
  const levels = Array.from({ length: 400 }, (_, i) => (i * 17 + ((i * i) % 23)) % 40);
  const x = levels.map((level) => Array.from({ length: 40 }, (_, j) => (j === level ? 1 : 0)));
  const data = Dataset.fromArrays({ x, y: levels.map((level, i) => Math.sin(level) * 5 + ((i * 7) % 11) / 11) });
  const error = async (options: FitOptions): Promise<number> => (await fit(linear(), data, options)).evaluate(data).rmse!;
  const solved = await error({ algorithm: "auto" });
  expect(solved).toBeCloseTo(await error({ rule: lbfgs(), precision: "f64" }), 5);
  expect(solved).toBeLessThan(0.6 * (await error({ algorithm: "gradient" })));
});

describe("convergence of L-BFGS to the minimum", () => {
  const draws = stream(3, "wide").at(0);
  const wide = Array.from({ length: 80 }, () => Array.from({ length: 1100 }, () => draws.normal()));
  // This many columns select L-BFGS, too, if rows have no zeros.
  const narrow = wide.map((row) => row.slice(0, 320));
  const noise = wide.map(() => draws.normal());
  const weights = wide.map((_, i) => (i === 5 ? 0 : 1 + (i % 3)));
  const l2 = 5;

  it.each<["squared" | "huber", number, boolean]>([
    ["squared", 1, false],
    ["squared", 2 ** -10, false],
    ["squared", 2 ** -25, false],
    ["squared", 2 ** -25, true],
    ["huber", 2 ** -25, false],
    ["squared", 2 ** 25, false],
  ])("comes within 1e-6 of it: %s loss, targets in a unit of %f, shifted: %s", async (loss, unit, shifted) => {
    // With large offsets, values of the objective are rounded to 1e-5 of it, so a run on fewer columns would stop
    // sooner.
    const x = shifted ? wide : narrow;
    // A distant row of weight 0 has no influence, and neither does a distant offset.
    const offset = x.map((_, i) => (shifted ? 1000 + 100 * Math.sin(i) : 0));
    const y = x.map((row, i) => (i === 5 ? 1e9 : unit * (row[0] - 2 * row[1] + noise[i]) + offset[i]));
    const data = Dataset.fromArrays({ x, y, weights, ...(shifted ? { offset } : {}) });
    const model = linear({ loss, l2, standardise: false });
    const objective = ({ weights: p, intercept: [b] }: { weights: Float64Array; intercept: Float64Array }): number => {
      const errors = x.map((row, i) => row.reduce((sum, v, j) => sum + v * p[j], b) + offset[i] - y[i]);
      const total = weights.reduce((sum, w) => sum + w, 0);
      return (
        errors.reduce((sum, e, i) => sum + (weights[i] * e * e) / 2, 0) / total + (l2 / 2) * p.reduce((sum, v) => sum + v * v, 0)
      );
    };
    const run = fit(model, data, { precision: "f64" });
    const found = objective(await run);
    expect((await run).run.reason).toBe("converged");
    expect((await run.chosen).algorithm).toMatchObject({ rule: { rule: "lbfgs" } });
    // For targets in a large unit, Huber's loss differs. In a small unit it equals the squared loss.
    const least = objective(
      await fit(linear({ l2, standardise: false }), data, { algorithm: newtonCholesky(), precision: "f64" }),
    );
    expect(found / least - 1).toBeLessThan(1e-6);
  });

  it.each([1e-7, 0.1, -3e-3, 0])("fits constant targets of %d in a few steps", async (value) => {
    const data = Dataset.fromArrays({ x: narrow, y: narrow.map(() => value) });
    const { intercept, run } = await fit(linear({ l2, standardise: false }), data, { precision: "f64" });
    expect(Math.abs(intercept[0] - value)).toBeLessThanOrEqual(1e-4 * Math.abs(value));
    expect(run.reason).toBe("converged");
    expect(run.updates).toBeLessThan(40);
  });
});

describe("separable classes without a penalty", () => {
  const angles = Array.from({ length: 60 }, (_, i) => ((i % 3) * 2 + ((i * 7) % 11) / 11) * (Math.PI / 3));
  const x = angles.map((angle) => [Math.cos(angle), Math.sin(angle)]);
  const y = angles.map((_, i) => "abc"[i % 3]);
  const lines = Array.from({ length: 100 }, (_, i) => [i % 6, (i * 7) % 4]);
  const ordered = Dataset.fromArrays({ x: lines, y: lines.map(([a, b]) => `class ${2 * a + b}`) });
  const reasonOf = async (data: Dataset, options: FitOptions, model: LinearOptions = {}): Promise<string> =>
    (await fit(linear({ l2: 0, ...model }), data, options)).run.reason;

  it.each<[string, FitOptions, LinearOptions, RegExp]>([
    ["auto", {}, {}, /without end: the classes are separable.*give l2$/],
    ["auto, one against the rest", {}, { loss: "logistic" }, /without end: some classes are separable.*give l2/],
    ["lbfgs, one against the rest", { rule: lbfgs() }, { loss: "logistic" }, /without end: the classes are separable/],
    ["coordinate", { algorithm: coordinateDescent() }, {}, /no minimum.*give l1 or l2$/],
  ])("are reported: %s", async (_, options, model, message) => {
    expect(await reasonOf(Dataset.fromArrays({ x, y }), options, model)).toMatch(message);
    expect(await reasonOf(Dataset.fromArrays({ x, y }), options, { ...model, l2: 1e-6 })).toBe("converged");
    // One class whose other rows lie between its own.
    const mixed = y.map((level, i) => (i % 5 === 0 ? "b" : level));
    expect(await reasonOf(Dataset.fromArrays({ x, y: mixed }), options, model)).toBe("converged");
  });

  it("are reported by coordinate descent in a few rounds, even for many classes", async () => {
    const { reason, epochs } = (await fit(linear({ l2: 0 }), ordered, { algorithm: coordinateDescent() })).run;
    expect(reason).toMatch(/no minimum/);
    expect(epochs).toBeLessThan(30);
  });

  it("are not reported if a row of small weight contradicts", async () => {
    const lighter = (weight: number): Dataset =>
      Dataset.fromArrays({
        x,
        y: y.map((level, i) => (i === 7 ? "a" : level)),
        weights: x.map((_, i) => (i === 7 ? weight : 1)),
      });
    const { reason, loss } = (await fit(linear({ l2: 0 }), lighter(1e-5))).run;
    expect(loss * x.length).toBeLessThan(Math.LN2);
    expect(reason).toBe("converged");
    expect(await reasonOf(lighter(0.1), { algorithm: coordinateDescent() })).toBe("converged");
  });

  it("are reported by a run that is resumed at its end", async () => {
    const run = fit(linear({ l2: 0 }), Dataset.fromArrays({ x, y }));
    const { reason } = (await run).run;
    const data = Dataset.fromArrays({ x, y });
    expect((await fit.resume(await run.checkpoint(), data)).run.reason).toBe(reason);
  });

  it("are not reported for numbers that fit a plane", async () => {
    expect(await reasonOf(Dataset.fromArrays({ x, y: x.map(([a, b]) => a - b) }), { rule: lbfgs() })).toBe("converged");
  });
});

it("resumes from its checkpoint with the chosen algorithm", async () => {
  const run = fit(linear(), two, { algorithm: "auto", epochs: 2 });
  await run;
  const joined = await fit.resume(await run.checkpoint(), two, { epochs: 100 });
  expect(joined.toBytes()).toEqual((await fit(linear(), two, { algorithm: "auto" })).toBytes());
});

it("is refused by networks, with a rule, and if misspelt", async () => {
  expect(() => fit(network([dense(1)]), numbers, { algorithm: "auto" })).toThrow(
    /algorithm is "auto", which chooses among solvers of linear models, but the model is a network; leave algorithm out/,
  );
  const rule = { kind: "equation", toJSON: () => ({}) } as never;
  expect(() => fit(linear(), two, { algorithm: "auto", rule })).toThrow(/algorithm is "auto", but rule was given, too/);
  expect(() => fit(linear(), two, { algorithm: "best" as never })).toThrow(/algorithm is "best", but must be an algorithm/);
});
