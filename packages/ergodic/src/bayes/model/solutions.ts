/**
 * Reports how accurately a model's differential equations are solved at some of its draws. Solutions inside a scan are
 * not visible from outside and are omitted.
 */
import { abs, arraysBelow, less, type SymbolicArray, sub, sum } from "../../engine/compiler/index.ts";
import type { JsonObject } from "../../engine/contract/index.ts";
import type { TracedModel } from "./context.ts";

/** Maximum number of points. At each point, the equations are solved again with a hundredth of the tolerance. */
const MOST_POINTS = 100;

/** Number of arrays per watched solution. */
const ARRAYS = 3;

/** Number of steps, error and number of missing values, for each solution that depends only on data and parameters. */
export function watchedArrays({ solutions, data }: TracedModel): SymbolicArray[] {
  const isKnown = ({ op, attributes }: SymbolicArray): boolean =>
    op !== "input" || data.has(String(attributes)) || String(attributes).startsWith("u ");
  const known = solutions.filter(({ steps }) => arraysBelow([steps]).every(isKnown));
  return known.flatMap(({ steps, error, states }) => [steps, error, sub(states.size, sum(less(abs(states), Infinity)))]);
}

/** Reports how accurate the solutions are at some of the points; undefined without solutions or points. */
export function solutionsOf(
  traced: TracedModel,
  points: Float64Array,
  valuesAt: (arrays: readonly SymbolicArray[], some: Float64Array) => Float64Array,
): JsonObject | undefined {
  const arrays = traced.solutions.length > 0 ? watchedArrays(traced) : [];
  if (arrays.length === 0 || points.length === 0) return undefined;
  return solutionsReport(valuesAt(arrays, somePoints(points, traced.dimension)), arrays.length);
}

/** Selects evenly spaced points, including the last. */
export function somePoints(points: Float64Array, dimension: number): Float64Array {
  const count = points.length / dimension;
  const taken = Math.min(count, MOST_POINTS);
  const chosen = new Float64Array(taken * dimension);
  for (let i = 0; i < taken; i++) {
    const from = (Math.ceil(((i + 1) * count) / taken) - 1) * dimension;
    chosen.set(points.subarray(from, from + dimension), i * dimension);
  }
  return chosen;
}

/**
 * Summarises `values`, which contains the outputs of `watchedArrays` for one point after another. `failed`: number of
 * points without a solution. `largestError` covers only the solutions that were found. `largestError` is null if an
 * error is unknown.
 */
export function solutionsReport(values: Float64Array, arrays: number): JsonObject {
  const points = values.length / arrays;
  let [steps, error] = [0, 0];
  const failed = new Set<number>();
  for (let i = 0; i < values.length; i += ARRAYS) {
    steps = Math.max(steps, values[i]);
    if (values[i + 2] === 0) error = Math.max(error, values[i + 1]);
    else failed.add(Math.floor(i / arrays));
  }
  const largestError = Number.isFinite(error) && failed.size < points ? error : null;
  return { count: arrays / ARRAYS, points, failed: failed.size, mostSteps: steps, largestError };
}
