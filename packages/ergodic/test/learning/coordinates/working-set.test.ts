/**
 * kernels/learning/working-set.ts: each kernel compared with plain numbers, on random quadratic models with dense and
 * sparse columns.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { ColumnSet } from "../../../src/learning/coordinates/column-set.ts";
import * as field from "../../../src/learning/fields.ts";
import { LinearProblem } from "../../../src/learning/models/linear/problem.ts";
import { squaredLoss as squared } from "../../../src/learning/models/losses/index.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import { type Quadratic, quadraticMinimum, quadraticValue, residual } from "../../reference/working-set.ts";
import { tableOf } from "./column-problems.ts";

const engine = await openEngine();

/** A random model. `link` mixes neighbouring columns, which makes descent slow. */
function quadratic(rows: number, columns: number, given: Partial<Quadratic> & { link?: number; seed?: number } = {}): Quadratic {
  const { link = 0, seed = 1, ...rest } = given;
  const u = numbers(seed);
  const next = (): number => 2 * u.next().value;
  const x = Array.from({ length: rows }, () => {
    const row = Array.from({ length: columns }, next);
    return row.map((v, j) => (j === 0 ? v : (1 - link) * v + link * row[j - 1]));
  });
  return {
    x,
    u: x.map((row) => row[0] - row[columns - 1] + 0.3 * next()),
    h: x.map(() => 1 + next() / 2),
    l1: 0.3,
    l2: 0,
    penaltyWeights: x[0].map(() => 1),
    intercept: true,
    nonNegative: false,
    ...rest,
  };
}

class Bound implements Disposable {
  readonly set: ColumnSet;
  most = Number.POSITIVE_INFINITY;
  private readonly model: Quadratic;
  private readonly end: () => void;

  constructor(model: Quadratic, { format = "dense" as "dense" | "sparse", capacity = 1000 } = {}) {
    this.model = model;
    const data = tableOf({ x: model.x, y: model.u, classes: 0 }, { format });
    const columns = model.x[0].length;
    const problem = new LinearProblem(data, engine, {
      loss: squared(),
      outputs: 1,
      intercept: model.intercept,
      l1: 0,
      l2: 0,
      group: 0,
      groups: [],
      nonNegative: model.nonNegative,
      penaltyWeights: undefined,
      classWeights: undefined,
      model: "f64",
      deterministic: true,
    });
    const target = problem.byColumns;
    const binding = target.bind(target.rowWeights);
    const v = engine.memory.allocate(data.rowCount * 8, "test");
    this.set = new ColumnSet(target, binding, engine, { v: v.pointer, penaltyWeights: Float64Array.from(model.penaltyWeights) });
    this.end = () => {
      this.set.dispose();
      v.dispose();
      binding.dispose();
      problem.dispose();
      data.dispose();
    };
    const { set } = this;
    if (capacity < set.count(field.SET_CAPACITY)) set.setCount(field.SET_CAPACITY, capacity);
    set.overRows(set.u).set(model.u);
    set.overRows(set.h).set(model.h);
    set.set(
      field.SET_SUM_H_F64,
      model.h.reduce((a, b) => a + b, 0),
    );
    set.set(field.SET_L1_F64, model.l1);
    set.set(field.SET_L2_F64, model.l2);
    this.whole("setNorms");
    this.take(Array.from({ length: columns }, (_, j) => j));
  }

  call(kernel: string, ...args: number[]): number {
    return engine.kernel(kernel, true)(this.set.block, ...args);
  }

  /** Runs an interruptible kernel to the end, in calls of a limited number of elements. */
  whole(kernel: string, ...args: number[]): number {
    let calls = 1;
    while (this.call(kernel, ...args, this.most) === 0) calls++;
    return calls;
  }

  /** Makes exactly these columns members. */
  take(columns: number[]): void {
    const { set } = this;
    const places = engine.memory.u32(set.count(field.SET_PLACES), this.model.x[0].length);
    places.fill(0);
    set.setCount(field.SET_SIZE, columns.length);
    set.setCount(field.SET_GRAM_SIZE, 0);
    set.members().set(columns);
    columns.forEach((j, place) => {
      places[j] = place + 1;
    });
  }

  solve({ tolerance = 0, passes = 5000 } = {}): number {
    this.set.set(field.SET_TOLERANCE_F64, tolerance);
    this.set.setCount(field.SET_MOST_PASSES, passes);
    return this.whole("setSolve");
  }

  beta(): Float64Array {
    return this.set.overColumns(this.set.beta).slice();
  }

  /** The intercept for columns in the units of the data. */
  intercept(): number {
    if (!this.model.intercept) return 0;
    const beta = this.beta();
    return this.set.get(field.SET_SHIFT_F64) - this.set.origins().reduce((sum, o, j) => sum + o * beta[j], 0);
  }

  value(): number {
    return quadraticValue(this.model, this.beta(), this.intercept());
  }

  /** Xᵀv at the current point. */
  pulls(): number[] {
    const v = residual(this.model, this.beta(), this.intercept());
    return this.model.x[0].map((_, j) => v.reduce((sum, value, i) => sum + value * this.model.x[i][j], 0));
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

const models: [string, Partial<Quadratic>][] = [
  ["l1", {}],
  ["l1 and l2", { l2: 0.7 }],
  ["l2 alone", { l1: 0, l2: 0.5 }],
  ["no penalty", { l1: 0 }],
  ["no intercept", { intercept: false }],
  ["coefficients ≥ 0", { nonNegative: true }],
  ["weights of the penalty, some of them 0", { penaltyWeights: [0, 1, 2, 0.5, 1, 0, 3, 1] }],
  ["unpenalised and ≥ 0", { nonNegative: true, penaltyWeights: [0, 0, 1, 1, 1, 1, 1, 0] }],
];
const formats = ["dense", "sparse"] as const;

describe.each(models)("setSolve, %s", (_, given) => {
  it.each(formats)("reaches the minimum of the twin by covariances and by residuals, %s", (format) => {
    for (const link of [0, 0.4]) {
      const model = quadratic(30, 8, { ...given, link });
      // A column far from 0 if there is an intercept to absorb it, and rows of weight 0.
      if (model.intercept) for (const row of model.x) row[3] += 50;
      for (const i of [4, 17]) model.u[i] = model.h[i] = 0;
      const twin = quadraticMinimum(model);
      const wanted = quadraticValue(model, twin.beta, twin.b);
      for (const capacity of [1000, 4]) {
        using bound = new Bound(model, { format, capacity });
        bound.solve({ tolerance: 1e-26 });
        expect(Math.abs(bound.value() - wanted)).toBeLessThan(1e-11 * Math.max(1, wanted));
        const far = bound.beta().map((b, j) => Math.abs(b - twin.beta[j]));
        expect(Math.max(...far)).toBeLessThan(1e-6);
        expect(bound.beta().map((b) => Number(b !== 0))).toEqual(Float64Array.from(twin.beta, (b) => Number(b !== 0)));
      }
    }
  });
});

it("no pass raises the objective, even if points are extrapolated", () => {
  let fell = 0;
  for (const seed of [1, 2, 3]) {
    for (const nonNegative of [false, true]) {
      const model = quadratic(25, 10, { link: 0.97, l1: 0.05, seed, nonNegative });
      for (const capacity of [1000, 4]) {
        let before = Infinity;
        for (let passes = 1; passes <= 40; passes++) {
          using bound = new Bound(model, { capacity });
          bound.solve({ passes });
          expect(bound.set.count(field.SET_PASSES)).toBeLessThanOrEqual(passes);
          const value = bound.value();
          expect(value).toBeLessThanOrEqual(before * (1 + 1e-14));
          if (value < 0.999 * before) fell++;
          before = value;
        }
      }
    }
  }
  expect(fell).toBeGreaterThan(30);
});

it("a set larger than the Gram matrix is solved by residuals", () => {
  const model = quadratic(40, 800, { l1: 2 });
  using bound = new Bound(model);
  expect(bound.set.count(field.SET_CAPACITY)).toBe(768);
  bound.solve({ tolerance: 1e-24 });
  expect(bound.set.count(field.SET_GRAM_SIZE)).toBe(0);
  const pulls = bound.pulls();
  for (const [j, b] of bound.beta().entries())
    expect(b === 0 ? Math.max(0, Math.abs(pulls[j]) - 2) : Math.abs(pulls[j] - 2 * Math.sign(b))).toBeLessThan(1e-9);
});

describe("setScores", () => {
  it.each(formats)("finds every pull that reaches l1 w, and skips most that cannot: %s", (format) => {
    let columns = 0;
    let computed = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const model = quadratic(20, 150, {
        seed,
        l1: 1.2,
        penaltyWeights: Array.from({ length: 150 }, (_, j) => 0.7 + (j % 5) / 5),
      });
      using bound = new Bound(model, { format });
      bound.take([0, 149]);
      bound.solve();
      bound.whole("setScores");
      expect(bound.set.count(field.SET_COMPUTED)).toBe(150);
      for (const more of [
        [0, 149, 5],
        [0, 149, 5, 77, 80],
        [0, 149, 5, 77, 80, 3, 4],
      ]) {
        const already = bound.set.count(field.SET_COMPUTED);
        bound.take(more);
        bound.solve();
        bound.whole("setScores");
        columns += 150;
        computed += bound.set.count(field.SET_COMPUTED) - already;
        const pulls = bound.pulls();
        const known = bound.set.correlations();
        for (const [j, pull] of pulls.entries()) {
          const threshold = 1.2 * model.penaltyWeights[j];
          if (Math.abs(pull) > threshold * (1 - 1e-12)) expect(Math.abs(known[j] - pull)).toBeLessThan(1e-11);
        }
        const worst = pulls.reduce((most, pull, j) => Math.max(most, Math.abs(pull) / (1.2 * model.penaltyWeights[j])), 0);
        if (worst > 1) expect(bound.set.get(field.SET_RATIO_F64)).toBeCloseTo(worst, 11);
      }
    }
    expect(computed).toBeLessThan(0.8 * columns);
  });

  it("sums loss, penalty, excess and violation", () => {
    for (const given of [{ l2: 0.4 }, { l2: 0.4, nonNegative: true, penaltyWeights: [0, 1, 2, 1, 0, 1] }]) {
      const model = quadratic(15, 6, given);
      using bound = new Bound(model);
      bound.take([0, 5]);
      bound.solve({ passes: 1 });
      bound.whole("setScores");
      const { set } = bound;
      const [beta, pulls, w] = [bound.beta(), bound.pulls(), model.penaltyWeights];
      expect(set.get(field.SET_FIT_F64) + set.get(field.SET_PENALTY_F64)).toBeCloseTo(bound.value(), 12);
      const reach = pulls.map((c) => (model.nonNegative ? Math.max(0, c) : Math.abs(c)));
      const excess = reach.map((c, j) => (w[j] > 0 ? Math.max(0, c - 0.3 * w[j]) ** 2 / (2 * 0.4 * w[j]) : 0));
      expect(set.get(field.SET_EXCESS_F64)).toBeCloseTo(
        excess.reduce((a, b) => a + b, 0),
        12,
      );
      const off = pulls.map((c, j) =>
        beta[j] === 0 ? Math.max(0, reach[j] - 0.3 * w[j]) : Math.abs(c - w[j] * (0.3 * Math.sign(beta[j]) + 0.4 * beta[j])),
      );
      expect(set.get(field.SET_VIOLATION_F64)).toBeCloseTo(Math.max(...off), 12);
    }
  });
});

it("setGrow adds the largest pulls above the threshold, and unpenalised columns always", () => {
  for (const nonNegative of [false, true]) {
    const penaltyWeights = Array.from({ length: 30 }, (_, j) => (j === 7 ? 0 : 0.5 + (j % 3)));
    const model = quadratic(12, 30, { nonNegative, penaltyWeights, l1: 1 });
    for (const least of [1, 0.6]) {
      for (const most of [1, 3, 8, 30]) {
        using bound = new Bound(model);
        bound.take([]);
        bound.set.setCount(field.SET_SIZE, 0);
        bound.whole("setScores");
        const over = [...bound.set.correlations()].map((c, j) => {
          const w = penaltyWeights[j];
          return { j, by: ((nonNegative ? c : Math.abs(c)) - least * w) / w };
        });
        const wanted = over.filter(({ j, by }) => j !== 7 && by > 0).sort((a, b) => b.by - a.by);
        const added = bound.call("setGrow", most, least);
        expect(bound.set.count(field.SET_SIZE)).toBe(added);
        const expected = [7, ...wanted.slice(0, most - 1).map(({ j }) => j)];
        expect([...bound.set.members()].sort()).toEqual(expected.sort());
        expect(bound.call("setGrow", most, 1e9)).toBe(0);
      }
    }
  }
});

it("setCompact drops members at 0, and keeps the covariances of the others", () => {
  const model = quadratic(30, 12, { l1: 4, penaltyWeights: [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1] });
  using bound = new Bound(model);
  const { set } = bound;
  bound.solve();
  const beta = bound.beta();
  const kept = [...set.members()].filter((j) => beta[j] !== 0 || j === 3);
  expect(kept.length).toBeGreaterThan(1);
  expect(kept.length).toBeLessThan(12);
  bound.call("setCompact");
  expect([...set.members()]).toEqual(kept);
  expect(set.count(field.SET_GRAM_SIZE)).toBe(kept.length);
  const places = engine.memory.u32(set.count(field.SET_PLACES), 12);
  expect([...places]).toEqual(Array.from({ length: 12 }, (_, j) => kept.indexOf(j) + 1));
  const capacity = set.count(field.SET_CAPACITY);
  const gram = engine.memory.f64(set.count(field.SET_GRAM), capacity * kept.length);
  const total = model.h.reduce((a, b) => a + b, 0);
  const mean = (j: number): number => model.x.reduce((sum, row, i) => sum + model.h[i] * row[j], 0) / total;
  for (const [a, ja] of kept.entries()) {
    for (const [b, jb] of kept.entries()) {
      const wanted = model.x.reduce((sum, row, i) => sum + model.h[i] * (row[ja] - mean(ja)) * (row[jb] - mean(jb)), 0);
      expect(gram[a * capacity + b]).toBeCloseTo(wanted, 11);
    }
  }
  const before = bound.value();
  bound.solve();
  expect(bound.value()).toBeCloseTo(before, 12);
});

it.each(formats)("setDirection writes the change of outputs, and setOutputs writes the outputs: %s", (format) => {
  const model = quadratic(21, 6, { l1: 0.1 });
  using bound = new Bound(model, { format });
  const { set } = bound;
  bound.solve();
  const shift = set.get(field.SET_SHIFT_F64);
  bound.whole("setDirection", set.direction);
  const wanted = residual(model, bound.beta(), bound.intercept()).map((v, i) => (model.u[i] - v) / model.h[i]);
  const expectOutputs = (): void => {
    for (const [i, z] of set.overRows(set.direction).entries()) expect(z).toBeCloseTo(wanted[i], 12);
  };
  expectOutputs();
  bound.whole("setOutputs", shift, set.direction);
  expectOutputs();
});

it("moves are relative to column means, so that an offset of 1e6 costs few digits", () => {
  const model = quadratic(40, 6, { l1: 0.2 });
  const shifted = { ...model, x: model.x.map((row) => row.map((v) => v + 2 ** 20)) };
  using near = new Bound(model);
  using far = new Bound(shifted);
  near.solve({ tolerance: 1e-24 });
  far.solve({ tolerance: 1e-24 });
  const beta = near.beta();
  for (const [j, b] of far.beta().entries()) expect(Math.abs(b - beta[j])).toBeLessThan(1e-8);
});

describe("interrupted calls", () => {
  const models: [string, Parameters<typeof quadratic>[2], number][] = [
    ["by covariances", { link: 0.6 }, 1000],
    ["by covariances, coefficients ≥ 0", { link: 0.6, nonNegative: true, l1: 0.01 }, 1000],
    ["by residuals", { link: 0.6, l1: 0.02 }, 8],
    ["by residuals, coefficients ≥ 0, no intercept", { link: 0.6, l1: 0.02, nonNegative: true, intercept: false }, 8],
    ["by residuals, l2", { link: 0.9, l1: 0, l2: 0.001 }, 8],
  ];

  it.each(models)("produce the same bits: %s", (_, given, capacity) => {
    for (const format of formats) {
      const ends = [Number.POSITIVE_INFINITY, 60, 1].map((most) => {
        using bound = new Bound(quadratic(30, 20, given), { format, capacity });
        const { set } = bound;
        bound.most = most;
        const norms = bound.whole("setNorms");
        const solve = bound.solve({ tolerance: 1e-12, passes: 200 });
        const direction = bound.whole("setDirection", set.direction);
        const moved = set.overRows(set.direction).slice();
        const scores = bound.whole("setScores");
        const outputs = bound.whole("setOutputs", 0.5, set.direction);
        const numbers = [
          field.SET_SHIFT_F64,
          field.SET_FIT_F64,
          field.SET_PENALTY_F64,
          field.SET_RATIO_F64,
          field.SET_EXCESS_F64,
        ];
        const more = [field.SET_VIOLATION_F64, field.SET_INNER_F64, field.SET_KAPPA_F64, field.SET_DISTANCE_F64];
        return {
          calls: [norms, solve, direction, scores, outputs],
          end: {
            vectors: [set.overRows(set.u), set.overRows(set.v), set.norms(), set.origins(), set.correlations()].map((v) =>
              v.slice(),
            ),
            coefficients: [bound.beta(), set.before().slice(), moved, set.overRows(set.direction).slice()],
            numbers: [...numbers, ...more].map((at) => set.get(at)),
            counts: [field.SET_PASSES, field.SET_COMPUTED, field.SET_GRAM_SIZE, field.SET_STAGE, field.SET_AT].map((at) =>
              set.count(at),
            ),
            temporary: [...engine.memory.f64(set.count(field.SET_TEMPORARY), 30)],
          },
        };
      });
      expect(ends[0].calls).toEqual([1, 1, 1, 1, 1]);
      const [whole, , most] = ends;
      for (const { end } of ends) expect(end).toEqual(whole.end);
      // The kernel stops after each column: 20 of them, more than once per solve.
      expect(most.calls.every((calls, k) => calls >= (k === 1 ? 40 : k === 0 || k === 3 ? 20 : 2))).toBe(true);
      expect(whole.end.temporary).toEqual(new Array(30).fill(0));
    }
  });
});

it("columnProducts is Xᵀ(h∘x) by position, without the entries of the intercept", () => {
  const model = quadratic(20, 6);
  using bound = new Bound(model, { format: "sparse" });
  const { set } = bound;
  const { memory } = engine;
  const places = memory.allocate(7 * 4, "test");
  const out = memory.allocate(8 * 8, "test");
  // Column 2 has no position, and the entry after the last column must not be read.
  memory.u32(places.pointer, 7).set([3, 1, 0, 2, 5, 4, 7]);
  memory.f64(out.pointer, 8).fill(0);
  const columns = set.count(field.SET_COLUMNS);
  const entries = engine.kernel("columnProductsSparseF64", true)(columns, 1, set.count(field.SET_H), places.pointer, out.pointer);
  const product = (j: number): number => model.x.reduce((sum, row, i) => sum + model.h[i] * row[1] * row[j], 0);
  const expected = [product(2), product(1), product(3), product(0), product(5), product(4), 0, 0];
  for (const [k, sum] of memory.f64(out.pointer, 8).entries()) expect(sum).toBeCloseTo(expected[k], 12);
  expect(entries).toBe(model.x.length * 6);
  places.dispose();
  out.dispose();
});

it("setModel always updates slopes, and updates curvatures only after they drift", () => {
  const model = quadratic(10, 3);
  using bound = new Bound(model);
  const { set } = bound;
  const { memory } = engine;
  const own = memory.allocate(4 * 10 * 8, "test");
  const [slopes, curvatures, weights] = [0, 1, 2].map((k) => own.pointer + k * 80);
  memory.f64(slopes, 10).set(model.u);
  memory.f64(curvatures, 10).set(model.h);
  memory.f64(weights, 10).fill(0.5);
  memory.f64(curvatures, 10)[3] = 0;
  const take = (drift: number): void => void bound.call("setModel", slopes, curvatures, weights, 0.01, drift);
  const state = () => ({ h: [...set.overRows(set.h)], u: [...set.overRows(set.u)], sumH: set.get(field.SET_SUM_H_F64) });
  const floored = model.h.map((h, i) => (i === 3 ? 0.005 : h));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

  take(-1);
  expect(state()).toEqual({ h: floored, u: model.u.map((u) => -u), sumH: sum(floored) });
  set.setCount(field.SET_GRAM_SIZE, 2);
  set.set(field.SET_SHIFT_F64, 5);
  memory.f64(curvatures, 10)[0] += 0.05 * sum(floored);
  memory.f64(slopes, 10)[0] = 7;
  take(0.05);
  expect(state()).toEqual({ h: floored, u: model.u.map((u, i) => (i === 0 ? -7 : -u)), sumH: sum(floored) });
  expect([set.count(field.SET_GRAM_SIZE), set.get(field.SET_SHIFT_F64)]).toEqual([2, 0]);
  take(0.04);
  expect(set.overRows(set.h)[0]).toBe(memory.f64(curvatures, 10)[0]);
  expect(set.get(field.SET_SUM_H_F64)).toBeCloseTo(1.05 * sum(floored), 12);
  expect(set.count(field.SET_GRAM_SIZE)).toBe(0);
  own.dispose();
});

it("repeated scores are equal, because sums start from 0", () => {
  using bound = new Bound(quadratic(30, 12));
  bound.solve({ tolerance: 1e-12 });
  const sums = () => [field.SET_INNER_F64, field.SET_PENALTY_F64].map((at) => bound.set.get(at));
  const [first, again] = [0, 1].map(() => {
    bound.whole("setScores");
    return sums();
  });
  expect(first.every((sum) => sum > 0)).toBe(true);
  for (const [k, sum] of again.entries()) expect(sum).toBeCloseTo(first[k], 12);
});
