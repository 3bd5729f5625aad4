import type { JsonObject } from "../../engine/contract/index.ts";
import type { CoordinateDescentOptions } from "../../engine/optimise/coordinates/coordinate-options.ts";
import {
  type CoordinateDescent,
  coordinateOptionsFrom,
  descendCoordinates,
  type SolveColumns,
} from "../../engine/optimise/coordinates/descend-coordinates.ts";
import { WorkingSets } from "./working-sets.ts";

const solveColumns: SolveColumns = (target, tolerance, plan, engine) => new WorkingSets(target, tolerance, plan, engine);

/**
 * Coordinate descent: pick a block b, move x_b to the minimum of F along it, or to the prox of a step of 1/L_b along its partial derivative; repeat.
 *
 * F(x) = f(x) + Σ_b φ_b(x_b), f smooth: what a problem offers as `coordinates`. An epoch is as many moves as there are blocks;
 * a step is one move. pick: picks.ts; "workingSets", for linear models without groups, is cyclic on the columns that matter,
 * with covariances, Newton steps on the signs and screening (column-solver.ts); "auto" is that where it can be, else "cyclic".
 * step: "exact" | "lipschitz". block: greedy moves for one look at all violations. estimate: partial derivatives on `rows`
 * random rows, steps of `rate`/L_b (stochastic coordinate descent); the rate is a number or a schedule over moves.
 * acceleration: "anderson" (anderson.ts) extrapolates the points of five passes in fixed order, and keeps the outcome only
 * where F falls; "nesterov" (nesterov.ts) is the accelerated random form; by default it is "anderson" where it has a
 * meaning, else "none".
 * Every `checkEvery` epochs: converged where the relative duality gap ≤ `tolerance`; without a gap, where the largest violation
 * is at most `tolerance` times that of the start. Exact moves never raise F. Runs in float64, as one sequence of moves.
 * Sources: Wright 2015 (survey); Tseng 2001 (convergence with φ); Richtárik, Takáč 2014 (random picks). Differs: see the files named.
 *
 * @throws OptionError for an option out of range; CapabilityError for a combination without meaning, or for what the problem does not offer
 */
export function coordinateDescent(given: CoordinateDescentOptions = {}): CoordinateDescent {
  return descendCoordinates(given, solveColumns);
}

export const coordinateDescentFrom = (json: JsonObject): CoordinateDescent => coordinateDescent(coordinateOptionsFrom(json));
