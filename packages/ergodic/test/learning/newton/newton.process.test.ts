/**
 * Newton's method compared with scikit-learn's optima, with an explicit loss and its derivatives, and objectives
 * without a minimum.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import {
  coordinateDescent,
  Dataset,
  dense,
  fit,
  huberLoss as huber,
  type LinearOptions,
  lbfgs,
  linear,
  network,
  newtonCholesky,
} from "../../../src/entries/everything.ts";
import { nullVectors, shortening, solving, type Triangle } from "../../../src/learning/newton/factor.ts";
import { plantedData, plantedDataset } from "../../golden/sklearn-data.ts";
import { isSlow } from "../../power.ts";
import { engine, plan } from "../coordinates/targets.ts";
import { compressed, copied, disposable, floats, numbers } from "./made.ts";

const solveInPlace = (matrix: Triangle, b: Float64Array, count: number): number[] => atOnce(solving(matrix, b, count));

interface Optimum {
  coef: number[][];
  intercept: number[];
  slope: number;
}

const golden = new URL("../../golden/sklearn-optima.json", import.meta.url);
const optima = JSON.parse(readFileSync(golden, "utf8")) as Record<string, Optimum>;
const data = plantedData();
const l2 = 0.01;

describe("the optima of scikit-learn", () => {
  const cases: { name: string; target: Parameters<typeof plantedDataset>[1]; model: LinearOptions; weighted?: boolean }[] = [
    { name: "logistic-l2", target: "binary", model: { loss: "logistic", l2 } },
    { name: "logistic-weights", target: "binary", model: { loss: "logistic", l2 }, weighted: true },
    { name: "logistic-class-weights", target: "binary", model: { loss: "logistic", l2, classWeights: { 0: 0.5, 1: 3 } } },
    { name: "ovr-logistic", target: "classes", model: { loss: "logistic", l2 } },
    { name: "squared-hinge", target: "binary", model: { loss: "squaredHinge", l2, intercept: false } },
    { name: "ridge", target: "number", model: { loss: "squared", l2 } },
    { name: "ridge-weights", target: "number", model: { loss: "squared", l2 }, weighted: true },
    { name: "poisson", target: "count", model: { loss: "poisson", l2 } },
    { name: "huber", target: "spiked", model: { loss: huber({ delta: 0.7 }), l2 } },
  ];
  it.each(cases)("are reached: $name", async ({ name, target, model, weighted }) => {
    using dataset = plantedDataset(data, target, weighted ? { weights: data.weight } : {});
    const fitted = await fit(linear({ standardise: false, ...model }), dataset, {
      algorithm: newtonCholesky({ tolerance: 1e-18 }),
    });
    const { coef, intercept, slope } = optima[name];
    const wanted = [...coef.flat(), ...intercept];
    const found = [...fitted.weights, ...fitted.intercept];
    expect(fitted.run.reason).toBe("converged");
    expect(fitted.run.updates).toBeLessThanOrEqual(12);
    expect(found.length).toBe(wanted.length);
    // The possible error of scikit-learn itself, from its slope and the smallest curvature.
    expect(Math.max(...wanted.map((v, i) => Math.abs(v - found[i])))).toBeLessThan(1e-10 + (2 * slope) / l2);
  });
});

const losses = {
  squared: { value: (z: number, y: number) => 0.5 * (z - y) ** 2, slope: (z: number, y: number) => z - y, curvature: () => 1 },
  logistic: {
    value: (z: number, y: number) => Math.log1p(Math.exp(-y * z)),
    slope: (z: number, y: number) => -y / (1 + Math.exp(y * z)),
    curvature: (z: number) => 1 / (2 + Math.exp(z) + Math.exp(-z)),
  },
  poisson: {
    value: (z: number, y: number) => Math.exp(z) - y * z,
    slope: (z: number, y: number) => Math.exp(z) - y,
    curvature: (z: number) => Math.exp(z),
  },
};

describe("the loss, its gradient and Hessian, as sums over rows", () => {
  // The kernel's chunks have 64 rows, and its tiles 4 columns.
  const shapes = [
    [1, 1],
    [3, 4],
    [64, 3],
    [65, 7],
    [130, 12],
  ] as const;
  const cases = shapes.flatMap((shape, s) =>
    (["f32", "f64", "i16", "i8"] as const).flatMap((type, t) =>
      // With and without an intercept in turn. At full power, both.
      [false, true].flatMap((sparse, k) =>
        (isSlow ? [true, false] : [(s + t + k) % 2 === 0]).map((intercept) => ({ shape, type, sparse, intercept })),
      ),
    ),
  );
  it.each(cases)("$shape $type sparse $sparse intercept $intercept", async ({ shape: [n, d], type, sparse, intercept }) => {
    const random = numbers(n * 31 + d);
    const x = Array.from({ length: n }, () => Array.from({ length: d }, () => (sparse && random() < 0.5 ? 0 : 2 * random() - 1)));
    for (const [name, loss] of Object.entries(losses)) {
      const y = x.map(() => (name === "logistic" ? (random() < 0.5 ? 0 : 1) : Math.floor(4 * random())));
      if (name === "logistic") [y[0], y[n - 1]] = [0, 1];
      if (name === "logistic" && n === 1) continue;
      const weights = x.map((_, i) => (i % 5 === 1 ? 0 : 0.5 + random()));
      const offset = x.map(() => random() - 0.5);
      const classes = name === "logistic";
      using read = sparse
        ? Dataset.fromSparse({ ...compressed(x), ...floats({ target: y, weights, offset }) }, { type: "f64", classes })
        : Dataset.fromArrays({ x, y, weights, offset, classes, type: "f64" });
      const made = read.as(type);
      using problem = disposable(linear({ loss: name as "squared", intercept, standardise: false }).bind(made, plan(), engine));
      const binding = await problem.curvature.bind();
      const stored = Array.from({ length: n }, (_, i) => [...made.row(i), ...(intercept ? [made.layout.one] : [])]);
      const p = Float64Array.from({ length: problem.parameterCount }, () => random() - 0.5);
      const width = d + (intercept ? 1 : 0);
      const wanted = { loss: 0, gradient: new Array<number>(width).fill(0), hessian: new Array<number>(width * width).fill(0) };
      stored.forEach((row, i) => {
        const z = row.reduce((sum, v, j) => sum + v * p[j], offset[i]);
        const target = name === "logistic" ? 2 * y[i] - 1 : y[i];
        wanted.loss += (weights[i] / n) * loss.value(z, target);
        row.forEach((v, j) => {
          wanted.gradient[j] += (weights[i] / n) * loss.slope(z, target) * v;
          for (let k = 0; k <= j; k++) wanted.hessian[j * width + k] += (weights[i] / n) * loss.curvature(z) * v * row[k];
        });
      });
      // Three times, to show that a call leaves nothing behind.
      for (let round = 0; round < 3; round++) {
        expect(binding.parts).toEqual([{ first: 0, count: width }]);
        // With and without an earlier loss.
        if (round === 1) expect(atOnce(binding.value(p))).toBeCloseTo(wanted.loss, 11);
        const found = copied(atOnce(binding.at(p, 0)));
        // The second call computes again from the rows.
        expect(copied(atOnce(binding.at(p, 0)))).toEqual(found);
        expect(found.loss).toBe(atOnce(binding.value(p)));
        for (let j = 0; j < width; j++) {
          expect(found.gradient[j]).toBeCloseTo(wanted.gradient[j], 11);
          for (let k = 0; k <= j; k++)
            expect(found.hessian[j * binding.width + k]).toBeCloseTo(wanted.hessian[j * width + k], 11);
        }
      }
      binding.dispose();
      if (made !== read) made.dispose();
    }
  });
});

describe("solving by Cholesky factors", () => {
  it("equals elimination", () => {
    const matrices = fc.integer({ min: 1, max: 9 }).chain((n) =>
      fc.record({
        rows: fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: n, maxLength: n }), {
          minLength: n + 2,
          maxLength: n + 5,
        }),
        b: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: n, maxLength: n }),
      }),
    );
    fc.assert(
      fc.property(matrices, fc.integer({ min: 0, max: 3 }), ({ rows, b }, spare) => {
        const n = b.length;
        const width = n + spare;
        const a = (j: number, k: number): number => rows.reduce((sum, row) => sum + row[j] * row[k], j === k ? 1 : 0);
        const values = new Float64Array(width * width).fill(Number.NaN);
        for (let j = 0; j < n; j++) for (let k = 0; k <= j; k++) values[j * width + k] = a(j, k);
        const solved = Float64Array.from(b);
        solveInPlace({ values, width }, solved, n);
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += a(j, k) * solved[k];
          expect(sum).toBeCloseTo(b[j], 7);
        }
      }),
    );
  });

  it("yields every few milliseconds", () => {
    const n = 200;
    const values = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 2 : 1));
    const b = new Float64Array(n).fill(n + 1);
    const steps = solving({ values, width: n }, b, n);
    let yields = 0;
    while (!steps.next().done) yields++;
    // n³/6 products, with 131,072 or slightly more per call.
    expect(yields).toBe(9);
    for (const x of b) expect(x).toBeCloseTo(1, 10);
  });

  it("sets linearly dependent unknowns to 0", () => {
    const values = Float64Array.of(1, 0, 0, 2, 4, 0, 3, 6, 10);
    const b = Float64Array.of(1, 2, 4);
    expect(solveInPlace({ values, width: 3 }, b, 3)).toEqual([1]);
    expect([...b]).toEqual([-2, 0, 1]);
  });

  it("chooses the shortest of all solutions, from any point and in any metric", () => {
    // Columns a, b, a + b, 2 a and c.
    const known = [
      [1, 1, -1, 0, 0],
      [2, 0, 0, -1, 0],
    ];
    const random = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(random, random, random, fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (x, g, m, order) => {
        const rows = Array.from({ length: 9 }, (_, i) => {
          const [a, b, c] = [Math.sin(i + 1), Math.cos(3 * i), i % 3];
          return [a, b, a + b, 2 * a, c];
        });
        const gram = order.map((j) => order.map((k) => rows.reduce((sum, row) => sum + row[j] * row[k], 0)));
        const metric = Float64Array.from(m, (v) => 1 + v * v);
        const b = Float64Array.from(gram, (line) => line.reduce((sum, v, k) => sum + v * g[k], 0));
        const wanted = b.slice();
        const matrix = { values: Float64Array.from(gram.flat()), width: 5 };
        const dependent = atOnce(solving(matrix, b, 5));
        expect(dependent).toHaveLength(2);
        atOnce(shortening(b, Float64Array.from(x), atOnce(nullVectors(matrix, dependent)), metric));
        for (const [j, line] of gram.entries()) expect(line.reduce((sum, v, k) => sum + v * b[k], 0)).toBeCloseTo(wanted[j], 8);
        for (const z of known)
          expect(order.reduce((sum, name, j) => sum + z[name] * metric[j] * (x[j] + b[j]), 0)).toBeCloseTo(0, 8);
      }),
    );
  });

  it("does not count columns of zeros as dependent", () => {
    const values = Float64Array.of(0, 0, 0, 4);
    const b = Float64Array.of(0, 2);
    expect(solveInPlace({ values, width: 2 }, b, 2)).toEqual([]);
    expect([...b]).toEqual([0, 0.5]);
  });
});

describe("objectives", () => {
  const run = async (x: number[][], y: (number | string)[], model: LinearOptions = {}) =>
    (await fit(linear(model), Dataset.fromArrays({ x, y } as { x: number[][]; y: number[] }), { algorithm: newtonCholesky() }))
      .run;

  it.each<[string, number[][], (number | string)[], LinearOptions]>([
    ["separable classes", [[1], [2], [3], [4]], ["a", "a", "b", "b"], {}],
    [
      "classes of which one column tells some",
      [
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 1.5],
        [1, 1],
        [1, 2],
      ],
      ["a", "b", "a", "b", "b", "b"],
      {},
    ],
    ["a column whose counts are all 0", [[0], [0], [1], [1]], [0, 0, 3, 5], { loss: "poisson" }],
  ])("%s: reports that no minimum exists", async (_, x, y, model) => {
    const { reason, updates } = await run(x, y, model);
    expect(reason).toMatch(/^the loss still falls as weights grow without end.*give l2/);
    expect(updates).toBeLessThan(12);
    // Any penalty, however weak, makes the minimum finite.
    for (const l2 of [1e-3, 1e-9]) expect((await run(x, y, { ...model, l2 })).reason).toBe("converged");
  });

  it.each<[string, number[][], number[], LinearOptions, number]>([
    ["in the flat part of huber's loss", [[0], [1], [2], [3]], [1000, 1003, 1006, 1008], { loss: "huber" }, 0.0375],
    [
      "with columns that depend on each other",
      [
        [0, 0],
        [1, 2],
        [2, 4],
        [3, 6],
      ],
      [1, 2, 3, 5],
      {},
      0.0375,
    ],
    [
      "with a column that is constant",
      [
        [1, 5],
        [1, 2],
        [1, 4],
        [1, 6],
      ],
      [1, 2, 3, 5],
      {},
      0.8357142857142857,
    ],
    [
      "of a plane without noise",
      [
        [1, 5],
        [2, 2],
        [3, 4],
        [4, 6],
      ],
      [6, 4, 7, 10],
      {},
      0,
    ],
  ])("%s: finds the minimum", async (_, x, y, model, least) => {
    const { reason, loss } = await run(x, y, model);
    expect(reason).toBe("converged");
    expect(loss).toBeCloseTo(least, 12);
  });

  it("fall at every step for numbers and classes, and agree with coordinate descent", async () => {
    const dataset = Dataset.fromArrays({ x: data.x, y: data.count });
    const model = linear({ loss: "poisson", l2: 1e-3 });
    const newton = await fit(model, dataset, { algorithm: newtonCholesky() });
    const losses = newton.run.ticks.map(({ loss }) => loss);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    const other = await fit(model, dataset, { algorithm: coordinateDescent({ tolerance: 1e-13 }) });
    for (const [j, w] of newton.weights.entries()) expect(w).toBeCloseTo(other.weights[j], 8);
  });
});

it("resumes from a checkpoint, to the same bytes", async () => {
  const dataset = plantedDataset(data, "count");
  const model = linear({ loss: "poisson", l2 });
  const straight = await fit(model, dataset, { algorithm: newtonCholesky() });
  const begun = fit(model, dataset, { algorithm: newtonCholesky(), epochs: 3 });
  expect((await begun).run.reason).toBe("all updates made, before it converged");
  const joined = await fit.resume(await begun.checkpoint(), dataset, { epochs: 100 });
  expect(joined.toBytes()).toEqual(straight.toBytes());
  expect(joined.run.updates).toBe(straight.run.updates);
});

it("makes no more steps when it is resumed at its end", async () => {
  const dataset = plantedDataset(data, "count");
  const run = fit(linear({ loss: "poisson", l2 }), dataset, { algorithm: newtonCholesky({ tolerance: 1e-4 }) });
  const whole = await run;
  const resumed = await fit.resume(await run.checkpoint(), dataset, { epochs: 100 });
  expect([resumed.run.updates, resumed.run.reason]).toEqual([whole.run.updates, "converged"]);
  expect(resumed.toBytes()).toEqual(whole.toBytes());
});

it("finds that no minimum exists after resuming like an uninterrupted run", async () => {
  const dataset = Dataset.fromArrays({ x: [[1], [2], [3], [4]], y: ["a", "a", "b", "b"] });
  const straight = (await fit(linear(), dataset, { algorithm: newtonCholesky() })).run;
  const begun = fit(linear(), dataset, { algorithm: newtonCholesky(), epochs: straight.updates - 2 });
  await begun;
  const joined = (await fit.resume(await begun.checkpoint(), dataset, { epochs: 100 })).run;
  expect([joined.updates, joined.reason]).toEqual([straight.updates, straight.reason]);
});

it("starts at a trained model, and converges immediately", async () => {
  const dataset = plantedDataset(data, "binary");
  const model = linear({ loss: "logistic", l2 });
  const from = await fit(model, dataset, { algorithm: newtonCholesky({ tolerance: 1e-14 }) });
  const again = await fit(model, dataset, { algorithm: newtonCholesky(), from });
  expect(again.run.updates).toBe(1);
});

it("converges immediately if the objective is below 0 too", async () => {
  const dataset = Dataset.fromArrays({ x: data.x, y: data.count.map((y) => y + 20) });
  const model = linear({ loss: "poisson" });
  const from = await fit(model, dataset, { algorithm: newtonCholesky({ tolerance: 1e-15 }) });
  const again = await fit(model, dataset, { algorithm: newtonCholesky(), from });
  expect(again.run.loss).toBeLessThan(0);
  expect(again.run.updates).toBe(1);
});

it("reports that no minimum exists even if the same step meets the tolerance", async () => {
  const dataset = Dataset.fromArrays({ x: [[1], [2], [3], [4]], y: ["a", "a", "b", "b"] });
  const { reason, report } = (await fit(linear(), dataset, { algorithm: newtonCholesky({ tolerance: 1e-3 }) })).run;
  expect(report.decrement).toBeLessThan(1e-3 * Math.LN2);
  expect(reason).toMatch(/^the loss still falls/);
});

it.each<[string, LinearOptions, object, RegExp]>([
  ["an L1 penalty", { l1: 0.1 }, {}, /do not support the L1 penalty; use coordinateDescent\(\) \[MODEL_PENALTY\]/],
  ["bounds", { nonNegative: true }, {}, /do not support the bound on coefficients; use coordinateDescent/],
  ["groups", { group: { strength: 1, groups: [["x0", "x1"]] } }, {}, /do not support the group penalty/],
  ["batches", {}, { batch: 8 }, /batch is 8, but each step reads all rows/],
  ["workers", {}, { workers: 2 }, /workers is 2, but one point is moved by one thread/],
  [
    "a loss with kinks",
    { loss: "hinge" },
    {},
    /loss "hinge" has kinks.*use dualCoordinateDescent\(\) or a rule \[MODEL_CAPABILITY\]/,
  ],
])("refuses %s", async (_, model, options, message) => {
  const dataset = plantedDataset(data, "binary");
  await expect(fit(linear(model), dataset, { algorithm: newtonCholesky(), ...options })).rejects.toThrow(message);
});

it("refuses a loss that couples outputs, and a network", async () => {
  const dataset = plantedDataset(data, "classes");
  const algorithm = newtonCholesky();
  await expect(fit(linear(), dataset, { algorithm })).rejects.toThrow(/"multinomial" couples the outputs.*use rule: lbfgs\(\)/);
  await expect(fit(network([dense(3)]), dataset, { algorithm })).rejects.toThrow(/needs a Hessian, which network does not offer/);
  expect(() => newtonCholesky({ tolerance: -1 })).toThrow(/tolerance is -1/);
  expect((await fit(linear(), dataset, { rule: lbfgs() })).run.reason).toBe("converged");
});
