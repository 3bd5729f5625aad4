import { add, div, mul, sub } from "../../../primitives/arithmetic.ts";
import { identity } from "../composed.ts";
import { luFactor, luSolve } from "../solve.ts";
import type { Method } from "./methods.ts";
import { combined, type State } from "./system.ts";

const GAMMA = 0.25;
/**
 * Row i contains the coefficients with which the previous parts u are combined into a point. Part i + 1 evaluates the
 * slope at this point.
 */
const POINTS: readonly (readonly number[])[] = [
  [],
  [1.544],
  [0.9466785280815826, 0.2557011698983284],
  [3.314825187068521, 2.896124015972201, 0.9986419139977817],
  [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895],
];
/**
 * Row i contains the coefficients of the previous parts in the right-hand side of part i + 1. The right-hand side also
 * divides them by h.
 */
const SIDES: readonly (readonly number[])[] = [
  [],
  [-5.6688],
  [-2.430093356833875, -0.2063599157091915],
  [-0.1073529058151375, -9.594562251023355, -20.47028614809616],
  [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616],
  [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
];
/** For each slope, its time within the step and the coefficient of h ∂f/∂t. */
const TIMES = [0, 0.386, 0.21, 0.63, 1, 1];
const BY_TIME = [0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0];

/**
 * Rodas: six linear systems with the same matrix 1/(hγ) − ∂f/∂y, of order 4, with an error estimate of order 3. The
 * method is L-stable, so it can take steps that are long compared to quickly decaying components. Source: Hairer,
 * Wanner, Solving Ordinary Differential Equations II, 1996, IV.7.
 */
export const rosenbrock: Method = {
  name: "rosenbrock",
  order: 4,
  kept: () => [],
  step(system, t, h, y) {
    const { byState, byTime } = system.derivatives(t, y);
    const [n] = byTime.shape;
    const matrix = sub(mul(div(1 / GAMMA, h), identity(n)), byState);
    const factor = luFactor(matrix);
    const parts: State[] = [];
    let point = y;
    for (let i = 0; i < TIMES.length; i++) {
      // The last point is the sum of the previous point and the previous part. The result of the step is the sum of the
      // last point and the last part.
      if (i === TIMES.length - 1) point = sum(point, parts[i - 1]);
      else if (i > 0) point = sum(y, combined(POINTS[i].map((c, j) => [c, parts[j]])));
      let side = system.vector(system.slope(add(t, mul(TIMES[i], h)), point));
      if (BY_TIME[i] !== 0) side = add(side, mul(mul(BY_TIME[i], h), byTime));
      if (i > 0) side = add(side, div(system.vector(combined(SIDES[i].map((c, j) => [c, parts[j]]))), h));
      parts.push(system.parts(luSolve(factor, matrix, side)));
    }
    const error = parts[parts.length - 1];
    return { next: sum(point, error), error, kept: [] };
  },
};

const sum = (a: State, b: State): State => a.map((x, i) => add(x, b[i]));
