/**
 * Dual coordinate descent: the kernel compared with its twin, the certificate with the model's objective, hard data,
 * every mode, and refused input.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Plan, Progression } from "../../../src/engine/contract/index.ts";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import type { NumberType } from "../../../src/engine/data/layout.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { exp } from "../../../src/engine/numbers/exp.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { fit } from "../../../src/join/fit.ts";
import {
  type DualCoordinateDescentOptions,
  dualCoordinateDescent,
  dualCoordinateDescentFrom,
} from "../../../src/learning/coordinates/dual-coordinate-descent.ts";
import { linear } from "../../../src/learning/fit/kinds/linear.ts";
import type { LinearOptions } from "../../../src/learning/models/linear/linear.ts";
import { lossFromJson } from "../../../src/learning/models/loss.ts";
import type { LossName } from "../../../src/learning/models/loss-name.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import { isSlow } from "../../power.ts";
import { ascentTwin, dualLosses } from "../../reference/dual.ts";
import { BoundLinear } from "../models/bound.ts";

const plan: Plan = {
  workers: 1,
  replicas: 1,
  data: "sharded",
  precision: { data: "f64", model: "f64" },
  schedule: "shuffled",
  blockRows: 64,
  batch: 1,
  averageEvery: 1,
  deterministic: true,
  seed: 7,
};
const losses = Object.keys(dualLosses) as LossName[];
const binary = new Set(["hinge", "squaredHinge", "logistic"]);
const made: Disposable[] = [];
afterEach(() => {
  for (const one of made.splice(0)) one[Symbol.dispose]();
});

interface Rows {
  x: number[][];
  y: number[];
}

/** Two thirds of the entries are nonzero. Targets are noisy, so that classes overlap. */
function planted(rows: number, columns: number, seed = 1): Rows {
  const u = numbers(seed);
  const next = (): number => u.next().value;
  const x = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => ((i + j) % 3 > 0 ? 4 * next() : 0)));
  return { x, y: x.map((row) => row.reduce((sum, v, j) => sum + v / (1 + j), 0.3) + next()) };
}

function datasetOf({ x, y }: Rows, loss: string, format: "dense" | "sparse", type: "f32" | "f64", weights?: number[]): Dataset {
  const target = binary.has(loss) ? y.map((v) => (v > 0 ? 1 : -1)) : y;
  const entries = x.map((row) => row.flatMap((v, j) => (v !== 0 ? [[j, v] as const] : [])));
  let count = 0;
  const data =
    format === "dense"
      ? Dataset.fromArrays({ x, y: target, type, ...(weights ? { weights } : {}) })
      : Dataset.fromSparse(
          {
            rowCount: x.length,
            columnCount: x[0].length,
            rowStart: Uint32Array.from([0, ...entries.map((row) => (count += row.length))]),
            columnIndex: Uint32Array.from(entries.flat(), ([j]) => j),
            values: Float64Array.from(entries.flat(), ([, v]) => v),
            target: Float64Array.from(target),
            source: "rows",
            ...(weights ? { weights: Float64Array.from(weights) } : {}),
          },
          { type },
        );
  made.push(data);
  return data;
}

interface Opened extends Disposable {
  run: Progression;
  /** Runs until convergence, or for `epochs` epochs. */
  finish(epochs?: number): Promise<Float64Array>;
}

async function open(
  data: Dataset,
  model: LinearOptions,
  options: DualCoordinateDescentOptions = {},
  given: Partial<Plan> = {},
): Promise<Opened> {
  const engine = await openEngine();
  const wanted = { ...plan, precision: { data: data.type, model: "f64" as const }, ...given };
  const one = linear({ standardise: false, ...model });
  const prepared = one.prepare(data, wanted);
  const problem = one.bind(prepared.dataset, wanted, engine);
  const run = await dualCoordinateDescent(options).start(problem, wanted, engine);
  const opened: Opened = {
    run,
    async finish(epochs = 5000) {
      while (!run.converged && run.step < epochs * run.stepsPerEpoch) await run.advance(run.stepsPerEpoch);
      return run.parameters();
    },
    [Symbol.dispose]() {
      run.dispose();
      problem.dispose();
      prepared.dispose();
    },
  };
  made.unshift(opened);
  return opened;
}

const most = (values: Iterable<number>): number => Math.max(...values);
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return most(Array.from(a, (v, i) => Math.abs(v - b[i])));
};
const relative = (a: ArrayLike<number>, b: ArrayLike<number>): number => distance(a, b) / most(Array.from(b, Math.abs));

describe("agreement of the kernel with its twin", () => {
  const types: NumberType[] = ["f32", "f64", "i16", "i8"];
  const formats = ["dense", "sparse"] as const;

  /** Compares β and p after an epoch, relative to their largest entries, because the kernel sums in another order. */
  async function compare(loss: LossName, format: "dense" | "sparse", type: NumberType, columns: number): Promise<void> {
    const rows = planted(60, columns);
    const l2 = 0.05;
    const weights = rows.x.map((_, i) => i % 5);
    const source = datasetOf(rows, loss, format, type === "f64" ? "f64" : "f32", weights);
    const data = source.as(type);
    if (data !== source) made.unshift(data);
    using bound = new BoundLinear(await openEngine(), data, { loss: lossFromJson(loss), intercept: true, l2 });
    const interceptScaling = 2;
    const x = rows.x.map((_, i) => {
      const row = new Array<number>(columns + 1).fill(0);
      for (const [j, v] of bound.entries(i)) row[j] = j === columns ? interceptScaling : v;
      return row;
    });
    const y = [...data.target.values];
    const C = weights.map((w) => w / (60 * l2));
    const start = Float64Array.from(C, (c, i) => (loss === "logistic" ? (y[i] * c) / (1 + Math.exp(7)) : 0));
    const { run } = await open(data, { loss, l2 }, { interceptScaling }, { precision: { data: type, model: "f64" } });
    await run.advance(1);
    const twin = ascentTwin(x, y, C, dualLosses[loss], start, {
      visits: 60,
      stream: stream(plan.seed, "dual rows", 0, 0),
      ...(loss === "logistic" ? { logit: -7 } : {}),
    });
    const beta = run.snapshot().tensors["beta.0"];
    const p = run.parameters().slice(0, columns + 1);
    p[columns] *= data.layout.one / interceptScaling;
    expect(relative(beta, twin.beta)).toBeLessThan(1e-9);
    expect(relative(p, twin.p)).toBeLessThan(1e-9);
    expect(beta.filter((_, i) => weights[i] === 0).every((b) => b === 0)).toBe(true);
    if (loss === "hinge") expect(twin.left).toBeGreaterThan(0);
  }

  it.each(losses.flatMap((loss) => formats.flatMap((format) => types.map((type) => ({ loss, format, type })))))(
    "agrees: $loss, $format, $type",
    ({ loss, format, type }) => compare(loss, format, type, 11),
  );

  it.each(formats.flatMap((format) => types.map((type) => ({ format, type }))))(
    "agrees on rows of 1 … 17 columns, $format, $type",
    async ({ format, type }) => {
      for (let columns = 1; columns <= 17; columns++) await compare("hinge", format, type, columns);
    },
  );

  it("equals the bits of exp in numbers/exp.ts", async () => {
    const kernel = (await openEngine()).kernel("exp", true);
    const special = [0, -0, 1, 709.78, 709.782712893384, 710, -708.4, -745.13, -746, Infinity, -Infinity, Number.NaN, 5e-324];
    for (const x of [...special, ...Array.from({ length: 3000 }, (_, k) => (k - 1500) * 0.4973)]) expect(kernel(x)).toBe(exp(x));
  });
});

/** ℓ(z, y), as defined in the files of the losses. */
const lossAt: Record<string, (z: number, y: number) => number> = {
  hinge: (z, y) => Math.max(0, 1 - y * z),
  squaredHinge: (z, y) => Math.max(0, 1 - y * z) ** 2,
  logistic: (z, y) => (y * z > 0 ? Math.log1p(Math.exp(-y * z)) : Math.log1p(Math.exp(y * z)) - y * z),
  epsilonInsensitive: (z, y) => Math.max(0, Math.abs(z - y) - 0.1),
  quantile: (z, y) => 0.5 * Math.abs(y - z),
  squared: (z, y) => 0.5 * (z - y) ** 2,
  huber: (z, y) => (Math.abs(z - y) <= 1 ? 0.5 * (z - y) ** 2 : Math.abs(z - y) - 0.5),
};

/** F(p), with the intercept as the weight of a column of ones. */
function objective({ x }: Rows, y: ArrayLike<number>, loss: string, l2: number, p: Float64Array): number {
  const d = x[0].length;
  const z = x.map((row) => row.reduce((sum, v, j) => sum + v * p[j], p[d]));
  return z.reduce((sum, out, i) => sum + lossAt[loss](out, y[i]), 0) / x.length + (l2 / 2) * p.reduce((s, v) => s + v * v, 0);
}

describe("the certificate", () => {
  it.each(losses)("%s: the gap falls to 0 and bounds the error, primal is correct, and β keeps its bounds", async (loss) => {
    const rows = planted(80, 6);
    const l2 = 0.02;
    const data = datasetOf(rows, loss, "dense", "f64");
    const y = data.target.values;
    const best = await open(data, { loss, l2 }, { tolerance: 1e-13 });
    const least = objective(rows, y, loss, l2, await best.finish());
    expect(best.run.converged).toBe(true);
    const { run } = await open(data, { loss, l2 }, { tolerance: 1e-9 });
    const gaps: number[] = [];
    while (!run.converged && gaps.length < 5000) {
      await run.advance(1);
      const { primal, dual, gap } = run.report();
      expect(gap).toBeGreaterThanOrEqual(0);
      expect(dual).toBeLessThanOrEqual(least + 1e-12);
      expect(primal).toBeGreaterThanOrEqual(least - 1e-12);
      expect(gap).toBeCloseTo((primal - dual) / primal, 12);
      gaps.push(gap);
      const [from, to] = [0, 1].map((k) => Float64Array.from(y, (v) => dualLosses[loss].bounds(1 / (80 * l2), v)[k]));
      const beta = run.snapshot().tensors["beta.0"];
      expect(beta.every((b, i) => b >= from[i] && b <= to[i])).toBe(true);
    }
    expect(run.converged).toBe(true);
    expect(run.report().gap).toBeLessThanOrEqual(1e-9);
    expect(run.report().primal).toBeCloseTo(objective(rows, y, loss, l2, run.parameters()), 12);
  });
});

describe("hard data", () => {
  const duplicated = (): Rows => {
    const { x, y } = planted(40, 4);
    return { x: [...x, ...x, ...x.map((row) => row.map((v) => -v))], y: [...y, ...y, ...y] };
  };
  const cases: Record<string, () => Rows> = {
    separable: () => ({
      x: [
        [3, 1],
        [2, 2],
        [-3, 0],
        [-1, -4],
      ],
      y: [1, 1, -1, -1],
    }),
    "duplicated and contradicting rows": duplicated,
    "a constant column and a column of zeros": () => {
      const { x, y } = planted(50, 3);
      return { x: x.map((row) => [...row, 1, 0]), y };
    },
    "rows of zeros": () => {
      const { x, y } = planted(30, 3);
      return { x: [...x, [0, 0, 0], [0, 0, 0]], y: [...y, 1, -1] };
    },
    "one row": () => ({ x: [[2, -1]], y: [1] }),
  };
  const all = Object.keys(cases).flatMap((name) =>
    losses.flatMap((loss) => [true, false].map((intercept) => ({ name, loss, intercept }))),
  );
  it.each(all)("solves $name: $loss, intercept $intercept", async ({ name, loss, intercept }) => {
    const rows = cases[name]();
    const data =
      binary.has(loss) && rows.y.length === 1
        ? datasetOf({ x: [...rows.x, ...rows.x], y: [1, -1] }, loss, "sparse", "f64")
        : datasetOf(rows, loss, "sparse", "f64");
    const { run, finish } = await open(data, { loss, l2: 0.1, intercept }, { tolerance: 1e-9 });
    const p = await finish();
    expect(run.converged).toBe(true);
    expect(p.every(Number.isFinite)).toBe(true);
  });

  it("solves with more lanes than useful rows and active rows", async () => {
    const data = datasetOf({ x: [[3], [2], [-3], [-1], [5]], y: [1, 1, -1, -1, 1] }, "hinge", "dense", "f64");
    const p = await (await open(data, { loss: "hinge", l2: 0.1 }, { tolerance: 1e-12 })).finish();
    for (const given of [
      { replicas: 4, workers: 2 },
      { replicas: "shared" as const, workers: 4, deterministic: false },
    ]) {
      const { run, finish } = await open(data, { loss: "hinge", l2: 0.1 }, { tolerance: 1e-12 }, given);
      expect(distance(await finish(), p)).toBeLessThan(1e-5);
      expect(run.converged).toBe(true);
      expect(run.report().active).toBeLessThan(4);
    }
  });
});

describe("the same solution", () => {
  const rows = planted(240, 9);
  const l2 = 0.02;

  it.each(losses)("%s: is found from dense and sparse rows, with or without shrinking, in order or shuffled", async (loss) => {
    const dense = datasetOf(rows, loss, "dense", "f64");
    const sparse = datasetOf(rows, loss, "sparse", "f64");
    const tight = { tolerance: 1e-13 };
    const p = await (await open(dense, { loss, l2 }, tight)).finish();
    const others = [
      await open(sparse, { loss, l2 }, tight),
      await open(dense, { loss, l2 }, { ...tight, shrinking: false }),
      await open(dense, { loss, l2 }, tight, { schedule: "ordered" }),
      await open(dense, { loss, l2 }, tight, { deterministic: false }),
    ];
    for (const other of others) expect(distance(await other.finish(), p)).toBeLessThan(1e-5);
  });

  // Lanes do not depend on the loss.
  const some = losses.filter((loss) => isSlow || ["hinge", "logistic", "epsilonInsensitive"].includes(loss));
  it.each(some)("%s: is bitwise equal for replicas at any number of workers, and close for racing workers", async (loss) => {
    const data = datasetOf(rows, loss, "sparse", "f64");
    const tight = { tolerance: 1e-11 };
    const single = await (await open(data, { loss, l2 }, tight)).finish();
    const one = await open(data, { loss, l2 }, tight, { replicas: 3 });
    const two = await open(data, { loss, l2 }, tight, { replicas: 3, workers: 2 });
    const racing = await open(data, { loss, l2 }, tight, { replicas: "shared", workers: 2, deterministic: false });
    const p = await one.finish();
    expect(await two.finish()).toEqual(p);
    for (const opened of [one, racing]) {
      expect(distance(await opened.finish(), single)).toBeLessThan(1e-4);
      expect(opened.run.converged).toBe(true);
    }
  });

  it("is found however steps are grouped within an epoch", async () => {
    const data = datasetOf(rows, "hinge", "dense", "f64");
    const replicas = { replicas: 2, averageEvery: 0.25 };
    const [whole, parts] = [
      await open(data, { loss: "hinge", l2 }, {}, replicas),
      await open(data, { loss: "hinge", l2 }, {}, replicas),
    ];
    expect(whole.run.stepsPerEpoch).toBe(4);
    for (let k = 0; k < 40; k++) await parts.run.advance(1);
    while (whole.run.step < 40) await whole.run.advance(4);
    expect(whole.run.snapshot()).toEqual(parts.run.snapshot());
  });

  it("is found in steps of a part of an epoch, on one lane", async () => {
    const many = planted(20_000, 2);
    const data = datasetOf(many, "hinge", "dense", "f64");
    const [whole, parts] = [await open(data, { loss: "hinge", l2: 1e-4 }), await open(data, { loss: "hinge", l2: 1e-4 })];
    expect(whole.run.stepsPerEpoch).toBe(2);
    for (let k = 0; k < 6; k++) await parts.run.advance(1);
    for (let k = 0; k < 3; k++) await whole.run.advance(2);
    expect(whole.run.snapshot()).toEqual(parts.run.snapshot());
  });

  it("is found for a row of weight 2 as for two rows, and for weight 0 as for none", async () => {
    const weights = rows.x.map((_, i) => i % 3);
    const kept = rows.x.flatMap((_, i) => new Array<number>(weights[i]).fill(i));
    const twice = { x: kept.map((i) => rows.x[i]), y: kept.map((i) => rows.y[i]) };
    for (const loss of losses) {
      const p = await (await open(datasetOf(rows, loss, "dense", "f64", weights), { loss, l2 }, { tolerance: 1e-13 })).finish();
      const q = await (await open(datasetOf(twice, loss, "dense", "f64"), { loss, l2 }, { tolerance: 1e-13 })).finish();
      expect(kept.length).toBe(rows.x.length);
      expect(distance(p, q)).toBeLessThan(1e-5);
    }
  });

  it("is found for several classes, each against the rest", async () => {
    const classes = rows.y.map((v) => (v < -1 ? 0 : v < 1 ? 1 : 2));
    const data = Dataset.fromArrays({ x: rows.x, y: classes, classes: true, type: "f64" });
    made.push(data);
    const p = await (await open(data, { loss: "squaredHinge", l2 }, { tolerance: 1e-13 })).finish();
    for (let k = 0; k < 3; k++) {
      const one = datasetOf({ x: rows.x, y: classes.map((c) => (c === k ? 1 : -1)) }, "squaredHinge", "dense", "f64");
      const q = await (await open(one, { loss: "squaredHinge", l2 }, { tolerance: 1e-13 })).finish();
      expect(distance(p.subarray(k * q.length, (k + 1) * q.length), q)).toBeLessThan(1e-5);
    }
  });
});

describe("exact resumption", () => {
  const ways: Record<string, Partial<Plan>> = { alone: {}, replicas: { replicas: 3 } };
  const cases = losses.flatMap((loss) => Object.keys(ways).map((way) => ({ loss, way })));
  it.each(cases)("resumes exactly: $loss, $way", async ({ loss, way }) => {
    const data = datasetOf(planted(90, 5), loss, "sparse", "f32");
    const start = () => open(data, { loss, l2: 0.01 }, { tolerance: 0 }, ways[way]);
    const [whole, first, second] = [await start(), await start(), await start()];
    for (let k = 0; k < 12; k++) await whole.run.advance(1);
    for (let k = 0; k < 5; k++) await first.run.advance(1);
    second.run.restore(structuredClone(first.run.snapshot()));
    for (let k = 0; k < 7; k++) await second.run.advance(1);
    expect(second.run.snapshot()).toEqual(whole.run.snapshot());
    expect(second.run.parameters()).toEqual(whole.run.parameters());
    expect(second.run.report()).toEqual(whole.run.report());
  });

  it("resumes from a file, through fit", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ergodic-"));
    try {
      const data = datasetOf(planted(90, 5), "hinge", "sparse", "f32");
      const model = linear({ loss: "hinge", l2: 0.01 });
      const train = (epochs: number) => fit(model, data, { algorithm: dualCoordinateDescent({ tolerance: 0 }), epochs, seed: 2 });
      const whole = await train(9);
      const kept = train(4);
      await kept;
      await kept.checkpoint(join(folder, "kept"));
      const resumed = await fit.resume(join(folder, "kept"), data, { epochs: 9 });
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.intercept).toEqual(whole.intercept);
      expect(resumed.run.report).toEqual(whole.run.report);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("resumes from its JSON", () => {
    const one = dualCoordinateDescent({ shrinking: false, tolerance: 1e-3, interceptScaling: 2 });
    expect(dualCoordinateDescentFrom(JSON.parse(JSON.stringify(one.toJSON()))).toJSON()).toEqual(one.toJSON());
  });
});

describe("refused input", () => {
  const rows = planted(20, 3);
  const starting = (model: LinearOptions, given: Partial<Plan> = {}, loss: LossName = "hinge") =>
    open(datasetOf(rows, loss, "dense", "f64"), { loss, l2: 0.1, ...model }, {}, given);

  it.each<[string, LinearOptions, Partial<Plan>, RegExp]>([
    ["no l2", { l2: 0 }, {}, /l2 is 0.*MODEL_DUAL/],
    ["l1", { l1: 0.1 }, {}, /l1 is 0.1.*MODEL_DUAL/],
    ["a group penalty", { group: { strength: 1, groups: [] } }, {}, /group.strength is 1.*MODEL_DUAL/],
    ["penalty weights", { penaltyWeights: { x1: 2 } }, {}, /penaltyWeights.*MODEL_DUAL/],
    ["a batch", {}, { batch: 8 }, /batch is 8.*PLAN_MEANING/],
    ["the full batch", {}, { batch: "all" }, /batch is "all".*PLAN_MEANING/],
    ["rows with replacement", {}, { schedule: "replacement" }, /schedule is "replacement".*PLAN_MEANING/],
    ["replicated data", {}, { replicas: 2, data: "replicated" }, /data is "replicated".*PLAN_MEANING/],
    ["more replicas than rows", {}, { replicas: 21 }, /only 20 rows.*PLAN_MEANING/],
  ])("refuses %s", async (_, model, given, message) => {
    await expect(starting(model, given)).rejects.toThrow(message);
  });

  it("refuses a loss without a dual", async () => {
    const counts = Dataset.fromArrays({ x: rows.x, y: rows.y.map((v) => Math.max(0, Math.round(v))), type: "f64" });
    made.push(counts);
    await expect(open(counts, { loss: "poisson", l2: 0.1 })).rejects.toThrow(/loss "poisson" has no dual.*hinge.*MODEL_DUAL/);
  });

  it("refuses options out of range", () => {
    expect(() => dualCoordinateDescent({ tolerance: -1 })).toThrow(/tolerance is -1.*OPTION_RANGE/);
    expect(() => dualCoordinateDescent({ interceptScaling: 0 })).toThrow(/interceptScaling is 0.*OPTION_RANGE/);
    expect(() => dualCoordinateDescent({ shrinking: 1 as never })).toThrow(/shrinking is 1.*OPTION_TYPE/);
    expect(() => dualCoordinateDescent({ shrink: true } as never)).toThrow(/unknown option "shrink".*OPTION_UNKNOWN/);
  });

  it("refuses a problem without a dual", async () => {
    const engine = await openEngine();
    const problem = { name: "nothing", rowCount: 3, parameterCount: 1, dispose: () => {} };
    const started = dualCoordinateDescent().start(problem, plan, engine);
    await expect(started).rejects.toThrow(/nothing does not offer.*MODEL_CAPABILITY/);
  });
});
