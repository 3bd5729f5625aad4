/**
 * Compares optima of linear models by coordinate descent, and regularisation paths, with coordinate-optima.json. These
 * are results of scikit-learn and glmnet, polished until 0 is in the subdifferential to 1e-12 (coordinate-optima.py).
 * The plain checkers of test/reference are compared with the same optima.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { coordinateDescent, Dataset, fit, type LinearOptions, linear } from "../../src/entries/everything.ts";
import { lassoDescent } from "../reference/lasso-descent.ts";
import { largestLambda, lassoGap, logisticGap, type Rows } from "../reference/lasso-gap.ts";

type Loss = "squared" | "logistic" | "poisson" | "multinomial";
type DesignName = "tall" | "wide" | "correlated" | "sparse" | "shifted";
type Target = "number" | "binary" | "count" | "classes";

interface Answer {
  coef: number[][];
  intercept: number[];
  objective: number;
}

interface Optimum extends Answer {
  name: string;
  data: DesignName;
  loss: Loss;
  l1?: number;
  l2?: number;
  group?: number;
  /** Groups of column indices. Each remaining column is its own group. */
  groups?: number[][];
  factors?: number[];
  nonnegative?: boolean;
  weighted?: boolean;
}

interface Path {
  name: string;
  data: DesignName;
  l1Ratio: number;
  lambdas: number[];
  points: { coef: number[]; intercept: number[]; objective: number }[];
}

const golden = JSON.parse(readFileSync(new URL("coordinate-optima.json", import.meta.url), "utf8")) as {
  designs: Record<DesignName, { x: number[][]; weight: number[] } & Record<Target, number[]>>;
  optima: Optimum[];
  paths: Path[];
  sequences: { data: DesignName; loss: Loss; l1Ratio: number; lambdas: number[] }[];
};
const targetOf: Record<Loss, Target> = { squared: "number", logistic: "binary", poisson: "count", multinomial: "classes" };

function dataset(data: DesignName, loss: Loss, weighted = false): Dataset {
  const { x, weight, ...targets } = golden.designs[data];
  const classes = loss === "logistic" || loss === "multinomial";
  return Dataset.fromArrays({ x, y: targets[targetOf[loss]], classes, type: "f64", ...(weighted ? { weights: weight } : {}) });
}

function sparseDataset(data: DesignName, loss: Loss): Dataset {
  const { x, ...targets } = golden.designs[data];
  const entries = x.map((row) => row.map((value, j) => ({ value, j })).filter(({ value }) => value !== 0));
  const rowStart = new Uint32Array(x.length + 1);
  entries.forEach((row, i) => {
    rowStart[i + 1] = rowStart[i] + row.length;
  });
  const table = {
    rowCount: x.length,
    columnCount: x[0].length,
    rowStart,
    columnIndex: Uint32Array.from(entries.flat(), ({ j }) => j),
    values: Float64Array.from(entries.flat(), ({ value }) => value),
    target: Float64Array.from(targets[targetOf[loss]]),
    source: data,
  };
  return Dataset.fromSparse(table, { type: "f64", classes: loss === "logistic" });
}

function modelOf(one: Optimum, names: string[]): LinearOptions {
  const { loss, l1 = 0, l2 = 0, group, groups = [], factors, nonnegative } = one;
  return {
    loss,
    l1,
    l2,
    standardise: false,
    ...(group ? { group: { strength: group, groups: groups.map((members) => members.map((j) => names[j])) } } : {}),
    ...(factors ? { penaltyWeights: Object.fromEntries(factors.map((factor, j) => [names[j], factor])) } : {}),
    ...(nonnegative ? { nonNegative: true } : {}),
  };
}

const lossOfRow: Record<Loss, (z: number[], y: number) => number> = {
  squared: ([z], y) => (z - y) ** 2 / 2,
  logistic: ([z], y) => Math.log1p(Math.exp(y > 0 ? -z : z)),
  poisson: ([z], y) => Math.exp(z) - y * z,
  multinomial: (z, y) => Math.log(z.reduce((total, v) => total + Math.exp(v), 0)) - z[y],
};

/** Penalised objective at any coefficients, in plain numbers. */
function objective(one: Omit<Optimum, "name" | keyof Answer>, coef: number[][], intercept: number[]): number {
  const { l1 = 0, l2 = 0, group = 0, groups = [], factors } = one;
  const { x, weight, ...targets } = golden.designs[one.data];
  const y = targets[targetOf[one.loss]];
  const losses = x.map((row, i) => {
    const z = coef.map((p, k) => row.reduce((total, v, j) => total + v * p[j], intercept[k]));
    return (one.weighted ? weight[i] : 1) * lossOfRow[one.loss](z, y[i]);
  });
  const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const elastic = coef.map((p) => total(p.map((v, j) => (factors?.[j] ?? 1) * (l1 * Math.abs(v) + (l2 / 2) * v * v))));
  const named = new Set(groups.flat());
  const all = [...groups, ...coef[0].map((_, j) => [j]).filter(([j]) => !named.has(j))];
  const norms = all.map((members) => Math.sqrt(members.length) * Math.hypot(...members.map((j) => coef[0][j])));
  return total(losses) / x.length + total(elastic) + group * total(norms);
}

/** Centres softmax intercepts, which are unique up to a common shift. */
function shifted(intercept: ArrayLike<number>): number[] {
  const all = Array.from(intercept);
  const mean = all.length > 1 ? all.reduce((a, b) => a + b, 0) / all.length : 0;
  return all.map((v) => v - mean);
}

function expectAnswer(one: Omit<Optimum, "name">, weights: Float64Array, intercept: Float64Array): void {
  const columns = one.coef[0].length;
  const coef = one.coef.map((_, k) => [...weights.subarray(k * columns, (k + 1) * columns)]);
  const wanted = [...one.coef.flat(), ...one.intercept];
  const found = [...coef.flat(), ...shifted(intercept)];
  expect(found.length).toBe(wanted.length);
  expect(Math.max(...wanted.map((v, i) => Math.abs(v - found[i]) / Math.max(1, Math.abs(v))))).toBeLessThan(1e-6);
  expect(Math.abs(objective(one, coef, [...intercept]) - one.objective)).toBeLessThan(1e-10);
}

/**
 * Zero coefficients satisfy their condition with a relative margin of at least 1e-4 (coordinate-optima.py), so zeros
 * are exact.
 */
function expectZeros({ coef }: Answer, weights: Float64Array): void {
  expect([...weights].map((v) => v === 0)).toEqual(coef.flat().map((v) => v === 0));
}

/** Sufficient for coefficients to 1e-6 at a curvature of 1e-3. */
const tolerance = 1e-13;
const exact = () => ({ algorithm: coordinateDescent({ tolerance }), epochs: 100_000 });

describe("optima by coordinate descent", () => {
  it.each(golden.optima)("$name", async (one) => {
    using data = dataset(one.data, one.loss, one.weighted);
    const fitted = await fit(linear(modelOf(one, data.names)), data, exact());
    expectAnswer(one, fitted.weights, fitted.intercept);
    expectZeros(one, fitted.weights);
  });

  it.each(golden.optima.filter(({ data }) => data === "sparse"))("$name, sparse rows", async (one) => {
    using data = sparseDataset(one.data, one.loss);
    const fitted = await fit(linear(modelOf(one, data.names)), data, exact());
    expectAnswer(one, fitted.weights, fitted.intercept);
    expectZeros(one, fitted.weights);
  });
});

describe("paths", () => {
  it.each(golden.paths)("$name: every point agrees", async ({ data: name, l1Ratio, lambdas, points }) => {
    using data = dataset(name, "squared");
    const path = await fit.path(linear({ loss: "squared", standardise: false }), data, { lambdas, l1Ratio, tolerance });
    expect([...path.lambdas]).toEqual(lambdas);
    points.forEach(({ coef, ...rest }, k) => {
      const strengths = { l1: lambdas[k] * l1Ratio, l2: lambdas[k] * (1 - l1Ratio) };
      const one = { data: name, loss: "squared" as const, ...strengths, coef: [coef], ...rest };
      expectAnswer(one, path.weights(k), path.intercept(k));
    });
  });

  it.each(golden.sequences)(
    "the lambdas equal glmnet's: $data, $loss, l1Ratio $l1Ratio",
    async ({ data: name, loss, l1Ratio, lambdas }) => {
      using data = dataset(name, loss);
      const path = await fit.path(linear({ loss, standardise: false }), data, { lambdas: 20, ratio: 0.01, l1Ratio });
      expect(path.lambdas.length).toBe(lambdas.length);
      expect(Math.max(...lambdas.map((v, k) => Math.abs(path.lambdas[k] / v - 1)))).toBeLessThan(1e-9);
    },
  );
});

function rowsOf(data: DesignName, y: ArrayLike<number>): Rows {
  const { x } = golden.designs[data];
  return { x: x.flat(), rowCount: x.length, columnCount: x[0].length, y };
}

describe("the plain checkers", () => {
  const plain = ({ l2, factors, weighted, nonnegative, group }: Optimum): boolean =>
    !(l2 || factors || weighted || nonnegative || group);
  const lassos = golden.optima.filter((one) => one.loss === "squared" && plain(one));
  const logistics = golden.optima.filter((one) => one.loss === "logistic" && plain(one));
  const signs = (y: number[]): number[] => y.map((v) => 2 * v - 1);

  it.each([...lassos, ...logistics])("$name: the gap is zero at the optimum, and bounds hold on both sides elsewhere", (one) => {
    const { x, ...targets } = golden.designs[one.data];
    const [rows, gap] =
      one.loss === "squared"
        ? [rowsOf(one.data, targets.number), lassoGap]
        : [rowsOf(one.data, signs(targets.binary)), logisticGap];
    const at = gap(rows, one.coef[0], one.intercept[0], one.l1!);
    expect(Math.abs(at.primal - one.objective)).toBeLessThan(1e-14);
    expect(Math.abs(at.relative)).toBeLessThan(1e-13);
    for (const shift of [1e-3, 0.1, 10]) {
      const moved = one.coef[0].map((v, j) => v + (j % 2 ? shift : -shift));
      const elsewhere = gap(rows, moved, one.intercept[0] + shift, one.l1!);
      expect(elsewhere.primal).toBeGreaterThan(one.objective);
      expect(elsewhere.dual).toBeLessThan(one.objective);
      expect(elsewhere.relative).toBeGreaterThan((elsewhere.primal - one.objective) / 10);
    }
  });

  it.each(golden.optima.filter(({ loss, group }) => loss === "squared" && !group))("$name: the twin agrees", (one) => {
    const { number, weight } = golden.designs[one.data];
    const rows = rowsOf(one.data, number);
    const { l1 = 0, l2 = 0, factors, nonnegative: nonNegative, weighted } = one;
    const twin = lassoDescent(rows, { l1, l2, factors, nonNegative, rowWeights: weighted ? weight : undefined });
    const far = [...one.coef[0], one.intercept[0]].map((v, j) => Math.abs(v - [...twin.weights, twin.intercept][j]));
    expect(Math.max(...far)).toBeLessThan(1e-11);
  });

  it.each(golden.paths.filter(({ l1Ratio }) => l1Ratio === 1))(
    "$name: the path starts at the largest lambda",
    ({ data, lambdas }) => {
      expect(largestLambda(rowsOf(data, golden.designs[data].number)) / lambdas[0]).toBeCloseTo(1, 13);
    },
  );
});
