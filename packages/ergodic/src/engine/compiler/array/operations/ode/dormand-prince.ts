import { add, mul } from "../../../primitives/arithmetic.ts";
import type { Method } from "./methods.ts";
import { combined, moved, type State } from "./system.ts";

/**
 * Row i contains the coefficients with which slopes 0 … i are combined into a point. Slope i + 1 is evaluated at this
 * point. The point of the last row is also the result of the step, which has order 5.
 */
const STAGES: readonly (readonly number[])[] = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
/** Time of each slope within the step. */
const TIMES = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
/** Coefficients of the error estimate, which is the step minus the embedded step of order 4. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * The embedded pair of orders 5 and 4. The method has seven stages, and the last stage is also the first stage of the
 * next step. Source: Dormand, Prince 1980.
 */
export const dormandPrince: Method = {
  name: "dormandPrince",
  order: 5,
  // The slope at the current state is known from the previous step.
  kept: (system, t, y) => system.slope(t, y),
  step(system, t, h, y, first) {
    const slopes: State[] = [first];
    let next = y;
    for (const [i, row] of STAGES.entries()) {
      next = moved(y, h, terms(row, slopes));
      slopes.push(system.slope(add(t, mul(TIMES[i], h)), next));
    }
    const error = combined(terms(ERROR, slopes)).map((x) => mul(h, x));
    return { next, error, kept: slopes[slopes.length - 1] };
  },
};

const terms = (factors: readonly number[], slopes: readonly State[]): [number, State][] =>
  factors.map((factor, i) => [factor, slopes[i]]);
