/** `algorithm: "auto"`: what it takes by the table of docs/solvers.md, and why. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
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
} from "../../../src/index.ts";
import { linearSolver } from "../../../src/verbs/fit/kinds/linear-solver.ts";

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
const nameOf = (model: LinearOptions, data: Dataset): string | undefined => {
  const { algorithm, why } = linearSolver(linear(model), data);
  expect(why).toMatch(/^\S.*\S$/);
  const { algorithm: name, rule } = (algorithm?.toJSON() ?? {}) as { algorithm?: string; rule?: { rule: string } };
  return rule?.rule ?? name;
};

describe("the table", () => {
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
  ])("%s", (_, model, data, wanted) => expect(nameOf(model, data)).toBe(wanted));

  it("stands in the docs", () => {
    const text = readFileSync(new URL("../../../../../docs/solvers.md", import.meta.url), "utf8");
    const solvers = [...text.matchAll(/^\|.*\| `(\w+)\(/gm)].map(([, name]) => name);
    expect(solvers).toEqual(["newtonCholesky", "coordinateDescent", "lbfgs", "dualCoordinateDescent", "adagrad"]);
  });
});

it("trains as the algorithm by its name does, and says why", async () => {
  const run = fit(linear({ l2: 0 }), two, { algorithm: "auto" });
  const byName = await fit(linear({ l2: 0 }), two, { algorithm: newtonCholesky() });
  expect((await run).toBytes()).toEqual(byName.toBytes());
  expect(await run.chosen).toMatchObject({
    algorithm: { algorithm: "newtonCholesky" },
    why: "a smooth objective of 4 parameters an output",
    plan: { batch: "all" },
  });
});

it("descends where nothing solves, and says why", async () => {
  const run = fit(linear({ loss: "hinge" }), two, { algorithm: "auto", seed: 3 });
  expect((await run).toBytes()).toEqual((await fit(linear({ loss: "hinge" }), two, { seed: 3 })).toBytes());
  expect(await run.chosen).toMatchObject({ why: 'loss "hinge" has no curvature for a solver' });
  expect((await run).run.epochs).toBe(5);
});

it("reaches the minimum that the default rule is far from, where columns are rare", async () => {
  // Forty levels of some ten rows each.
  const levels = Array.from({ length: 400 }, (_, i) => (i * 17 + ((i * i) % 23)) % 40);
  const x = levels.map((level) => Array.from({ length: 40 }, (_, j) => (j === level ? 1 : 0)));
  const data = Dataset.fromArrays({ x, y: levels.map((level, i) => Math.sin(level) * 5 + ((i * 7) % 11) / 11) });
  const error = async (options: FitOptions): Promise<number> => (await fit(linear(), data, options)).evaluate(data).rmse!;
  const solved = await error({ algorithm: "auto" });
  expect(solved).toBeCloseTo(await error({ rule: lbfgs(), precision: "f64" }), 5);
  expect(solved).toBeLessThan(0.6 * (await error({ algorithm: "gradient" })));
});

it("goes on from its checkpoint as the algorithm that it took", async () => {
  const run = fit(linear(), two, { algorithm: "auto", epochs: 2 });
  await run;
  const joined = await fit.resume(await run.checkpoint(), two, { epochs: 100 });
  expect(joined.toBytes()).toEqual((await fit(linear(), two, { algorithm: "auto" })).toBytes());
});

it("is refused by networks, with a rule, and as another word", async () => {
  expect(() => fit(network([dense(1)]), numbers, { algorithm: "auto" })).toThrow(
    /algorithm is "auto", which chooses among solvers of linear models, but the model is a network; leave algorithm out/,
  );
  const rule = { kind: "equation", toJSON: () => ({}) } as never;
  expect(() => fit(linear(), two, { algorithm: "auto", rule })).toThrow(/both algorithm and rule or variance were given/);
  expect(() => fit(linear(), two, { algorithm: "best" as never })).toThrow(/algorithm is "best", but must be an algorithm/);
});
