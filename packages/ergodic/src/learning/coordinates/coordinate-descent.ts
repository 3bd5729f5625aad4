import type { JsonObject } from "../../engine/contract/index.ts";
import type { CoordinateDescentOptions } from "../../engine/optimise/coordinates/coordinate-options.ts";
import {
  type CoordinateDescent,
  coordinateOptionsFrom,
  descendCoordinates,
  type SolveColumns,
} from "../../engine/optimise/coordinates/descend-coordinates.ts";
import { later } from "../../engine/threads/later.ts";

const solveColumns: SolveColumns = async (target, tolerance, plan, engine) => {
  const { WorkingSets } = await later(() => import("./working-sets.ts"));
  return new WorkingSets(target, tolerance, plan, engine);
};

/**
 * Coordinate descent. Repeatedly picks a block b and moves x_b: to the minimum of F along the block, or by a proximal
 * step of size 1/L_b.
 *
 * F(x) = f(x) + Σ_b φ_b(x_b), f smooth, as a problem's `coordinates` describe it. A step is one move, and an epoch
 * consists of as many moves as there are blocks.
 * pick: order of blocks (picks.ts). "workingSets", for linear models without groups, cycles over a working set of
 * columns, and uses covariance updates, Newton steps for fixed signs, and screening (column-solver.ts). "auto" is
 * "workingSets" if possible, otherwise "cyclic".
 * step: "exact" | "lipschitz". block: number of greedy moves per scan of all violations. estimate: estimates partial
 * derivatives from `rows` random rows, and makes steps of `rate`/L_b (stochastic coordinate descent). The rate is a
 * number or a schedule over moves.
 * acceleration: "anderson" (anderson.ts) extrapolates from the points after each of five passes in fixed order, and
 * accepts the result only if F falls; "nesterov" (nesterov.ts) is the accelerated random form. Default: "anderson" if
 * it applies, otherwise "none".
 * `tolerance` is tested every `checkEvery` epochs. The run has converged if the relative duality gap is at most
 * `tolerance`. Without a gap, the largest violation must be at most `tolerance` times its initial value. Exact moves
 * never increase F. Runs in float64, as one sequence of moves.
 * Sources: Wright 2015 (survey); Tseng 2001 (convergence with φ); Richtárik, Takáč 2014 (random picks). Differs: see
 * the files named.
 *
 * @throws OptionError for an option out of range; CapabilityError for options that contradict each other or that the
 * problem does not support
 */
export function coordinateDescent(given: CoordinateDescentOptions = {}): CoordinateDescent {
  return descendCoordinates(given, solveColumns);
}

export const coordinateDescentFrom = (json: JsonObject): CoordinateDescent => coordinateDescent(coordinateOptionsFrom(json));
