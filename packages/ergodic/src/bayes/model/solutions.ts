/**
 * How well the differential equations of a model are solved at some of its draws: what draws say of them. Solutions within a scan are not seen from
 * outside of it.
 */
import { abs, arraysBelow, less, type SymbolicArray, sub, sum } from "../../engine/compiler/index.ts";
import type { JsonObject } from "../../engine/contract/index.ts";
import type { TracedModel } from "./context.ts";

/** Points that are looked at: each is solved again at a hundredth of the tolerance. */
const MOST_POINTS = 100;

/** Of a solution that is watched. */
const ARRAYS = 3;

/** Steps, error and how many numbers were not found, of each that can be computed from data and parameters alone. */
export function watchedArrays({ solutions, data }: TracedModel): SymbolicArray[] {
  const isKnown = ({ op, attributes }: SymbolicArray): boolean =>
    op !== "input" || data.has(String(attributes)) || String(attributes).startsWith("u ");
  const known = solutions.filter(({ steps }) => arraysBelow([steps]).every(isKnown));
  return known.flatMap(({ steps, error, states }) => [steps, error, sub(states.size, sum(less(abs(states), Infinity)))]);
}

/** Some of the points, evenly, the last among them. */
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
 * `values`: what `watchedArrays` gives, point after point. `failed`: points at which a solution was not found. The largest error is of those that were
 * found, and null where that of one is not known.
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
