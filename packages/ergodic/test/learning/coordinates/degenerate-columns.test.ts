/**
 * Properties of real data that textbooks omit: constant, empty and duplicate columns, separable classes, uninformative
 * targets and large offsets.
 */
import { describe, expect, it } from "vitest";
import {
  coordinateDescent,
  Dataset,
  type FitOptions,
  fit,
  hingeLoss as hinge,
  type LinearOptions,
  linear,
  quantileLoss as quantile,
} from "../../../src/entries/everything.ts";
import { isSlow } from "../../power.ts";
import { type Kind, kinds, lossOf, objective, type Rows, randomRows, tableOf } from "./column-problems.ts";

interface Solve {
  model?: LinearOptions;
  tolerance?: number;
  format?: "dense" | "sparse";
  weights?: number[];
  fitting?: FitOptions;
}

async function solve(kind: Kind, rows: Rows, { model, tolerance = 1e-8, fitting, ...table }: Solve = {}) {
  using data = tableOf(rows, table);
  const fitted = await fit(linear({ loss: lossOf(kind), standardise: false, ...model }), data, {
    algorithm: coordinateDescent({ tolerance }),
    ...fitting,
  });
  // A run that does not detect convergence would make all allowed updates.
  expect(fitted.run.updates).toBeLessThan(100);
  return fitted;
}

const formats = ["dense", "sparse"] as const;

describe.each(kinds)("%s", (kind) => {
  const rows = randomRows(kind, { columns: 6 });

  it.each(formats)("gives constant and empty columns no weight, and changes no other weight: %s", async (format) => {
    const wider = { ...rows, x: rows.x.map((row) => [0.1, ...row, 0, 7]) };
    const models = [{ l1: 0.05 }, { l2: 0.05 }, { l1: 0.02, l2: 0.02 }, { l1: 0.05, penaltyWeights: { x0: 0, x7: 0 } }];
    for (const model of isSlow ? models : models.slice(2)) {
      const plain = await solve(kind, rows, { model: { ...model, penaltyWeights: {} }, format, tolerance: 1e-11 });
      const found = await solve(kind, wider, { model: model as LinearOptions, format, tolerance: 1e-11 });
      const outputs = found.intercept.length;
      for (let k = 0; k < outputs; k++) {
        const own = [...found.weights.subarray(9 * k, 9 * k + 9)];
        expect([own[0], own[7], own[8]]).toEqual([0, 0, 0]);
        for (const [j, b] of own.slice(1, 7).entries()) expect(Math.abs(b - plain.weights[6 * k + j])).toBeLessThan(1e-5);
      }
      expect(found.run.reason).toBe("converged");
    }
  });

  it("treats a constant column like any other without an intercept", async () => {
    const wider = { ...rows, x: rows.x.map((row) => [1, ...row]) };
    const model: LinearOptions = { l1: 0.01, intercept: false };
    const found = await solve(kind, wider, { model });
    expect(found.gap).toBeLessThanOrEqual(1e-8);
    expect(found.run.report.objective).toBeCloseTo(objective(kind, wider, found, model as { l1: number }), 12);
  });

  it.each(formats)("finds the same certified objective with duplicate and negated columns: %s", async (format) => {
    const again = { ...rows, x: rows.x.map((row) => [...row, row[0], -row[1], row[0], row[2]]) };
    for (const model of [{ l1: 0.03 }, { l1: 0.01, l2: 0.01 }]) {
      const one = await solve(kind, rows, { model, format, tolerance: 1e-11 });
      const found = await solve(kind, again, { model, format, tolerance: 1e-11 });
      expect(found.gap).toBeLessThanOrEqual(1e-11);
      // Duplicate columns share the cost of l2, so only the lasso has the same optimum.
      if (!("l2" in model)) expect(found.run.report.objective).toBeCloseTo(one.run.report.objective, 9);
      else expect(found.run.report.objective).toBeLessThan(one.run.report.objective);
    }
  });

  it("solves many more columns than rows", async () => {
    const wide = randomRows(kind, { rows: 15, columns: 100 });
    for (const model of [{ l1: 0.1 }, { l1: 0.01 }, { l2: 0.5 }]) {
      const found = await solve(kind, wide, { model });
      expect([found.run.reason, found.gap! <= 1e-8]).toEqual(["converged", true]);
      expect(objective(kind, wide, found, model)).toBeCloseTo(found.run.report.objective, 11);
      if ("l1" in model) expect(found.run.report.nonZeros).toBeLessThanOrEqual(15 * found.intercept.length);
    }
  });

  it("solves one column", async () => {
    const one = randomRows(kind, { rows: 40, columns: 1 });
    const found = await solve(kind, one, { model: { l1: 0.02 } });
    expect(found.gap).toBeLessThanOrEqual(1e-8);
    expect(found.weights.some((b) => b !== 0)).toBe(true);
  });

  it("handles a column that is constant on the few rows with weight", async () => {
    const weights = rows.y.map((_, i) => (i % 2 ? 0 : 1));
    const wider = { ...rows, x: rows.x.map((row, i) => [...row, i % 2 ? i : 3]) };
    for (const model of [{ l1: 0.05 }, { l1: 0.05, penaltyWeights: { x6: 0 } }]) {
      const found = await solve(kind, wider, { model, weights });
      expect(found.run.reason).toBe("converged");
      for (let k = 0; k < found.intercept.length; k++) expect(found.weights[7 * k + 6]).toBe(0);
    }
  });

  it("loses only digits for a dense column with offset 1e6", async () => {
    const far = { ...rows, x: rows.x.map((row) => row.map((v, j) => (j === 1 ? v + 2 ** 20 : v))) };
    const model = { l1: 0.05 };
    const near = await solve(kind, rows, { model, tolerance: 1e-10 });
    const found = await solve(kind, far, { model, tolerance: 1e-10 });
    expect(found.gap).toBeLessThanOrEqual(1e-10);
    expect(found.run.report.objective).toBeCloseTo(near.run.report.objective, 9);
    expect(Math.abs(objective(kind, far, found, model) - found.run.report.objective)).toBeLessThan(
      1e-8 * (1 + Math.abs(near.run.report.objective)),
    );
    for (const [at, b] of found.weights.entries()) expect(Math.abs(b - near.weights[at])).toBeLessThan(1e-4);
  });

  it("solves columns of sizes from 1e-6 to 1e6", async () => {
    const scales = [1e-6, 1e6, 1, 1e3, 1e-3, 1];
    const scaled = { ...rows, x: rows.x.map((row) => row.map((v, j) => v * scales[j])) };
    const found = await solve(kind, scaled, { model: { l1: 0.05 } });
    expect([found.run.reason, found.gap! <= 1e-8]).toEqual(["converged", true]);
  });
});

describe.each(["squared", "huber"] as const)("%s, uninformative targets", (kind) => {
  it.each([0, 0.1, 1 / 3, -7e8])("keeps all coefficients at exactly 0 if the target is always %d", async (value) => {
    const rows = { ...randomRows(kind), y: new Array<number>(50).fill(value) };
    for (const model of [{ l1: 1e-6 * Math.max(1, Math.abs(value)) }, { l1: 0.1, l2: 0.1 }, { l2: 1 }, {}]) {
      const found = await solve(kind, rows, { model, tolerance: 1e-6 });
      expect(found.run.reason).toBe("converged");
      expect(found.intercept[0]).toBeCloseTo(value, 9 - Math.ceil(Math.log10(Math.max(1, Math.abs(value)))));
      if ("l1" in model) expect([...found.weights]).toEqual(new Array(12).fill(0));
      else expect(Math.max(...found.weights.map(Math.abs))).toBeLessThan(1e-9 * Math.max(1, Math.abs(value)));
    }
  });

  it("solves one row", async () => {
    const found = await solve(kind, { x: [[1, 2, 0]], y: [3], classes: 0 }, { model: { l1: 0.1 } });
    expect([...found.weights, ...found.intercept, found.run.reason]).toEqual([0, 0, 0, 3, "converged"]);
  });
});

describe("separable classes", () => {
  const apart = (kind: Kind): Rows => {
    const rows = randomRows(kind, { rows: 60, columns: 4, noise: 0 });
    return rows;
  };

  it.each(["logistic", "multinomial", "squaredHinge"] as const)("certifies the solution with a tiny l1: %s", async (kind) => {
    const rows = apart(kind);
    const found = await solve(kind, rows, { model: { l1: 1e-7 }, tolerance: 1e-6 });
    expect([found.run.reason, found.gap! <= 1e-6]).toEqual(["converged", true]);
    expect(found.run.report.objective).toBeLessThan(1e-3);
  });

  it.each(["logistic", "multinomial"] as const)("reports that no minimum exists without a penalty: %s", async (kind) => {
    const found = await solve(kind, apart(kind), { tolerance: 1e-6 });
    expect(found.run.reason).toBe(
      "the loss has no minimum: unpenalised coefficients fit the rows ever better as they grow; give l1 or l2",
    );
    expect(found.gap).toBeUndefined();
  });

  it("reaches the minimum 0 of squaredHinge without a penalty", async () => {
    const found = await solve("squaredHinge", apart("squaredHinge"));
    expect(found.run.reason).toBe("converged");
    expect(found.run.report.objective).toBeLessThan(1e-12);
  });

  it("grows intercepts until the loss is negligible if the rows of one class have weight 0", async () => {
    for (const kind of ["logistic", "multinomial"] as const) {
      const rows = randomRows(kind);
      const found = await solve(kind, rows, { model: { l1: 0.05 }, weights: rows.y.map((y) => (y === 0 ? 1 : 0)) });
      expect(found.run.report.objective).toBeLessThan(1e-8);
      expect(Math.max(...found.weights.map(Math.abs))).toBe(0);
      expect(found.run.reason).toBe("converged");
    }
  });
});

describe("counts", () => {
  it("measure the gap relative to their deviance, because a likelihood can be negative", async () => {
    const rows = randomRows("poisson");
    const many = { ...rows, y: rows.y.map((y) => 1e4 * y) };
    const found = await solve("poisson", many, { model: { l1: 10 } });
    expect([found.run.reason, found.gap! <= 1e-8]).toEqual(["converged", true]);
    expect(found.run.report.objective).toBeLessThan(0);
    expect(found.run.report.objective - found.run.report.dual).toBeLessThan(1e-3 * Math.abs(found.run.report.objective));
  });

  it("reach a mean of 0 with zero coefficients if all counts are 0", async () => {
    const rows = randomRows("poisson");
    const found = await solve("poisson", { ...rows, y: rows.y.map(() => 0) }, { model: { l1: 0.1 } });
    expect(found.run.reason).toBe("converged");
    expect(Math.max(...found.weights)).toBe(0);
    expect(found.run.report.objective).toBeLessThan(1e-8);
  });

  it("ignore held-out rows that would overflow", async () => {
    const rows = randomRows("poisson");
    const weights = rows.y.map((_, i) => (i === 0 ? 0 : 1));
    const x = rows.x.map((row, i) => (i === 0 ? row.map(() => 1e4) : row));
    const found = await solve("poisson", { ...rows, x }, { model: { l1: 0.05 }, weights });
    const without = { x: x.slice(1), y: rows.y.slice(1), classes: 0 };
    const wanted = await solve("poisson", without, { model: { l1: (0.05 * 50) / 49 } });
    expect(found.run.reason).toBe("converged");
    for (const [j, b] of found.weights.entries()) expect(Math.abs(b - wanted.weights[j])).toBeLessThan(1e-3);
  });
});

describe("refused input", () => {
  const rows = randomRows("logistic");
  const refused = async (attempt: () => PromiseLike<unknown>, message: RegExp): Promise<void> =>
    await expect((async () => await attempt())()).rejects.toThrow(message);

  it("refuses losses with kinks", async () => {
    using data = tableOf(rows);
    const options = { algorithm: coordinateDescent({ pick: "workingSets" }) };
    await refused(
      () => fit(linear({ loss: hinge(), l1: 0.1 }), data, options),
      /^linear: loss "hinge" has kinks, where its curvature is undefined; use dualCoordinateDescent\(\), or one of squared, huber, .* \[MODEL_CAPABILITY\]$/,
    );
    using numbers = tableOf(randomRows("squared"));
    await refused(
      () => fit(linear({ loss: quantile(), l1: 0.1 }), numbers, options),
      /loss "quantile" has kinks.*\[MODEL_CAPABILITY\]$/,
    );
    await refused(() => fit.path(linear({ loss: hinge() }), data), /loss "hinge" has kinks.*\[MODEL_CAPABILITY\]$/);
  });

  it("refuses a single class", async () => {
    using data = Dataset.fromArrays({ x: rows.x, y: rows.y.map(() => 1), classes: true, type: "f64" });
    await refused(
      () => fit(linear({ l1: 0.1 }), data, { algorithm: coordinateDescent() }),
      /has one class only.*\[MODEL_TARGET\]$/,
    );
  });

  it("refuses NaN before it solves anything", () => {
    expect(() => tableOf({ ...rows, x: rows.x.map((row, i) => (i === 3 ? [Number.NaN, ...row.slice(1)] : row)) })).toThrow(
      /\[DATA_/,
    );
  });
});

it("ends with a message if rounding prevents the gap", async () => {
  const found = await solve("logistic", randomRows("logistic"), { model: { l1: 0.02 }, tolerance: 1e-300 });
  if (found.gap === 0) expect(found.run.reason).toBe("converged");
  else expect(found.run.reason).toMatch(/^the gap stays at .*: 20 more rounds did not bring it down$/);
  const squared = await solve("squared", randomRows("squared"), { model: { l1: 0.02 }, tolerance: 0 });
  expect(squared.run.updates).toBeLessThan(100);
  expect(squared.gap).toBeLessThan(1e-14);
});

describe("two rows of two classes that share a loss", () => {
  const levels = [
    [1, 0, 1, 0],
    [0, 1, 0, 1],
  ];
  it.each<[string, number[][], number]>([
    ["levels", levels, 1e-4],
    ["a number far from 0", [[-5744.330800026542], [-13869.60331519612]], 1],
  ])("%s: keeps the common shift of unpenalised intercepts at 0", async (_, x, l2) => {
    for (const format of formats) {
      using data = Dataset.fromTable(
        {
          rowCount: 2,
          source: "two",
          columns: [
            ...x[0].map((_, j) => ({ name: `x${j}`, kind: "number" as const, values: Float64Array.from(x, (row) => row[j]) })),
            { name: "y", kind: "category" as const, levels: ["a", "b"], codes: Int32Array.of(0, 1) },
          ],
        },
        { target: "y", type: "f64", format },
      );
      const model = linear({ loss: "multinomial", l2, standardise: false });
      const found = await fit(model, data, { algorithm: coordinateDescent() });
      expect([format, found.run.reason]).toEqual([format, "converged"]);
      const [a, b] = found.intercept;
      expect(Math.abs(a + b)).toBeLessThan(1 + Math.abs(a - b));
    }
  });
});
