/**
 * Linear models by coordinates: moves, estimates and pairs compared with a plain twin, for every loss, format and type.
 * Violations are compared with finite differences, gaps with minima found by other means, and coordinateDescent's picks
 * and steps with its working sets.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CoordinateState } from "../../../src/engine/contract/index.ts";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { elements } from "../../../src/engine/data/layout.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  type CoordinateDescentOptions,
  coordinateDescent,
  fit,
  type LinearOptions,
  linear,
} from "../../../src/entries/everything.ts";
import { eigenvalueBound } from "../../../src/learning/models/linear/coordinate-bounds.ts";
import type { LinearProblem } from "../../../src/learning/models/linear/problem.ts";
import { type Format, plantedRows } from "../../engine/loop/planted.ts";
import { isSlow, power } from "../../power.ts";
import { type LossName, PlainCoordinates } from "../../reference/linear-coordinates.ts";
import { engine, plan } from "../coordinates/targets.ts";

const ROWS = 40;
const COLUMNS = 6;
type Classes = number | "count";
const classesOf: Record<LossName, Classes> = { squared: 0, logistic: 2, poisson: "count", multinomial: 3 };
const losses = Object.keys(classesOf) as LossName[];
const formats: Format[] = ["dense", "sparse"];
const types = ["f64", "f32", "i16", "i8"] as const;
const curvatures: Record<string, number> = { squared: 1, logistic: 0.25, multinomial: 0.5 };

class Opened implements Disposable {
  readonly state: CoordinateState;
  readonly twin: PlainCoordinates;
  readonly count: number;
  readonly blocks: readonly (readonly number[])[] | undefined;
  private readonly data: Dataset;
  private readonly typed: Dataset;
  private readonly problem: LinearProblem;

  constructor(
    loss: LossName,
    format: Format,
    options: LinearOptions = {},
    type: (typeof types)[number] = "f64",
    classes = classesOf[loss],
  ) {
    const { data, y } = plantedRows({ rows: ROWS, columns: COLUMNS, classes, format });
    this.data = data;
    this.typed = data.as(type);
    const model = linear({ loss, standardise: false, ...options });
    this.problem = model.bind(this.typed, plan(), engine);
    const { coordinates } = this.problem;
    this.count = coordinates.count;
    this.blocks = coordinates.blocks;
    this.state = coordinates.open(plan(), engine);
    const { l1, l2, group, nonNegative } = { l1: 0, l2: 0, nonNegative: false, ...options };
    this.twin = new PlainCoordinates({
      loss,
      x: storedRows(this.typed),
      y,
      outputs: typeof classes === "number" && classes > 2 ? classes : 1,
      ...(options.intercept === false ? {} : { one: this.typed.layout.one }),
      l1: Number(l1),
      l2: Number(l2),
      nonNegative,
      ...(group ? { group: group.strength, groups: this.problem.penalty.groups } : {}),
    });
  }

  [Symbol.dispose](): void {
    this.state.dispose();
    this.problem.dispose();
    if (this.typed !== this.data) this.typed.dispose();
    this.data.dispose();
  }
}

/** Rows as the kernels read them: scale × the stored value. */
function storedRows({ layout }: Dataset): number[][] {
  const { memory } = engine;
  const { rowCount, columnCount, type, stride, scale } = layout;
  if (layout.format === "dense") {
    const values = elements(memory, type, layout.values, rowCount * stride);
    return Array.from({ length: rowCount }, (_, i) =>
      Array.from({ length: columnCount }, (_, j) => scale * values[i * stride + j]),
    );
  }
  const starts = memory.u32(layout.rowStart, rowCount + 1);
  const values = elements(memory, type, layout.values, starts[rowCount]);
  const columns = memory.u32(layout.columnIndex, starts[rowCount]);
  return Array.from({ length: rowCount }, (_, i) => {
    const row = new Array<number>(columnCount).fill(0);
    for (let e = starts[i]; e < starts[i + 1] - 1; e++) row[columns[e]] = scale * values[e];
    return row;
  });
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

/** A point away from kinks. */
function somewhere(count: number, seed: number, positive = false): Float64Array {
  const draws = stream(seed, "somewhere").at(0);
  return Float64Array.from({ length: count }, () => (positive ? 0.1 + draws.uniform() : draws.normal() / 2));
}

/** Whether further passes would change nothing that a test compares. */
const isSolved = (state: CoordinateState): boolean => Math.max(...state.violations()) < 1e-11 && state.gap!().relative < 1e-14;

const cases = losses.flatMap((loss) => formats.map((format) => ({ loss, format })));
const order = (count: number, pass: number): Uint32Array<ArrayBuffer> => {
  const draws = stream(5, "order").at(pass);
  return new Uint32Array(count).map(() => draws.integer(count));
};

describe.each(cases)("moves of $loss, $format", ({ loss, format }) => {
  it.each([{}, { l1: 0.03, l2: 0.1 }, { l1: 0.02, nonNegative: true }, { intercept: false, l1: 0.05 }])(
    "agree with the twin's bisection if they are exact: %j",
    (options) => {
      // A column separates three classes of 40 rows, so no minimum exists without a penalty.
      const given = loss === "multinomial" ? { l2: 0.01, ...options } : options;
      using one = new Opened(loss, format, given);
      const x = new Float64Array(one.count);
      for (let pass = 0; pass < power(2, 3); pass++) {
        const picked = order(one.count, pass);
        one.state.move(picked, { step: "exact" });
        for (const i of picked) one.twin.exact(x, i);
        expect(apart(one.state.point(), x)).toBeLessThan(1e-11);
        expect(one.state.value()).toBeCloseTo(one.twin.value(x), 12);
      }
      expect([...one.state.point()].map((v) => v === 0)).toEqual([...x].map((v) => v === 0));
    },
  );

  /** Losses without a bound on their curvature have no such steps. */
  const itBounded = (name: string, test: () => void): void => void (curvatures[loss] && it(name, test));

  it("never raise F if they are exact, even from distant points", () => {
    using one = new Opened(loss, format, { l1: 0.03 });
    for (const scale of [1, 30, 1000]) {
      one.state.moveTo(somewhere(one.count, 3).map((v) => (loss === "poisson" ? v * Math.min(scale, 30) : v * scale)));
      let before = one.state.value();
      for (const i of order(one.count, 9)) {
        one.state.move(Uint32Array.of(i), { step: "exact" });
        const value = one.state.value();
        expect(value).toBeLessThanOrEqual(before * (1 + 1e-14));
        before = value;
      }
    }
  });

  itBounded("steps of 1/L are the twin's", () => {
    using one = new Opened(loss, format, { l1: 0.03, l2: 0.1 });
    const { twin, state } = one;
    const bounds = Float64Array.from({ length: one.count }, (_, i) => curvatures[loss] * twin.square(i) + twin.l2(i));
    expect(apart(state.curvature!, bounds)).toBeLessThan(1e-13);
    const x = somewhere(one.count, 2);
    state.moveTo(x);
    for (const i of order(one.count, 1)) {
      state.move(Uint32Array.of(i), { step: "lipschitz" });
      twin.step(x, [i], [twin.partial(x, i)], bounds[i]);
      expect(apart(state.point(), x)).toBeLessThan(1e-12);
    }
  });

  itBounded("estimates are of the rows that are drawn", () => {
    using one = new Opened(loss, format, { l1: 0.01, l2: 0.1 });
    const { twin, state } = one;
    const x = somewhere(one.count, 4);
    state.moveTo(x);
    const rows = stream(8, "rows");
    for (const each of [1, 5, 3 * ROWS]) {
      const picked = order(one.count, each);
      const rates = Float64Array.from(picked, (_, k) => 1 / (k + 2));
      state.move(picked, { step: "lipschitz", estimate: { rows: each, rates, stream: rows, first: 17 } });
      for (const [k, i] of picked.entries()) {
        const draws = rows.at(17 + k);
        const listed = Array.from({ length: each }, () => draws.integer(ROWS));
        twin.step(x, [i], [twin.partial(x, i, listed)], state.curvature![i] / rates[k]);
      }
      expect(apart(state.point(), x)).toBeLessThan(1e-11);
      expect(state.value()).toBeCloseTo(twin.value(x), 11);
    }
    // Later code requires current slopes.
    for (const i of [0, one.count - 1]) {
      state.move(Uint32Array.of(i), { step: "exact" });
      twin.exact(x, i);
    }
    expect(apart(state.point(), x)).toBeLessThan(1e-11);
  });

  itBounded("pairs step along partial derivatives between the two points", () => {
    using one = new Opened(loss, format, { l1: 0.01, l2: 0.1 });
    const { twin, state } = one;
    const x = somewhere(one.count, 6);
    const u = new Float64Array(one.count);
    state.moveTo(x);
    const picked = order(one.count, 3);
    const numbers = (low: number): Float64Array => Float64Array.from(picked, (_, k) => low / (1 + (k % 3)));
    const how = { scales: numbers(0.7), steps: numbers(0.9), ratios: numbers(-2) };
    state.companion!.move(picked, how);
    for (const [k, i] of picked.entries()) {
      const between = x.map((v, e) => v + how.scales[k] * u[e]);
      const before = x[i];
      twin.step(x, [i], [twin.partial(between, i)], state.curvature![i] / how.steps[k]);
      u[i] += how.ratios[k] * (x[i] - before);
    }
    expect(apart(state.point(), x)).toBeLessThan(1e-11);
    state.companion!.merge(0.3);
    for (const i of x.keys()) x[i] += 0.3 * u[i];
    expect(apart(state.point(), x)).toBeLessThan(1e-11);
    state.move(Uint32Array.of(1), { step: "exact" });
    twin.exact(x, 1);
    expect(apart(state.point(), x)).toBeLessThan(1e-11);
  });

  it.each(types)("agree with the twin on %s", (type) => {
    using one = new Opened(loss, format, { l1: 0.02 }, type);
    const x = new Float64Array(one.count);
    const picked = order(one.count, 2);
    one.state.move(picked, { step: "exact" });
    for (const i of picked) one.twin.exact(x, i);
    expect(apart(one.state.point(), x)).toBeLessThan(1e-11);
  });
});

const groups = [
  ["x0", "x3"],
  ["x1", "x2", "x5"],
];
const penalties: { name: string; options: LinearOptions }[] = [
  { name: "l1 and l2", options: { l1: 0.03, l2: 0.1 } },
  { name: "l1, not negative", options: { l1: 0.02, nonNegative: true } },
  { name: "groups", options: { group: { strength: 0.05, groups } } },
  { name: "groups, l1 and l2", options: { l1: 0.01, l2: 0.1, group: { strength: 0.03, groups } } },
  { name: "groups, not negative", options: { l1: 0.01, group: { strength: 0.03, groups }, nonNegative: true } },
  {
    name: "groups and l2 of some columns",
    options: { l2: 0.1, penaltyWeights: { x0: 0, x1: 3 }, group: { strength: 0.03, groups } },
  },
];
/** In npm test, each loss takes every second penalty, and each penalty every second loss. */
const penalised = losses.flatMap((loss, l) =>
  penalties.filter((_, p) => isSlow || (l + p) % 2 === 0).map(({ name, options }) => ({ loss, name, options })),
);

describe.each(penalised)("$loss with $name", ({ loss, options }) => {
  it("equal the slopes of F where it is smooth", () => {
    using one = new Opened(loss, "dense", options);
    const { state } = one;
    const x = somewhere(one.count, 1, true);
    const blocks = one.blocks ?? Array.from(x, (_, i) => [i]);
    const h = 1e-5;
    const slopes = blocks.map((members) =>
      Math.hypot(
        ...members.map((i) => {
          const [above, below] = [h, -h].map((d) => {
            state.moveTo(x.with(i, x[i] + d));
            return state.value();
          });
          return (above - below) / (2 * h);
        }),
      ),
    );
    state.moveTo(x);
    expect(apart(state.violations(), slopes)).toBeLessThan(1e-8);
  });

  it("reach a minimum by exact moves, certified by gaps everywhere", () => {
    using one = new Opened(loss, "sparse", options);
    const { state } = one;
    const blocks = Uint32Array.from({ length: one.blocks?.length ?? one.count }, (_, b) => b);
    let before = state.value();
    for (let pass = 0; pass < 400; pass++) {
      state.move(blocks, { step: "exact" });
      const value = state.value();
      expect(value).toBeLessThanOrEqual(before + 1e-14 * Math.abs(before));
      before = value;
      if (pass % 20 === 19 && isSolved(state)) break;
    }
    expect(Math.max(...state.violations())).toBeLessThan(1e-9);
    const { gap } = state;
    const least = gap!().primal;
    expect(gap!().relative).toBeLessThan(1e-12);
    const kept = state.snapshot();
    for (const size of [1e-4, 0.01, 1]) {
      const moved = state.point().map((v, i) => v + size * somewhere(one.count, 7, options.nonNegative)[i]);
      state.moveTo(moved);
      const { primal, dual } = gap!();
      expect(primal).toBe(state.value());
      expect(dual).toBeLessThanOrEqual(least + 1e-14 * Math.abs(least));
      // The certificate does not change the point.
      expect(state.point()).toEqual(moved);
      state.restore(kept);
    }
  });
});

it.each(formats)("one class against the rest, %s: moves outputs separately, and together if grouped", (format) => {
  using apartOnes = new Opened("logistic", format, { l1: 0.02, l2: 0.01 }, "f64", 3);
  const x = new Float64Array(apartOnes.count);
  const picked = order(x.length, 4);
  apartOnes.state.move(picked, { step: "exact" });
  for (const i of picked) apartOnes.twin.exact(x, i);
  expect(apart(apartOnes.state.point(), x)).toBeLessThan(1e-11);
  expect(apartOnes.state.value()).toBeCloseTo(apartOnes.twin.value(x), 12);

  using grouped = new Opened("logistic", format, { l2: 0.01, group: { strength: 0.02, groups } }, "f64", 3);
  const { state } = grouped;
  const blocks = Uint32Array.from(grouped.blocks!.keys());
  for (let pass = 0; pass < 200; pass++) {
    state.move(blocks, { step: "exact" });
    if (pass % 20 === 19 && isSolved(state)) break;
  }
  expect(Math.max(...state.violations())).toBeLessThan(1e-9);
  expect(state.value()).toBeCloseTo(grouped.twin.value(state.point()), 12);
  expect(state.gap!().relative).toBeLessThan(1e-12);
});

describe("groups", () => {
  it("make the twin's steps of 1/L, with a valid bound", () => {
    for (const loss of ["squared", "multinomial"] as const) {
      using one = new Opened(loss, "dense", { l1: 0.01, l2: 0.1, group: { strength: 0.03, groups } });
      const { twin, state } = one;
      const x = somewhere(one.count, 2);
      state.moveTo(x);
      for (const [b, members] of one.blocks!.entries()) {
        const L = state.curvature![b];
        // Rayleigh quotients of f's curvature, from differences of partial derivatives.
        for (let seed = 0; seed < 20; seed++) {
          const d = somewhere(members.length, seed);
          const there = x.slice();
          for (const [e, i] of members.entries()) there[i] += d[e];
          const along = members.reduce((sum, i, e) => sum + d[e] * (twin.partial(there, i) - twin.partial(x, i)), 0);
          expect(along).toBeLessThanOrEqual(L * d.reduce((sum, v) => sum + v * v, 0) * (1 + 1e-12));
        }
        state.move(Uint32Array.of(b), { step: "lipschitz" });
        const columns = new Set(members.map((i) => i % twin.width)).size;
        const shrink = twin.penalised(members[0]) ? 0.03 * Math.sqrt(columns) : 0;
        twin.step(
          x,
          members,
          members.map((i) => twin.partial(x, i)),
          L,
          shrink,
        );
        expect(apart(state.point(), x)).toBeLessThan(1e-12);
      }
    }
  });

  it("bound eigenvalues from above, closely", () => {
    const m = 5;
    const draws = stream(2, "matrix").at(0);
    const half = Array.from({ length: m }, () => Array.from({ length: m }, () => draws.normal()));
    const matrix = Float64Array.from({ length: m * m }, (_, e) =>
      half.reduce((sum, row) => sum + row[Math.floor(e / m)] * row[e % m], 0),
    );
    let v = new Array<number>(m).fill(1);
    let largest = 0;
    for (let n = 0; n < 2000; n++) {
      const w = v.map((_, i) => v.reduce((sum, x, j) => sum + matrix[i * m + j] * x, 0));
      largest = Math.hypot(...w);
      v = w.map((x) => x / largest);
    }
    expect(eigenvalueBound(matrix, m) / largest).toBeGreaterThanOrEqual(1);
    expect(eigenvalueBound(matrix, m) / largest).toBeLessThan(5 ** (1 / 64) + 1e-9);
    expect(eigenvalueBound(new Float64Array(4), 2)).toBe(0);
  });
});

describe("coordinateDescent on linear models", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ergodic-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const ways: CoordinateDescentOptions[] = [
    ...(["cyclic", "random", "permutation", "greedy", "importance"] as const).flatMap((pick) =>
      (["exact", "lipschitz"] as const).map((step): CoordinateDescentOptions => ({ pick, step })),
    ),
    { pick: "cyclic", acceleration: "none" },
    { pick: "greedy", block: 3 },
    { acceleration: "nesterov" },
  ];
  const bounded = ({ pick, step, acceleration }: CoordinateDescentOptions): boolean =>
    step === "lipschitz" || pick === "importance" || acceleration === "nesterov";

  it.each(losses)("find the solution of working sets in every mode: %s", async (loss) => {
    const model = linear({ loss, l1: 0.02, standardise: false });
    // Each format is combined with two of the losses.
    for (const format of isSlow ? formats : [formats[losses.indexOf(loss) % 2]]) {
      const { data } = plantedRows({ rows: ROWS, columns: COLUMNS, classes: classesOf[loss], format });
      const wanted = await fit(model, data, { algorithm: coordinateDescent({ tolerance: 1e-13 }), epochs: 10_000 });
      for (const way of ways) {
        if (loss === "poisson" && bounded(way)) continue;
        const found = await fit(model, data, { algorithm: coordinateDescent({ ...way, tolerance: 1e-12 }), epochs: 10_000 });
        expect(found.gap).toBeLessThanOrEqual(1e-12);
        expect(apart(found.weights, wanted.weights)).toBeLessThan(1e-6);
        if (loss !== "multinomial") expect(apart(found.intercept, wanted.intercept)).toBeLessThan(1e-6);
      }
      data.dispose();
    }
  });

  it.each([
    { loss: "huber", classes: 0 },
    { loss: "squaredHinge", classes: 2 },
    { loss: "squaredHinge", classes: 3 },
  ] as const)("solve losses with flat regions: $loss, $classes classes", async ({ loss, classes }) => {
    const { data } = plantedRows({ rows: ROWS, columns: COLUMNS, classes, format: "sparse" });
    const model = linear({ loss, l1: 0.02, l2: 0.01, standardise: false });
    const wanted = await fit(model, data, { algorithm: coordinateDescent({ tolerance: 1e-12 }), epochs: 10_000 });
    for (const step of ["exact", "lipschitz"] as const) {
      const found = await fit(model, data, {
        algorithm: coordinateDescent({ pick: "cyclic", step, tolerance: 1e-13 }),
        epochs: 10_000,
      });
      expect(found.gap).toBeLessThanOrEqual(1e-13);
      expect(apart(found.weights, wanted.weights)).toBeLessThan(1e-6);
    }
    data.dispose();
  });

  it("come close by estimates", async () => {
    const { data } = plantedRows({ rows: ROWS, columns: COLUMNS, classes: 2, format: "sparse" });
    const model = linear({ l2: 0.1, standardise: false });
    const wanted = await fit(model, data, { algorithm: coordinateDescent({ tolerance: 1e-10 }) });
    const algorithm = coordinateDescent({ pick: "random", estimate: { rows: 8, rate: 0.02 } });
    const found = await fit(model, data, { algorithm, epochs: 2000 });
    // The noise of a row is about 1/2, and a rate of 0.02 averages over several hundred rows.
    expect(apart(found.weights, wanted.weights)).toBeLessThan(0.15);
    data.dispose();
  });

  it.each<CoordinateDescentOptions>([
    { pick: "cyclic" },
    { pick: "permutation", step: "lipschitz" },
    { pick: "greedy", block: 2 },
    { pick: "random", estimate: { rows: 4, rate: 0.1 } },
    { acceleration: "nesterov" },
  ])("resume bit for bit: %j", async (way) => {
    const { data } = plantedRows({ rows: ROWS, columns: COLUMNS, classes: 3, format: "sparse" });
    const model = linear({ loss: "multinomial", l1: 0.01, group: { strength: 0.01, groups }, standardise: false });
    const options = { algorithm: coordinateDescent({ ...way, tolerance: 0 }), seed: 3 };
    const whole = await fit(model, data, { ...options, epochs: 17 });
    const path = join(folder, "kept.checkpoint");
    const first = fit(model, data, { ...options, until: { updates: 37 } });
    await first;
    await first.checkpoint(path);
    const resumed = await fit.resume(path, data, { epochs: 17 });
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.intercept).toEqual(whole.intercept);
    expect(resumed.run.report).toEqual(whole.run.report);
    data.dispose();
  });

  it("refuse losses with kinks, and steps without a bound", async () => {
    const { data } = plantedRows({ rows: ROWS, columns: COLUMNS, classes: 2, format: "dense" });
    const { data: counts } = plantedRows({ rows: ROWS, columns: COLUMNS, classes: "count", format: "dense" });
    const cyclic = coordinateDescent({ pick: "cyclic" });
    const attempts = [
      () => fit(linear({ loss: "hinge", l1: 0.1, standardise: false }), data, { algorithm: cyclic }),
      () =>
        fit(linear({ loss: "poisson", l1: 0.1, standardise: false }), counts, {
          algorithm: coordinateDescent({ pick: "cyclic", step: "lipschitz" }),
        }),
    ];
    await expect((async () => await attempts[0]())()).rejects.toThrow(
      /loss "hinge" has kinks, where its curvature is undefined; .* \[MODEL_CAPABILITY\]/,
    );
    await expect((async () => await attempts[1]())()).rejects.toThrow(
      /step "lipschitz" needs a bound on the curvature along each coordinate, which linear does not offer; use step: "exact" \[MODEL_CAPABILITY\]/,
    );
    // The first attempts built the columns, which are stored with the data.
    const { usedBytes } = engine.memory;
    for (const attempt of attempts) await expect((async () => await attempt())()).rejects.toThrow("MODEL_CAPABILITY");
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(usedBytes);
    data.dispose();
    counts.dispose();
  });

  it.each<CoordinateDescentOptions>([
    { pick: "cyclic" },
    { pick: "importance", step: "lipschitz" },
    { pick: "greedy" },
    { acceleration: "nesterov" },
  ])("tolerate zero, constant and duplicate columns: %j", async (way) => {
    const draws = stream(4, "columns").at(0);
    const x = Array.from({ length: 20 }, () => {
      const v = draws.normal();
      return [0, v, 3, v, draws.normal()];
    });
    const groups = {
      strength: 0.05,
      groups: [
        ["x0", "x1"],
        ["x2", "x3"],
      ],
    };
    for (const y of [x.map(([, v]) => v + draws.normal()), x.map(() => 1)]) {
      for (const model of [{ l1: 0.05 }, { group: groups }, { l2: 0.1 }]) {
        const data = Dataset.fromArrays({ x, y, type: "f64" });
        const found = await fit(linear({ loss: "squared", standardise: false, ...model }), data, {
          algorithm: coordinateDescent({ ...way, tolerance: 1e-10 }),
          epochs: 20_000,
        });
        expect(found.gap).toBeLessThanOrEqual(1e-10);
        expect(found.weights[0]).toBe(0);
        data.dispose();
      }
    }
  });

  it("report no gap if a column has no penalty", async () => {
    const { data } = plantedRows({ rows: ROWS, columns: COLUMNS, classes: 0, format: "dense" });
    const algorithm = coordinateDescent({ pick: "cyclic", tolerance: 1e-10 });
    const model = { loss: "squared" as const, l1: 0.02, penaltyWeights: { x1: 0 }, standardise: false };
    const found = await fit(linear(model), data, { algorithm });
    const wanted = await fit(linear(model), data, { algorithm: coordinateDescent({ tolerance: 1e-12 }) });
    expect(found.gap).toBeUndefined();
    expect(found.run.report.violation).toBeLessThanOrEqual(1e-10);
    expect(apart(found.weights, wanted.weights)).toBeLessThan(1e-8);
    data.dispose();
  });
});
