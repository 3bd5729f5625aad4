/** Descent on working sets: its certificate, optimum and formats, for every loss with a curvature. */
import { describe, expect, it } from "vitest";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { coordinateDescent, type FitOptions, fit, type LinearOptions, linear } from "../../../src/entries/everything.ts";
import { ColumnSolver } from "../../../src/learning/coordinates/column-solver.ts";
import { commonShift } from "../../../src/learning/coordinates/common-shift.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import { isSlow, power } from "../../power.ts";
import { lassoGap } from "../../reference/lasso-gap.ts";
import {
  type Fit,
  follow,
  type Kind,
  kinds,
  lossOf,
  meanLoss,
  objective,
  type Rows,
  randomRows,
  type TableOptions,
  tableOf,
} from "./column-problems.ts";

const engine = await openEngine();

interface Solve extends TableOptions {
  model?: LinearOptions;
  tolerance?: number;
  epochs?: number;
  fitting?: FitOptions;
}

async function solve(kind: Kind, rows: Rows, { model, tolerance = 1e-6, epochs, fitting, ...table }: Solve) {
  using data = tableOf(rows, table);
  return await fit(linear({ loss: lossOf(kind), standardise: false, ...model }), data, {
    algorithm: coordinateDescent({ tolerance }),
    ...(epochs ? { epochs } : {}),
    ...fitting,
  });
}

const penaltyOf = (model: LinearOptions, columns: number) => ({
  l1: Number(model.l1 ?? 0),
  l2: Number(model.l2 ?? 0),
  penaltyWeights: Array.from({ length: columns }, (_, j) => model.penaltyWeights?.[`x${j}`] ?? 1),
});

const certified: [string, LinearOptions][] = [
  ["l1", { l1: 0.05 }],
  ["strong l1", { l1: 0.3 }],
  ["l1 and l2", { l1: 0.03, l2: 0.1 }],
  ["l2", { l2: 0.05 }],
  ["no intercept", { l1: 0.05, intercept: false }],
  ["coefficients ≥ 0", { l1: 0.05, nonNegative: true }],
  ["coefficients ≥ 0, l2", { l2: 0.1, nonNegative: true }],
  ["weights of the penalty", { l1: 0.05, l2: 0.01, penaltyWeights: { x0: 3, x1: 0.2, x5: 0.5 } }],
];

describe.each(kinds)("%s", (kind) => {
  const rows = randomRows(kind);
  const columns = rows.x[0].length;
  const rowWeights = rows.y.map((_, i) => (i % 7 === 3 ? 0 : 0.5 + (i % 3)));

  it.each(certified)(
    "%s: reports correct values, and a gap that always bounds the suboptimality, after any round",
    async (_, model) => {
      const penalty = penaltyOf(model, columns);
      // Rows alternately have weights.
      const own = certified.findIndex(([, other]) => other === model) % 2 === 0 ? undefined : rowWeights;
      for (const weights of isSlow ? [undefined, rowWeights] : [own]) {
        const best = await solve(kind, rows, { model, weights, tolerance: 1e-12 });
        const optimum = objective(kind, rows, best, penalty, weights);
        const rounding = 1e-12 * Math.max(1, Math.abs(optimum));
        expect(best.gap).toBeLessThan(1e-11);
        for (const epochs of [1, 2, 1000]) {
          const some = await solve(kind, rows, { model, weights, epochs });
          const { objective: primal, dual, gap } = some.run.report;
          const here = objective(kind, rows, some, penalty, weights);
          expect(Math.abs(primal - here)).toBeLessThan(rounding);
          expect(dual).toBeLessThanOrEqual(optimum + rounding);
          expect(here).toBeGreaterThanOrEqual(optimum - rounding);
          expect(gap).toBe(some.gap);
          if (epochs === 1000) {
            expect(some.run.reason).toBe("converged");
            expect(gap).toBeLessThanOrEqual(1e-6);
          }
          if (model.nonNegative) expect(Math.min(...some.weights)).toBeGreaterThanOrEqual(0);
        }
      }
    },
  );

  it("has a dual below the objective at every other point", async () => {
    const model = { l1: 0.05, l2: 0.02 };
    const { run, weights, intercept } = await solve(kind, rows, { model });
    const u = numbers(4);
    for (let k = 0; k < 20; k++) {
      const other: Fit = {
        weights: Array.from(weights, (b) => b + 0.3 * u.next().value),
        intercept: Array.from(intercept, (b) => b + u.next().value),
      };
      expect(objective(kind, rows, other, model)).toBeGreaterThan(run.report.dual);
    }
  });

  it("screens only columns that are 0 at the optimum", async () => {
    const COLUMNS = 40;
    let screenings = 0;
    for (const seed of isSlow ? [1, 2, 3, 4, 5, 6, 11] : [1, 2, 11]) {
      const problem = randomRows(kind, { rows: 25, columns: COLUMNS, seed });
      // The columns of the last problem are strongly correlated, so a ball a tenth of the right size would screen
      // needed columns.
      if (seed === 11) {
        for (const row of problem.x) {
          const common = row.reduce((sum, v) => sum + v, 0) / 8;
          row.forEach((v, j) => {
            row[j] = v + common;
          });
        }
      }
      using data = tableOf(problem);
      const model = linear({ loss: lossOf(kind), standardise: false });
      const plan = resolvePlan("test", { deterministic: true }, engine.describe(), { batch: "all", precision: "f64" }, "f64");
      const bound = model.bind(data, plan, engine);
      const solver = new ColumnSolver(bound.byColumns, engine);
      const run = (calls: Parameters<typeof engine.run>[0]) => engine.run(calls, { workers: 1, deterministic: true });
      await follow(solver.open(), run);
      const top = await follow(solver.largestPull(), run);
      // If the first solution is close, least squares has nothing to screen.
      for (const share of kind === "squared" ? [0.5, 0.2, 0.05] : [0.8, 0.5, 0.2, 0.05]) {
        const l1 = share * top;
        const best = await solve(kind, problem, { model: { l1 }, tolerance: 1e-11 });
        const outputs = best.intercept.length;
        await follow(solver.begin({ l1, l2: 0 }), run);
        for (let round = 0; round < 40 && !(await follow(solver.round(1e-8), run)); round++) {
          const { tensors } = solver.snapshot();
          for (let k = 0; k < outputs; k++) {
            const screened = tensors[`output.${k}.screened`];
            const wrong = best.weights
              .subarray(k * COLUMNS, (k + 1) * COLUMNS)
              .filter((b, j) => screened[j] === 1 && Math.abs(b) > 1e-7);
            expect([...wrong]).toEqual([]);
            screenings += Array.from(screened).filter((one) => one === 1).length;
          }
        }
      }
      solver.dispose();
      bound.dispose();
    }
    // Poisson's curvature is unbounded, so no ball is known. Least squares converges before there is much to screen.
    if (kind === "poisson") expect(screenings).toBe(0);
    else expect(screenings).toBeGreaterThan(kind === "squared" ? power(2, 5) : power(8, 20));
  });

  it("ends by the violation, correctly and without a gap, if some columns are not penalised", async () => {
    const models: LinearOptions[] = [
      { l1: 0.05, penaltyWeights: { x0: 0, x3: 0 } },
      { l1: 0.05, l2: 0.05, penaltyWeights: { x0: 0 } },
      { l1: 0.05, nonNegative: true, penaltyWeights: { x0: 0, x1: 0, x2: 0 } },
    ];
    for (const model of models) {
      const { run, gap, weights, intercept } = await solve(kind, rows, { model, tolerance: 1e-8 });
      expect([gap, run.reason]).toEqual([undefined, "converged"]);
      expect(run.report.violation).toBeLessThanOrEqual(1e-8);
      expectStationary(kind, rows, { weights, intercept }, model);
    }
  });

  it("ends by the violation at a stationary point without a penalty", async () => {
    const many = randomRows(kind, { rows: 150, columns: 5, noise: 6 });
    const { run, gap, weights, intercept } = await solve(kind, many, { tolerance: 1e-9 });
    expect([gap, run.reason]).toEqual([undefined, "converged"]);
    expect(run.report.violation).toBeLessThanOrEqual(1e-9);
    expectStationary(kind, many, { weights, intercept }, {});
  });

  it("finds the same solution for dense and sparse rows of the same values in 64, 32, 16 and 8 bits", async () => {
    const model = { l1: 0.04, l2: 0.01 };
    const wanted = await solve(kind, rows, { model, tolerance: 1e-12 });
    const near = (found: Fit): void => {
      const far = Array.from(found.weights, (b, at) => Math.abs(b - wanted.weights[at]));
      expect(Math.max(...far)).toBeLessThan(1e-6);
    };
    for (const format of ["dense", "sparse"] as const) {
      // Cells are multiples of 1/8 up to 3, which are exact in f32.
      for (const type of ["f64", "f32"] as const) near(await solve(kind, rows, { model, tolerance: 1e-12, format, type }));
      for (const precision of ["i16", "i8"] as const) {
        using data = tableOf(rows, { format, type: "f32" });
        using quantised = data.as(precision);
        const stands = rows.x.map((_, i) => [...quantised.row(i)].slice(0, columns));
        const options = { algorithm: coordinateDescent({ tolerance: 1e-12 }), precision };
        const found = await fit(linear({ loss: lossOf(kind), standardise: false, ...model }), data, options);
        const same = await solve(kind, { ...rows, x: stands }, { model, tolerance: 1e-12 });
        const far = Array.from(found.weights, (b, at) => Math.abs(b - same.weights[at]));
        expect(Math.max(...far)).toBeLessThan(1e-6);
        // Differences of intercepts, because a softmax does not determine their common shift.
        const apart = ({ intercept }: Fit): number[] =>
          Array.from(intercept, (b) => (kind === "multinomial" ? b - intercept[0] : b));
        apart(found).forEach((b, k) => {
          expect(Math.abs(b - apart(same)[k])).toBeLessThan(1e-6);
        });
      }
    }
  });

  it("is deterministic: produces the same bytes each time", async () => {
    const once = async () => {
      const found = await solve(kind, rows, { model: { l1: 0.03 }, fitting: { deterministic: true } });
      return [...found.weights, ...found.intercept, ...Object.values(found.run.report)];
    };
    expect(await once()).toEqual(await once());
  });
});

/** Checks that 0 is in the subdifferential of the objective, by central differences of the loss in plain numbers. */
function expectStationary(kind: Kind, rows: Rows, { weights, intercept }: Fit, model: LinearOptions): void {
  const { l1, l2, penaltyWeights } = penaltyOf(model, rows.x[0].length);
  const step = 1e-5;
  const slope = (which: "weights" | "intercept", at: number): number => {
    const moved = (by: number): number => {
      const point = { weights: Array.from(weights), intercept: Array.from(intercept) };
      point[which][at] += by;
      return meanLoss(kind, rows, point);
    };
    return (moved(step) - moved(-step)) / (2 * step);
  };
  for (const [k] of Array.from(intercept).entries()) expect(Math.abs(slope("intercept", k))).toBeLessThan(1e-5);
  for (const [at, b] of Array.from(weights).entries()) {
    const w = penaltyWeights[at % penaltyWeights.length];
    const g = slope("weights", at);
    const off =
      b === 0 ? Math.max(0, (model.nonNegative ? -g : Math.abs(g)) - l1 * w) : Math.abs(g + w * (l1 * Math.sign(b) + l2 * b));
    expect(off).toBeLessThan(1e-5);
  }
}

it("squared: the gap equals that of an independent checker", async () => {
  const rows = randomRows("squared", { rows: 30, columns: 60 });
  const flat = { x: rows.x.flat(), rowCount: 30, columnCount: 60, y: rows.y };
  for (const l1 of [0.3, 0.1, 0.02]) {
    const { weights, intercept, gap, run } = await solve("squared", rows, { model: { l1 }, tolerance: 1e-5 });
    const wanted = lassoGap(flat, weights, intercept[0], l1);
    expect(run.report.objective).toBeCloseTo(wanted.primal, 12);
    // The checker uses the best multiple of the residual, and this solver the largest feasible one up to 1.
    expect(gap).toBeGreaterThanOrEqual(wanted.relative - 1e-13);
    expect(gap).toBeLessThan(1e-5);
  }
});

it("ridge: equals the closed form", async () => {
  const rows = randomRows("squared", { rows: 20, columns: 3 });
  const l2 = 0.37;
  const { weights, intercept, gap } = await solve("squared", rows, { model: { l2 }, tolerance: 1e-14 });
  expect(gap).toBeLessThan(1e-14);
  // (XcᵀXc/n + l2 I) β = Xcᵀyc/n, checked by substituting β.
  const means = [0, 1, 2].map((j) => rows.x.reduce((sum, row) => sum + row[j], 0) / 20);
  const mean = rows.y.reduce((a, b) => a + b, 0) / 20;
  const fitted = rows.x.map((row) => row.reduce((sum, v, j) => sum + (v - means[j]) * weights[j], 0));
  for (const j of [0, 1, 2]) {
    const side = rows.x.reduce((sum, row, i) => sum + (row[j] - means[j]) * (rows.y[i] - mean - fitted[i]), 0) / 20;
    expect(side).toBeCloseTo(l2 * weights[j], 13);
  }
  expect(intercept[0]).toBeCloseTo(mean - means.reduce((sum, m, j) => sum + m * weights[j], 0), 12);
});

describe("the common shift of all outputs", () => {
  const cost = (values: number[], t: number, l1: number, l2: number): number =>
    values.reduce((sum, v) => sum + l1 * Math.abs(v - t) + (l2 / 2) * (v - t) ** 2, 0);

  it("minimises the penalty over all shifts", () => {
    const u = numbers(8);
    for (let trial = 0; trial < power(100, 300); trial++) {
      const values = Array.from({ length: 2 + (trial % 5) }, (_, i) => (trial % 3 === 0 && i % 2 ? 0 : 4 * u.next().value));
      for (const [l1, l2] of [
        [1, 0],
        [0, 1],
        [0.7, 0.4],
        [0.1, 2],
      ]) {
        const t = commonShift(Float64Array.from(values), { l1, l2 }, false);
        const here = cost(values, t, l1, l2);
        for (const other of [0, ...values, t + 1e-3, t - 1e-3, t + 1, t - 1]) {
          expect(here).toBeLessThanOrEqual(cost(values, other, l1, l2) + 1e-14);
        }
        const bounded = commonShift(Float64Array.from(values, Math.abs), { l1, l2 }, true);
        expect(Math.min(...values.map((v) => Math.abs(v) - bounded))).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("is 0 if 0 is one of the minimisers", () => {
    expect(commonShift(Float64Array.of(0, 0, 5), { l1: 1, l2: 0 }, false)).toBe(0);
    expect(commonShift(Float64Array.of(-1, 2), { l1: 1, l2: 0 }, false)).toBe(0);
    expect(commonShift(Float64Array.of(1, 2), { l1: 1, l2: 0 }, false)).toBe(1);
    expect(commonShift(Float64Array.of(-3, -2, -2, -1), { l1: 1, l2: 0 }, false)).toBe(-2);
    expect(commonShift(Float64Array.of(1, 2, 6), { l1: 0, l2: 3 }, false)).toBe(3);
  });
});
