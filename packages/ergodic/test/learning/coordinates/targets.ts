/** Targets and runs shared by the tests of coordinate descent. */

import type { Plan, Problem, Progression } from "../../../src/engine/contract/index.ts";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import type { CoordinateDescentOptions } from "../../../src/engine/optimise/coordinates/coordinate-options.ts";
import type { CoordinateTarget, CoordinateTargetOptions } from "../../../src/engine/optimise/coordinates/coordinate-target.ts";
import { coordinateProblem, coordinateTarget } from "../../../src/engine/optimise/coordinates/target.ts";
import { coordinateDescent } from "../../../src/learning/coordinates/coordinate-descent.ts";
import { gradientAt, type LeastSquares, valueAt } from "../../reference/coordinate.ts";

export const engine: Engine = await openEngine();

export const plan = (changes: Partial<Plan> = {}): Plan => ({
  workers: 1,
  replicas: 1,
  data: "sharded",
  precision: { data: "f64", model: "f64" },
  schedule: "shuffled",
  blockRows: 64,
  batch: "all",
  averageEvery: 1,
  deterministic: false,
  seed: 7,
  ...changes,
});

/** ‖Xx − y‖²/2n, computed from its matrix. */
export function byMatrix(problem: LeastSquares, more: Partial<CoordinateTargetOptions> = {}): CoordinateTarget {
  return coordinateTarget({
    dimension: problem.columns,
    value: (x) => valueAt(problem, x),
    partial: (x, j) => gradientAt(problem, x)[j],
    curvature: (j) => problem.A[j][j],
    ...more,
  });
}

/** The same target, computed from its rows, with a residual Xx − y. */
export function byRows({ X, y, A, rows, columns }: LeastSquares, more: Partial<CoordinateTargetOptions> = {}): CoordinateTarget {
  return coordinateTarget({
    dimension: columns,
    residual: (x) => Float64Array.from(X, (row, i) => row.reduce((s, v, j) => s + v * x[j], -y[i])),
    moved: (_, j, delta, residual) => {
      for (let i = 0; i < rows; i++) residual[i] += delta * X[i][j];
    },
    value: (_, residual) => residual.reduce((s, r) => s + r * r, 0) / (2 * rows),
    partial: (_, j, residual) => residual.reduce((s, r, i) => s + r * X[i][j], 0) / rows,
    rows,
    rowPartial: (_x, j, row, residual) => residual[row] * X[row][j],
    curvature: (j) => A[j][j],
    ...more,
  });
}

export function begin(problem: Problem, options: CoordinateDescentOptions, changes: Partial<Plan> = {}): Progression {
  return coordinateDescent(options).start(problem, plan(changes), engine) as Progression;
}

export interface Outcome {
  x: Float64Array;
  epochs: number;
  converged: boolean | string;
  report: Record<string, number>;
}

/** Runs until convergence, or for a number of epochs. */
export async function run(
  target: CoordinateTarget | ((x: Float64Array) => number),
  options: CoordinateDescentOptions,
  { epochs = 10_000, x0, seed = 7 }: { epochs?: number; x0?: number[]; seed?: number } = {},
): Promise<Outcome> {
  const start = x0 ?? new Float64Array(typeof target === "function" ? 0 : target.dimension);
  const progression = begin(coordinateProblem(target, start), options, { seed });
  while (!progression.converged && progression.step < epochs * progression.stepsPerEpoch) await progression.advance(2 ** 30);
  const { converged, step, stepsPerEpoch } = progression;
  return { x: progression.parameters(), epochs: step / stepsPerEpoch, converged, report: progression.report() };
}

export const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, v, j) => Math.max(most, Math.abs(v - b[j])), 0);
