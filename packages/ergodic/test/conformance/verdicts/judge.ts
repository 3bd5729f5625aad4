/**
 * Whether draws agree with the exact answers of a posterior.
 *
 * Draws are wrong if a mean is off by more than a tenth of its standard deviation, a variance by more than a fifth, or
 * the probability below an empirical quantile by more than .03, each on top of Z standard errors of correct draws that
 * are worth as much. A verdict promises no more than that: MATERIAL of its own findings is a tenth of a standard
 * deviation, too.
 */
import { essBulk, essTail } from "../../../src/engine/statistics/index.ts";
import type { Marginal } from "./marginals.ts";

const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95];
/**
 * A normal number exceeds Z with probability 1/300,000. Of the few thousand comparisons of a whole run, one does so in
 * one of a hundred runs.
 */
const Z = 4.5;
/** Few effective draws are no excuse: draws worth less than this must be refused. */
const LEAST_WORTH = 400;

/** Error of the worst comparison relative to the tolerance. Draws are wrong above 1. */
export function errorOf(
  marginals: readonly Marginal[],
  series: (name: string, index: number | undefined) => Float64Array,
  chains: number,
): number {
  return Math.max(...marginals.map((marginal) => errorOfOne(marginal, series(marginal.name, marginal.index), chains)));
}

function errorOfOne({ mean, sd, cdf }: Marginal, x: Float64Array, chains: number): number {
  const least = Math.min(essBulk(x, chains), essTail(x, chains));
  const worth = Math.max(LEAST_WORTH, Number.isFinite(least) ? least : 0);
  const sorted = x.slice().sort();
  const errors = LEVELS.map((level) => {
    const at = sorted[Math.floor(level * (sorted.length - 1))];
    return Math.abs(cdf(at) - level) / (0.03 + Z * Math.sqrt((level * (1 - level)) / worth));
  });
  const average = x.reduce((total, value) => total + value, 0) / x.length;
  if (mean !== undefined) {
    const spread = sd ?? Math.sqrt(x.reduce((total, value) => total + (value - average) ** 2, 0) / x.length);
    errors.push(Math.abs(average - mean) / (spread * (0.1 + Z / Math.sqrt(worth))));
  }
  if (mean !== undefined && sd !== undefined) {
    const squares = x.map((value) => ((value - mean) / sd) ** 2);
    const ratio = squares.reduce((total, value) => total + value, 0) / x.length;
    const scatter = Math.sqrt(squares.reduce((total, value) => total + (value - ratio) ** 2, 0) / x.length);
    errors.push(Math.abs(ratio - 1) / (0.2 + (Z * Math.max(scatter, Math.SQRT2)) / Math.sqrt(worth)));
  }
  return Math.max(...errors);
}
