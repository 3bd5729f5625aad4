/**
 * Compares optima of linear models with scikit-learn and scipy. Smooth optima use L-BFGS. Optima with L1 use SAGA and
 * SVRG and have exact zeros. Losses that are not smooth are compared by their least value. sklearn-optima.json lists
 * the calls.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  averaging,
  chain,
  type FitOptions,
  fit,
  huberLoss as huber,
  inverseTimeDecay,
  type LinearOptions,
  lbfgs,
  linear,
  quantileLoss as quantile,
  saga,
  sgd,
  svrg,
} from "../../src/entries/everything.ts";
import { plantedData, plantedDataset } from "./sklearn-data.ts";

interface Optimum {
  call: string;
  coef: number[][];
  intercept: number[];
  /** Largest slope of the objective at the optimum. */
  slope?: number;
  value?: number;
}

const optima = JSON.parse(readFileSync(new URL("sklearn-optima.json", import.meta.url), "utf8")) as Record<string, Optimum>;
const data = plantedData();
type Target = Parameters<typeof plantedDataset>[1];
interface Case {
  name: string;
  target: Target;
  model: LinearOptions;
  weighted?: boolean;
}

/** Largest difference of a coefficient or intercept. Softmax intercepts are unique up to a common shift. */
async function distance(
  { name, target, model, weighted }: Case,
  options: FitOptions,
): Promise<{ most: number; weights: number[] }> {
  using dataset = plantedDataset(data, target, weighted ? { weights: data.weight } : {});
  const fitted = await fit(linear({ standardise: false, ...model }), dataset, { precision: "f64", seed: 3, ...options });
  const { coef, intercept } = optima[name];
  const shift = (b: ArrayLike<number>): number[] => {
    const all = Array.from(b);
    const mean = all.length > 1 ? all.reduce((x, y) => x + y, 0) / all.length : 0;
    return all.map((v) => v - mean);
  };
  const wanted = [...coef.flat(), ...(model.loss === "multinomial" ? shift(intercept) : intercept)];
  const found = [...fitted.weights, ...(model.loss === "multinomial" ? shift(fitted.intercept) : fitted.intercept)];
  expect(found.length).toBe(wanted.length);
  return { most: Math.max(...wanted.map((v, i) => Math.abs(v - found[i]))), weights: [...fitted.weights] };
}

const l2 = 0.01;
const smooth: Case[] = [
  { name: "logistic-l2", target: "binary", model: { loss: "logistic", l2 } },
  { name: "logistic-weights", target: "binary", model: { loss: "logistic", l2 }, weighted: true },
  { name: "logistic-class-weights", target: "binary", model: { loss: "logistic", l2, classWeights: { 0: 0.5, 1: 3 } } },
  { name: "logistic-balanced", target: "binary", model: { loss: "logistic", l2, classWeights: "balanced" } },
  { name: "multinomial-l2", target: "classes", model: { loss: "multinomial", l2 } },
  { name: "ovr-logistic", target: "classes", model: { loss: "logistic", l2 } },
  { name: "squared-hinge", target: "binary", model: { loss: "squaredHinge", l2, intercept: false } },
  { name: "ridge", target: "number", model: { loss: "squared", l2 } },
  { name: "ridge-weights", target: "number", model: { loss: "squared", l2 }, weighted: true },
  { name: "poisson", target: "count", model: { loss: "poisson", l2 } },
  { name: "huber", target: "spiked", model: { loss: huber({ delta: 0.7 }), l2 } },
];

describe("smooth optima", () => {
  const rule = lbfgs({ gradientTolerance: 1e-11, changeTolerance: 1e-16 });
  it.each(smooth)("$name agrees by L-BFGS", async (one) => {
    // A line search cannot distinguish values f < 0.6 that differ by less than ε f, which corresponds to a distance of
    // √(2 ε f / l2).
    expect((await distance(one, { rule })).most).toBeLessThan(Math.sqrt((2 * Number.EPSILON * 0.6) / l2));
  });

  it.each(smooth.filter(({ name }) => !/poisson/.test(name)))("$name agrees by SAGA and SVRG", async (one) => {
    // Possible error of scikit-learn's result, from its slope and the smallest curvature.
    const limit = 1e-11 + (2 * optima[one.name].slope!) / l2;
    expect((await distance(one, { variance: saga(), epochs: 500 })).most).toBeLessThan(limit);
    expect((await distance(one, { variance: svrg({ every: 2 }), epochs: 500 })).most).toBeLessThan(limit);
  });
});

const sparse: Case[] = [
  { name: "logistic-l1", target: "binary", model: { loss: "logistic", l1: 0.02 } },
  { name: "logistic-elastic", target: "binary", model: { loss: "logistic", l1: 0.01, l2: 0.01 } },
  { name: "multinomial-l1", target: "classes", model: { loss: "multinomial", l1: 0.01 } },
  { name: "lasso", target: "number", model: { loss: "squared", l1: 0.05 } },
  { name: "elastic-net", target: "number", model: { loss: "squared", l1: 0.02, l2: 0.04 } },
];

describe("optima with L1 have the same support with exact zeros", () => {
  it.each(
    sparse.flatMap((one) => [
      { ...one, by: "SAGA", variance: saga() },
      { ...one, by: "SVRG", variance: svrg() },
    ]),
  )("$name by $by", async ({ variance, ...one }) => {
    const { most, weights } = await distance(one, { variance, epochs: 600 });
    expect(most).toBeLessThan(1e-10);
    expect(weights.map((p) => p === 0)).toEqual(optima[one.name].coef.flat().map((p) => p === 0));
  });
});

/** Penalised objective of a fitted linear model with one output, in plain numbers. */
function objective(
  weights: ArrayLike<number>,
  intercept: number,
  loss: (z: number, i: number) => number,
  penalty: (p: number[]) => number,
): number {
  const p = Array.from(weights);
  const total = data.x.reduce(
    (sum, row, i) =>
      sum +
      loss(
        row.reduce((z, v, j) => z + v * p[j], intercept),
        i,
      ),
    0,
  );
  return total / data.x.length + penalty(p);
}

describe("least values of losses that are not smooth", () => {
  const decaying = chain(
    sgd({ rate: inverseTimeDecay({ rate: 0.5, decay: 0.002, power: 0.75 }) }),
    averaging({ start: 200_000 }),
  );

  it("hinge is within 0.1 % of LinearSVC's", async () => {
    using dataset = plantedDataset(data, "binary");
    const fitted = await fit(linear({ loss: "hinge", l2, intercept: false, standardise: false }), dataset, {
      rule: decaying,
      precision: "f64",
      epochs: 1600,
    });
    const hinge = (z: number, i: number): number => Math.max(0, 1 - (2 * data.binary[i] - 1) * z);
    const value = objective(fitted.weights, 0, hinge, (p) => (l2 / 2) * p.reduce((sum, v) => sum + v * v, 0));
    const least = optima.hinge.value!;
    expect(value).toBeGreaterThan(least * (1 - 1e-9));
    expect(value).toBeLessThan(least * 1.001);
  });

  it("quantile with L1 is within 0.1 % of the linear programme's", async () => {
    using dataset = plantedDataset(data, "number");
    const fitted = await fit(linear({ loss: quantile({ quantile: 0.75 }), l1: 0.02, standardise: false }), dataset, {
      rule: decaying,
      precision: "f64",
      epochs: 1600,
    });
    const pinball = (z: number, i: number): number => Math.max(0.75 * (data.number[i] - z), -0.25 * (data.number[i] - z));
    const value = objective(
      fitted.weights,
      fitted.intercept[0],
      pinball,
      (p) => 0.02 * p.reduce((sum, v) => sum + Math.abs(v), 0),
    );
    const least = optima.quantile.value!;
    expect(value).toBeGreaterThan(least * (1 - 1e-9));
    expect(value).toBeLessThan(least * 1.001);
  });
});

describe("group lasso against proximal gradient", () => {
  const groups = [0, 2, 4, 6].map((j) => [`x${j}`, `x${j + 1}`]);
  const model = linear({ loss: "logistic", group: { strength: 0.08, groups }, standardise: false });
  const wanted = optima["group-logistic"];

  it.each([
    { by: "SAGA, chosen by itself", options: { epochs: 400 } },
    { by: "SVRG", options: { variance: svrg(), epochs: 400 } },
    { by: "the full gradient", options: { rule: sgd({ rate: 4 }), batch: "all" as const, epochs: 400 } },
  ])("$by: the same groups are exactly zero and the others agree", async ({ options }) => {
    using dataset = plantedDataset(data, "binary");
    const fitted = await fit(model, dataset, { precision: "f64", ...options });
    const found = [...fitted.weights, ...fitted.intercept];
    const most = Math.max(...[...wanted.coef[0], ...wanted.intercept].map((v, i) => Math.abs(v - found[i])));
    expect(most).toBeLessThan(1e-10);
    expect([...fitted.weights].map((p) => p === 0)).toEqual([false, false, false, false, true, true, true, true]);
  });
});
