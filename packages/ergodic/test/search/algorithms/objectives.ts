/** Functions to minimise, and a loop that searches them. Shared by the tests of population searches. */

import { stream } from "../../../src/engine/random/stream.ts";
import type { SearchAlgorithm, SearchState } from "../../../src/search/algorithms/search.ts";

export type Objective = (x: Float64Array) => number;

export const sphere: Objective = (x) => x.reduce((sum, v) => sum + v * v, 0);
/** Σ c^(i/(d−1)) x_i². */
export const ellipsoid =
  (condition: number): Objective =>
  (x) =>
    x.reduce((sum, v, i) => sum + condition ** (i / Math.max(1, x.length - 1)) * v * v, 0);
export const rosenbrock: Objective = (x) => {
  let sum = 0;
  for (let i = 0; i < x.length - 1; i++) sum += 100 * (x[i] ** 2 - x[i + 1]) ** 2 + (x[i] - 1) ** 2;
  return sum;
};
/** 10 d minima per unit around the minimum at 0. */
export const rastrigin: Objective = (x) => x.reduce((sum, v) => sum + v * v + 10 * (1 - Math.cos(2 * Math.PI * v)), 0);

export interface Given {
  start: ArrayLike<number>;
  box?: readonly [number, number];
  budget?: number;
  seed?: number;
}

export function started(algorithm: SearchAlgorithm, { start, box, budget = Infinity, seed = 1 }: Given): SearchState {
  return algorithm.start({
    start: Float64Array.from(start),
    lower: new Float64Array(start.length).fill(box?.[0] ?? -Infinity),
    upper: new Float64Array(start.length).fill(box?.[1] ?? Infinity),
    budget,
    stream: stream(seed, "search"),
  });
}

/** Runs one batch. */
export function advance(state: SearchState, f: Objective): { points: Float64Array[]; values: Float64Array } {
  const points = state.propose();
  const values = Float64Array.from(points, f);
  state.update(points, values);
  return { points, values };
}

export interface Searched {
  evaluations: number;
  best: number;
  point: Float64Array;
}

/** Runs until a value of `target`, until `most` evaluations, or until the search ends. */
export function searched(state: SearchState, f: Objective, { target = -Infinity, most = 100_000 } = {}): Searched {
  const found: Searched = { evaluations: 0, best: Infinity, point: new Float64Array() };
  while (state.stopped === null && found.evaluations < most) {
    const points = state.propose();
    const values = Float64Array.from(points, f);
    for (let k = 0; k < points.length; k++) {
      found.evaluations++;
      if (!(values[k] < found.best)) continue;
      found.best = values[k];
      found.point = points[k];
      if (found.best <= target) return found;
    }
    state.update(points, values);
  }
  return found;
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1];
}
