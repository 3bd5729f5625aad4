/**
 * MLPerf's early stopping. Early stopping determines how many queries may exceed a latency bound if a quantile of the
 * latency must lie within the bound with 99 % confidence.
 *
 * If P(latency > L) ≥ 1 − p, the number of queries over L is at least Binomial(n, 1 − p). If t of n queries exceed L,
 * enough queries have been made when P(X ≤ t) = I_p(n − t, t + 1) ≤ 0.01. The (t + 1)th largest latency is then an
 * upper bound of the quantile p. For p = 0.9, n = 44 if no query exceeds L, and 64 if one does. For p = 0.99, n = 459
 * and 662.
 * Source: MLPerf Inference rules, early stopping. Differs: in LoadGen, a query whose latency equals the bound also
 * exceeds it, so LoadGen is stricter by one query.
 */
import { betaLower } from "../../engine/numbers/beta-tails.ts";

const ERROR = 0.01;

const convinces = (queries: number, over: number, percentile: number): boolean =>
  over < queries && betaLower(queries - over, over + 1, percentile, 1 - percentile) <= ERROR;

/**
 * Returns the smallest whole number in (no, yes] for which `holds` is true. `holds` is false at `no`, true at `yes`,
 * and changes once between them.
 */
function first(no: number, yes: number, holds: (n: number) => boolean): number {
  let [low, high] = [no, yes];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Smallest number of queries of which `over` may exceed the bound. */
export function queriesFor(percentile: number, over: number): number {
  let high = over + 1;
  while (!convinces(high, over, percentile)) high *= 2;
  return first(over, high, (queries) => convinces(queries, over, percentile));
}

/** Number of these queries that may exceed the bound; −1 if there are too few queries even if no query exceeds it. */
export const overAllowed = (queries: number, percentile: number): number =>
  first(-1, queries + 1, (over) => !convinces(queries, over, percentile)) - 1;
