import { ErgodicError } from "../../../engine/errors/errors.ts";
import { lbfgs } from "../../../engine/optimise/rules/lbfgs.ts";

/** Function that returns ℓ(x) and writes its gradient. */
export type Evaluate = (x: Float64Array, gradient: Float64Array) => number;

/**
 * Mode of the log density of all rows, for control variates and step sizes. L-BFGS climbs from a starting point until a
 * step no longer increases the density significantly.
 */
export interface Mode {
  x: Float64Array;
  gradient: Float64Array;
  value: number;
  /** Number of passes over the data. */
  evaluations: number;
}

/** Tolerances of the search: in nats, and in units of x. Control variates need only a point near the mode. */
const TOLERANCE = 1e-6;
const MOST_STEPS = 1000;

/**
 * @throws ErgodicError if the climb produces numbers that are not finite, or does not end
 */
export function findMode(where: string, purpose: string, evaluate: Evaluate, start: Float64Array): Mode {
  const x = start.slice();
  const dimension = x.length;
  let evaluations = 0;
  const run = lbfgs({ gradientTolerance: TOLERANCE, changeTolerance: TOLERANCE }).start((at, gradient) => {
    const slopes = gradient ?? new Float64Array(dimension);
    const value = evaluate(at, slopes);
    evaluations++;
    for (let i = 0; i < dimension; i++) slopes[i] = -slopes[i];
    return -value;
  }, dimension);
  let stopped: string | null = null;
  for (let step = 0; step < MOST_STEPS && stopped === null; step++) stopped = run.step(x).stopped;
  const gradient = new Float64Array(dimension);
  const value = evaluate(x, gradient);
  evaluations++;
  if (stopped !== null && Number.isFinite(value) && gradient.every(Number.isFinite)) return { x, gradient, value, evaluations };
  throw new ErgodicError(
    where,
    `no mode was found for ${purpose} in ${evaluations} evaluations (last log density: ${value}); give a starting point nearer to the mode, check that a mode exists, or ${purpose === "a step size" ? "give stepSize" : "use svrg"}`,
    "SAMPLE_MODE",
  );
}
