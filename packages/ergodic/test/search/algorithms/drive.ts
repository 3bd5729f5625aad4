/** Drives a search on a function without a space, so that internal coordinates are those of the function. */

import { stream } from "../../../src/engine/random/stream.ts";
import type { SearchAlgorithm, SearchState } from "../../../src/search/algorithms/search.ts";

export type Value = (x: Float64Array) => number;

export interface Driven {
  state: SearchState;
  points: Float64Array[];
  values: number[];
  best: { point: Float64Array; value: number };
}

export function open(algorithm: SearchAlgorithm, start: ArrayLike<number>, box?: [number, number]): SearchState {
  const side = (v: number) => new Float64Array(start.length).fill(v);
  const [low, high] = box ?? [-Infinity, Infinity];
  return algorithm.start({
    start: Float64Array.from(start),
    lower: side(low),
    upper: side(high),
    budget: Infinity,
    stream: stream(1, "search"),
  });
}

/** Runs one batch. */
export function turn(state: SearchState, f: Value): { points: Float64Array[]; values: Float64Array } {
  const points = state.propose();
  const values = Float64Array.from(points, (x) => f(x));
  state.update(points, values);
  return { points, values };
}

/** Runs until the search stops, or until `most` values. */
export function drive(state: SearchState, f: Value, most = 20_000): Driven {
  const driven: Driven = { state, points: [], values: [], best: { point: new Float64Array(), value: Infinity } };
  while (state.stopped === null && driven.values.length < most) {
    const { points, values } = turn(state, f);
    driven.points.push(...points);
    driven.values.push(...values);
    for (const [i, value] of values.entries()) if (value < driven.best.value) driven.best = { point: points[i], value };
  }
  return driven;
}
