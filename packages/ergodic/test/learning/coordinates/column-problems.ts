/**
 * Small random problems for every loss that coordinate descent supports: their datasets in any format, and their
 * objectives in plain numbers.
 */

import { Dataset } from "../../../src/engine/data/dataset.ts";
import type { Call } from "../../../src/engine/memory/pool.ts";
import type { Calls } from "../../../src/learning/coordinates/calls.ts";
import { numbers } from "../../golden/sklearn-data.ts";

export interface Rows {
  x: number[][];
  y: number[];
  /** Number of classes of the target, or 0 for numbers. */
  classes: number;
}

export interface TableOptions {
  format?: "dense" | "sparse";
  type?: "f32" | "f64";
  weights?: number[];
}

/** Returns rows as a dataset. `sparse` omits cells of 0. */
export function tableOf({ x, y, classes }: Rows, { format = "dense", type = "f64", weights }: TableOptions = {}): Dataset {
  const rowWeights = weights ? { weights: Float64Array.from(weights) } : {};
  if (format === "dense") return Dataset.fromArrays({ x, y, type, ...rowWeights, ...(classes ? { classes: true } : {}) });
  const entries = x.map((row) => row.flatMap((value, j) => (value === 0 ? [] : [{ value, j }])));
  const rowStart = new Uint32Array(x.length + 1);
  for (const [i, row] of entries.entries()) rowStart[i + 1] = rowStart[i] + row.length;
  const table = {
    rowCount: x.length,
    columnCount: x[0].length,
    rowStart,
    columnIndex: Uint32Array.from(entries.flat(), ({ j }) => j),
    values: Float64Array.from(entries.flat(), ({ value }) => value),
    target: Float64Array.from(y),
    source: "rows",
    ...rowWeights,
  };
  return Dataset.fromSparse(table, { type, classes: classes > 0 });
}

export const lossNames = ["squared", "huber", "logistic", "squaredHinge", "poisson", "multinomial"] as const;
export type LossName = (typeof lossNames)[number];

/** A loss, or logistic regression of each of three classes against the others. */
export type Kind = LossName | "one against the rest";
export const kinds: readonly Kind[] = [...lossNames, "one against the rest"];
export const lossOf = (kind: Kind): LossName => (kind === "one against the rest" ? "logistic" : kind);

/**
 * Every third cell is 0, and four columns determine the target. Cells are multiples of 1/8, so that integers and floats
 * store them equally.
 */
export function randomRows(kind: Kind, { rows = 50, columns = 12, seed = 1, noise = 1 } = {}): Rows {
  const u = numbers(seed);
  const next = (): number => 2 * u.next().value;
  const x = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => {
      const v = Math.round(24 * next()) / 8;
      return u.next().value > 0.17 ? 0 : v;
    }),
  );
  const planted = Array.from({ length: 3 }, () => Array.from({ length: Math.min(4, columns) }, () => 2 * next()));
  const scores = x.map((row) => planted.map((w) => w.reduce((sum, v, j) => sum + v * row[j], 0) + noise * next()));
  const y = scores.map((z) => {
    if (kind === "squared" || kind === "huber") return z[0];
    if (kind === "poisson") return Math.round(Math.exp(Math.min(4, 1 + z[0] / 3)));
    if (kind === "logistic" || kind === "squaredHinge") return Number(z[0] > 0);
    return z.indexOf(Math.max(...z));
  });
  return { x, y, classes: kind === "squared" || kind === "huber" || kind === "poisson" ? 0 : Math.max(...y) + 1 };
}

export interface PenaltyOptions {
  l1?: number;
  l2?: number;
  penaltyWeights?: number[];
}

const binary: Partial<Record<LossName, (margin: number) => number>> = {
  logistic: (m) => Math.max(0, -m) + Math.log1p(Math.exp(-Math.abs(m))),
  squaredHinge: (m) => Math.max(0, 1 - m) ** 2,
};

export function lossOfRow(kind: Kind, z: number[], y: number): number {
  const name = lossOf(kind);
  if (name === "multinomial") {
    const top = Math.max(...z);
    return top + Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0)) - z[y];
  }
  const ofMargin = binary[name];
  if (ofMargin)
    return z.length === 1 ? ofMargin(y > 0 ? z[0] : -z[0]) : z.reduce((sum, v, k) => sum + ofMargin(k === y ? v : -v), 0);
  const r = Math.abs(z[0] - y);
  if (name === "poisson") return Math.exp(z[0]) - y * z[0];
  return name === "huber" && r > 1 ? r - 0.5 : (r * r) / 2;
}

export function outputsOf({ x }: Rows, weights: ArrayLike<number>, intercept: ArrayLike<number>): number[][] {
  const columns = x[0].length;
  return x.map((row) =>
    Array.from({ length: intercept.length }, (_, k) =>
      row.reduce((sum, v, j) => sum + v * weights[k * columns + j], intercept[k]),
    ),
  );
}

export interface Fit {
  weights: ArrayLike<number>;
  intercept: ArrayLike<number>;
}

export function meanLoss(kind: Kind, rows: Rows, { weights, intercept }: Fit, rowWeights?: number[]): number {
  const losses = outputsOf(rows, weights, intercept).map((z, i) => (rowWeights?.[i] ?? 1) * lossOfRow(kind, z, rows.y[i]));
  // Rows of weight 0 change nothing, including the divisor of the mean.
  const count = rowWeights ? rowWeights.filter((w) => w > 0).length : rows.x.length;
  return losses.reduce((a, b) => a + b, 0) / count;
}

/** The penalised objective. */
export function objective(kind: Kind, rows: Rows, fit: Fit, penalty: PenaltyOptions, rowWeights?: number[]): number {
  const columns = rows.x[0].length;
  const { l1 = 0, l2 = 0, penaltyWeights } = penalty;
  const costs = Array.from(fit.weights, (b, at) => (penaltyWeights?.[at % columns] ?? 1) * (l1 * Math.abs(b) + (l2 / 2) * b * b));
  return meanLoss(kind, rows, fit, rowWeights) + costs.reduce((a, b) => a + b, 0);
}

/** Runs all calls of a solver, and returns its result. */
export async function follow<T>(calls: Calls<T>, run: (calls: Call[]) => Promise<readonly number[]>): Promise<T> {
  let at = calls.next([]);
  while (!at.done) at = calls.next(await run([...at.value]));
  return at.value;
}
