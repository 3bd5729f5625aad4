/**
 * Log likelihoods of N observations under S draws, and sums over observations with their standard errors.
 *
 * logLikelihood: float64[chains × draws, N], draw by draw, chain after chain.
 */
import { DataError, OptionError } from "../errors/errors.ts";
import { shown } from "../errors/shown.ts";
import { drawsPerChain } from "./chains.ts";
import { variance } from "./moments.ts";

/** A sum over observations with its standard error. */
export interface Estimate {
  /** Sum over observations. */
  readonly estimate: number;
  /**
   * Standard error of the sum, √(N·variance over observations), which measures the sum's variation between data sets.
   * NaN for one observation.
   */
  readonly se: number;
}

export function total(pointwise: Float64Array): Estimate {
  let estimate = 0;
  for (const value of pointwise) estimate += value;
  return { estimate, se: Math.sqrt(pointwise.length * variance(pointwise)) };
}

/** Returns one column per observation. Column i holds the log likelihood of observation i at every draw. */
export function observationColumns(
  where: string,
  logLikelihood: Float64Array,
  observationCount: number,
  chainCount: number,
): Float64Array[] {
  if (!Number.isInteger(observationCount) || observationCount < 1) {
    throw new OptionError(
      where,
      `observationCount is ${shown(observationCount)}, but must be a positive integer`,
      "OPTION_RANGE",
    );
  }
  if (logLikelihood.length % observationCount !== 0) {
    const given = `${logLikelihood.length} log likelihoods are not a multiple of ${observationCount} observations`;
    throw new DataError(where, `${given}; give one for every draw and observation, draw by draw`, "DRAWS_SHAPE");
  }
  const drawCount = logLikelihood.length / observationCount;
  const columns = Array.from({ length: observationCount }, () => new Float64Array(drawCount));
  logLikelihood.forEach((value, at) => {
    const i = at % observationCount;
    const s = (at - i) / observationCount;
    if (!Number.isFinite(value)) {
      const given = `the log likelihood of observation ${i} at draw ${s} is ${value}`;
      throw new DataError(where, `${given}, but must be finite; look at the model there`, "DATA_NOT_FINITE");
    }
    columns[i][s] = value;
  });
  drawsPerChain(where, columns[0], chainCount);
  return columns;
}
