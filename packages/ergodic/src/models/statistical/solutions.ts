/**
 * How well the differential equations of a model are solved at some of its draws: what draws say of them. Solutions within a scan are not seen from
 * outside of it.
 */
import { arraysBelow, type SymbolicArray } from "../../compiler/index.ts";
import type { JsonObject } from "../../contract.ts";
import type { TracedModel } from "./context.ts";

/** Points that are looked at: each is solved again at a hundredth of the tolerance. */
const MOST_POINTS = 100;

/** Steps and error of each solution that can be computed from data and parameters alone. */
export function watchedArrays({ solutions, data }: TracedModel): SymbolicArray[] {
  const isKnown = ({ op, attributes }: SymbolicArray): boolean =>
    op !== "input" || data.has(String(attributes)) || String(attributes).startsWith("u ");
  const known = solutions.filter(({ steps }) => arraysBelow([steps]).every(isKnown));
  return known.flatMap(({ steps, error }) => [steps, error]);
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

/** `values`: steps and error of each solution, point after point. Numbers that are not finite, of solutions that were not found, are null. */
export function solutionsReport(values: Float64Array, count: number, points: number): JsonObject {
  let [steps, error] = [0, 0];
  for (let i = 0; i < values.length; i += 2) {
    steps = Math.max(steps, values[i]);
    error = Math.max(error, values[i + 1]);
  }
  return { count, points, mostSteps: steps, largestError: Number.isFinite(error) ? error : null };
}
