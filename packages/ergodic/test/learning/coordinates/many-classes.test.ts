/**
 * Many classes that share a loss. The cost of a solve is counted in evaluations of all outputs, and their number per
 * cycle of steps does not depend on the number of classes.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { HISTORY } from "../../../src/engine/optimise/coordinates/anderson.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { coordinateDescent, Dataset, fit, linear } from "../../../src/entries/everything.ts";
import { ColumnNewton } from "../../../src/learning/coordinates/column-newton.ts";
import { ColumnSet } from "../../../src/learning/coordinates/column-set.ts";
import { ColumnSolver } from "../../../src/learning/coordinates/column-solver.ts";
import { SET_CAPACITY, SET_GRAM_SIZE } from "../../../src/learning/fields.ts";
import { objective, type Rows, tableOf } from "./column-problems.ts";
import { engine } from "./targets.ts";

/** Each row's class is drawn from a softmax of linear functions. */
function rowsOf(classes: number, rowCount: number, columnCount: number): Rows {
  const draws = stream(1, "rows").at(0);
  const numbers = (count: number) => Array.from({ length: count }, () => draws.normal());
  const planted = Array.from({ length: classes }, () => numbers(columnCount));
  const x = Array.from({ length: rowCount }, () => numbers(columnCount));
  const y = x.map((row, i) => {
    if (i < classes) return i;
    const z = planted.map((w) => w.reduce((sum, v, j) => sum + v * row[j], -Math.log(-Math.log(draws.uniform()))));
    return z.indexOf(Math.max(...z));
  });
  return { x, y, classes };
}

function bound(data: Dataset, l1: number) {
  const plan = resolvePlan("test", { deterministic: true }, engine.describe(), { batch: "all", precision: "f64" }, "f64");
  return linear({ loss: "multinomial", standardise: false, l1 }).bind(data, plan, engine).byColumns!;
}

const run = (calls: Parameters<typeof engine.run>[0]) => engine.run(calls, { workers: 1, deterministic: true });

type Generators = Record<"evaluate" | "descendTogether" | "settleOne", (...args: unknown[]) => Generator>;
const newton = ColumnNewton.prototype as unknown as Generators;
afterEach(() => vi.restoreAllMocks());

describe.each([3, 8, 20])("%i classes", (classes) => {
  test("makes one evaluation per step and group, with at most 8 groups, and ends at the certified gap", async () => {
    using data = tableOf(rowsOf(classes, 400, 6));
    let cycles = 0;
    let made = 0;
    const { descendTogether, evaluate } = newton;
    let within = false;
    vi.spyOn(newton, "descendTogether").mockImplementation(function* (this: ColumnNewton, ...args) {
      cycles += HISTORY;
      within = true;
      const gained = yield* descendTogether.apply(this, args);
      within = false;
      return gained;
    });
    vi.spyOn(newton, "evaluate").mockImplementation(function* (this: ColumnNewton) {
      if (within) made++;
      return yield* evaluate.apply(this);
    });
    const fitted = await fit(linear({ loss: "multinomial", l1: 0.005 }), data, { algorithm: coordinateDescent() });
    expect(fitted.run.reason).toBe("converged");
    expect(fitted.run.report.gap).toBeLessThanOrEqual(1e-6);
    expect(cycles).toBeGreaterThan(0);
    // Halved steps and extrapolated points add a few evaluations.
    expect(made).toBeLessThanOrEqual(1.3 * cycles * Math.min(8, classes));
    expect(made).toBeGreaterThan(0);
  });
});

test("a path keeps Gram matrices across steps, and computes curvatures again only after they drift", async () => {
  using data = tableOf(rowsOf(4, 400, 40));
  let steps = 0;
  let anew = 0;
  const models = ColumnNewton.prototype as unknown as { sets: readonly ColumnSet[]; takeModel(k: number, drift?: number): void };
  const { takeModel } = models;
  vi.spyOn(models, "takeModel").mockImplementation(function (this: typeof models, k, drift) {
    const before = this.sets[k].count(SET_GRAM_SIZE);
    takeModel.call(this, k, drift);
    if (before === 0) return;
    steps++;
    if (this.sets[k].count(SET_GRAM_SIZE) === 0) anew++;
  });
  const path = await fit.path(linear({ loss: "multinomial" }), data, {
    lambdas: [0.1, 0.05, 0.02, 0.01, 0.009, 0.008, 0.007, 0.006, 0.005],
  });
  expect(Math.max(...path.gaps)).toBeLessThanOrEqual(1e-6);
  expect(steps).toBeGreaterThan(200);
  expect(anew / steps).toBeLessThan(0.2);
});

test("a few wide classes have room for one step's Gram matrix, and many get no more room", () => {
  const capacity = (classes: number): number => {
    using data = tableOf(rowsOf(classes, 100, 400));
    const target = bound(data, 0.01);
    const binding = target.bind(target.rowWeights);
    const set = new ColumnSet(target, binding, engine, { v: 0, penaltyWeights: new Float64Array(400).fill(1) });
    const most = set.count(SET_CAPACITY);
    set.dispose();
    binding.dispose();
    return most;
  };
  expect([4, 40].map(capacity)).toEqual([400, 256]);
});

test("12 classes reach the minimum that solving one class after another reaches", async () => {
  const rows = rowsOf(12, 200, 5);
  using data = tableOf(rows);
  const l1 = 0.003;
  const solved = async () => {
    const fitted = await fit(linear({ loss: "multinomial", standardise: false, l1 }), data, {
      algorithm: coordinateDescent({ tolerance: 1e-10 }),
    });
    return objective("multinomial", rows, fitted, { l1 });
  };
  const together = await solved();
  const turns = ColumnNewton.prototype as unknown as { turns(): number[][] };
  vi.spyOn(turns, "turns").mockImplementation(() => Array.from({ length: 12 }, (_, k) => [k]));
  expect(together).toBeCloseTo(await solved(), 9);
});

test("a round interrupted anywhere never raises the objective", async () => {
  const rows = rowsOf(12, 200, 5);
  using data = tableOf(rows);
  const l1 = 0.003;
  const target = bound(data, l1);
  const solver = new ColumnSolver(target, engine);
  const all = async (calls: Generator) => {
    const { stride } = target.penalty;
    const here = () => {
      const p = solver.parameters();
      const weights = Float64Array.from({ length: 12 * 5 }, (_, at) => p[Math.floor(at / 5) * stride + (at % 5)]);
      return objective(
        "multinomial",
        rows,
        { weights, intercept: Array.from({ length: 12 }, (_, k) => p[k * stride + 5]) },
        { l1 },
      );
    };
    const begun = here();
    const seen = new Set<number>();
    let unsolved = solver.parameters();
    let at = (calls as ReturnType<ColumnSolver["open"]>).next([]);
    while (!at.done) {
      const [{ kernel }] = at.value;
      if (kernel === "setSolve") unsolved = solver.parameters();
      // The solution is known, but no output has moved to it yet.
      if (kernel === "setDirection") expect(solver.parameters()).toEqual(unsolved);
      at = (calls as ReturnType<ColumnSolver["open"]>).next(await run([...at.value]));
      seen.add(here());
    }
    return { begun, seen: [...seen] };
  };
  await all(solver.open());
  await all(solver.begin({ l1, l2: 0 }));
  const { begun, seen } = await all(solver.round(1e-6));
  // Trial steps are exempt, because they are discarded if they raise the objective.
  expect(seen.length).toBeGreaterThan(8);
  expect(Math.max(...seen)).toBeLessThanOrEqual(begun + 1e-9);
  solver.dispose();
});

test("intercepts of rare classes among many rows converge jointly, up to rounding", async () => {
  const draws = stream(2, "rows").at(0);
  const rowCount = 1200;
  const y = Float64Array.from({ length: rowCount }, (_, i) => (i < 120 ? i : Math.floor(120 * draws.uniform())));
  using data = Dataset.fromArrays({ x: Array.from(y, () => [draws.normal()]), y, type: "f64", classes: true });
  const one = vi.spyOn(newton, "settleOne");
  const evaluations = vi.spyOn(newton, "evaluate");
  const fitted = await fit(linear({ loss: "multinomial", l1: 10 }), data, { algorithm: coordinateDescent() });
  expect(one).not.toHaveBeenCalled();
  expect(evaluations.mock.calls.length).toBeLessThan(80);
  // No column is active, so probabilities are the shares of the classes.
  const counts = new Float64Array(120);
  for (const k of y) counts[k]++;
  const [first] = fitted.intercept;
  for (const [k, b] of [...fitted.intercept].entries()) expect(Math.exp(b - first)).toBeCloseTo(counts[k] / counts[0], 10);
});

test("the null model starts with optimal intercepts, even for rare classes with slowly falling slopes", async () => {
  const y = Float64Array.from({ length: 4000 }, (_, i) => (i < 4 ? 1 + (i % 2) : 0));
  using data = Dataset.fromArrays({ x: Array.from(y, (_, i) => [Math.sin(i)]), y, type: "f64", classes: true });
  const target = bound(data, 1);
  const solver = new ColumnSolver(target, engine);
  const calls = solver.open();
  for (let at = calls.next([]); !at.done; ) at = calls.next(await run([...at.value]));
  const b = Array.from({ length: 3 }, (_, k) => solver.parameters()[k * target.penalty.stride + 1]);
  expect(b[0] - b[1]).toBeCloseTo(Math.log(3996 / 2), 10);
  expect(b[2] - b[1]).toBeCloseTo(0, 10);
  solver.dispose();
});
