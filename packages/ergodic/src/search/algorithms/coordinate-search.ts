import { defineSearch, keepState } from "./define-search.ts";

/**
 * Coordinate search: tries x ± s_i e_i along one axis after the other. If f at the better of the two points is below
 * f(x), the search moves to that point and sets s_i ← 2 s_i; otherwise s_i ← s_i/2.
 *
 * s: one step size per coordinate. All start at 1, the user's initial step. Because each axis has its own step, the
 * steps adapt to badly scaled axes. Stops if every s_i ≤ `tolerance`. Draws nothing. The search is invariant under
 * monotone transformations of f. Converges to a stationary point if f is differentiable. At a kink that is not aligned
 * with the axes, the search can get stuck. The first point is the start.
 * Source: Hooke, Jeeves 1961 (exploratory moves); Kolda, Lewis, Torczon 2003. Differs: a step size per axis.
 *
 * @throws OptionError unless tolerance ≥ 0
 */
export const coordinateSearch = defineSearch(
  "coordinateSearch",
  {
    /** Largest step, in initial steps, at which the search stops, >= 0. */
    tolerance: 1e-10,
  },
  ({ tolerance }, { start }) => {
    const numbers = { axis: 0, value: Infinity, known: 0 };
    const arrays = { x: start.slice(), steps: new Float64Array(start.length).fill(1) };
    const moved = (sign: number): Float64Array => {
      const x = arrays.x.slice();
      x[numbers.axis] += sign * arrays.steps[numbers.axis];
      return x;
    };
    const take = (point: Float64Array, value: number): void => {
      arrays.x = point.slice();
      numbers.value = value;
      numbers.known = 1;
    };
    return {
      ...keepState({ numbers, arrays }),
      get stopped() {
        return arrays.steps.every((s) => s <= tolerance) ? `every step is within ${tolerance} of its start` : null;
      },
      propose: () => (numbers.known ? [moved(1), moved(-1)] : [arrays.x.slice()]),
      update(points, values) {
        if (!numbers.known) {
          take(points[0], values[0]);
          return;
        }
        const better = values[1] < values[0] ? 1 : 0;
        const success = values[better] < numbers.value;
        if (success) take(points[better], values[better]);
        arrays.steps[numbers.axis] *= success ? 2 : 0.5;
        numbers.axis = (numbers.axis + 1) % arrays.steps.length;
      },
      inject(point, value) {
        if (value < numbers.value) take(point, value);
      },
      report: () => ({ largestStep: arrays.steps.reduce((a, b) => Math.max(a, b), 0) }),
    };
  },
  {
    conformance: { sphere: 300, monotone: true },
    summary: "search along each axis in turn, with a step size per axis",
    source: "Hooke, Jeeves 1961; Kolda, Lewis, Torczon 2003",
    ranges: { tolerance: { low: 0 } },
  },
);
