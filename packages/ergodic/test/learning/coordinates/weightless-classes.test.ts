/**
 * Classes whose rows all have weight 0. The loss falls as long as their intercepts do, so solvers must end when nothing
 * is left to gain.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import { coordinateDescent, fit, type LinearOptions, linear } from "../../../src/entries/everything.ts";
import { ColumnNewton } from "../../../src/learning/coordinates/column-newton.ts";
import { isFitted, isWeightless } from "../../../src/learning/coordinates/softmax-rows.ts";
import { outputsOf, type Rows, randomRows, tableOf } from "./column-problems.ts";

const MOST_ROUNDS = 20;
const MOST_EVALUATIONS = 400;

const known = randomRows("multinomial", { rows: 120, columns: 5, noise: 3 });
/** Repeats every fourth row as class 3, between the others. */
const again = known.x.flatMap((row, i) =>
  i % 4 === 0
    ? [
        { row, y: known.y[i] },
        { row, y: 3 },
      ]
    : [{ row, y: known.y[i] }],
);
const rows: Rows = { x: again.map(({ row }) => row), y: again.map(({ y }) => y), classes: 4 };
const weights = rows.y.map((y) => (y === 3 ? 0 : 1));

function probabilities(fitted: { weights: ArrayLike<number>; intercept: ArrayLike<number> }): number[][] {
  return outputsOf(known, fitted.weights, fitted.intercept).map((z) => {
    const top = Math.max(...z);
    const sizes = z.map((v) => Math.exp(v - top));
    const sum = sizes.reduce((a, b) => a + b, 0);
    return sizes.map((v) => v / sum);
  });
}

afterEach(() => vi.restoreAllMocks());

const penalties: LinearOptions[] = [{ l1: 0.02 }, { l2: 0.02 }, { l1: 0.01, l2: 0.01 }, { l1: 0, l2: 0 }];

describe.each(penalties)("%o", (penalty) => {
  it("coordinate descent predicts the same as without these rows, in a few rounds", async () => {
    using data = tableOf(rows, { weights });
    using without = tableOf(known);
    const model = linear({ loss: "multinomial", standardise: false, ...penalty });
    const algorithm = coordinateDescent({ tolerance: 1e-13 });
    const wanted = probabilities(await fit(model, without, { algorithm }));
    const evaluations = vi.spyOn(ColumnNewton.prototype, "evaluate");
    const found = await fit(model, data, { algorithm });
    expect(found.run.reason).toMatch(/^converged$|^the gap stays at/);
    expect(found.run.updates).toBeLessThanOrEqual(MOST_ROUNDS);
    expect(evaluations.mock.calls.length).toBeLessThanOrEqual(MOST_EVALUATIONS);
    for (const b of found.intercept) expect(Math.abs(b)).toBeLessThan(50);
    const lost = probabilities(found).map((p) => p[3]);
    // The mean over the rows with weight, in the null model.
    if (penalty.l1) expect(lost.reduce((a, b) => a + b, 0) / lost.length).toBeLessThan(1.1e-13);
    for (const [i, p] of probabilities(found).entries()) {
      expect(p[3]).toBeLessThan(1e-9);
      for (let k = 0; k < 3; k++) expect(Math.abs(p[k] - wanted[i][k])).toBeLessThan(1e-6);
    }
  });
});

it("L-BFGS predicts the same if there is no L1", async () => {
  using data = tableOf(rows, { weights });
  const model = linear({ loss: "multinomial", standardise: false, l2: 0.02 });
  const [wanted, found] = [
    await fit(model, data, { algorithm: coordinateDescent({ tolerance: 1e-10 }) }),
    await fit(model, data),
  ].map(probabilities);
  for (const [i, p] of found.entries()) for (const [k, v] of p.entries()) expect(Math.abs(v - wanted[i][k])).toBeLessThan(1e-3);
});

it("a fold whose training rows lack a class reports a finite loss for the class", async () => {
  const rare = { ...known, x: [...known.x, known.x[0]], y: [...known.y, 3], classes: 4 };
  using data = tableOf(rare);
  const evaluations = vi.spyOn(ColumnNewton.prototype, "evaluate");
  const path = await fit.path(linear({ loss: "multinomial" }), data, { lambdas: [0.1, 0.05], folds: 3, seed: 1 });
  expect(evaluations.mock.calls.length).toBeLessThanOrEqual(8 * MOST_EVALUATIONS);
  const worst = path.crossValidation!.byFold.map((errors) => Math.max(...errors));
  // A row of probability 1e-13 in a fold of 40 adds a deviance of 2 · 30/40.
  expect(Math.max(...worst)).toBeLessThan(10);
  expect(Math.max(...worst)).toBeGreaterThan(Math.min(...worst) + 1);
});

describe("rows of a cross-entropy", () => {
  const of = (weights: number[], slopes: number[]) => ({
    weights: Float64Array.from(weights),
    slopes: Float64Array.from(slopes),
    curvatures: Float64Array.from(slopes, (s, i) => Math.abs(s) * (1 - Math.abs(s) / (weights[i] || 1))),
  });

  it("lack a class if no row of nonzero weight pulls it up", () => {
    expect(isWeightless(of([1, 2, 0], [0.3, 1e-20, 0]))).toBe(true);
    expect(isWeightless(of([1, 2, 0], [0.3, -0.2, 0]))).toBe(false);
    // As certain of its own class as float64 allows: no slope, but the class has a row.
    expect(isWeightless(of([1, 2], [0.3, 0]))).toBe(false);
  });

  it("are fitted if their own class is likelier than all others together", () => {
    expect(isFitted(of([1, 2, 0], [0.3, -0.9, 0]))).toBe(true);
    expect(isFitted(of([1, 2, 0], [0.3, -1.1, 0]))).toBe(false);
  });

  it("do not count for another loss, whatever its slopes", () => {
    const other = { ...of([1, 1], [0.3, 0.2]), curvatures: Float64Array.of(1, 1) };
    expect([isWeightless(other), isFitted(other)]).toEqual([false, false]);
  });
});
