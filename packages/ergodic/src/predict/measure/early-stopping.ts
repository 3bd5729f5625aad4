/**
 * MLPerf's early stopping: of how many queries so few may take longer than a bound that a quantile is held to it with 99 % confidence.
 *
 * Where P(latency > L) ≥ 1 − p, the queries over L are at least Binomial(n, 1 − p); n are enough for t over once P(X ≤ t) = I_p(n − t, t + 1) ≤ 0.01.
 * So the (t + 1)th largest latency is a bound of the quantile p. p = 0.9: n = 44 for none over, 64 for one; p = 0.99: 459 and 662.
 * Source: MLPerf Inference rules, early stopping. Differs: LoadGen counts the bound's own query as over, which is one query stricter.
 */
import { betaLower } from "../../engine/numbers/beta-tails.ts";

const ERROR = 0.01;

const convinces = (queries: number, over: number, percentile: number): boolean =>
  over < queries && betaLower(queries - over, over + 1, percentile, 1 - percentile) <= ERROR;

/** The smallest whole number in (no, yes] of which `holds` is true, where it is false of `no` and true of `yes`, and changes once. */
function first(no: number, yes: number, holds: (n: number) => boolean): number {
  let [low, high] = [no, yes];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The least number of queries of which `over` may be over the bound. */
export function queriesFor(percentile: number, over: number): number {
  let high = over + 1;
  while (!convinces(high, over, percentile)) high *= 2;
  return first(over, high, (queries) => convinces(queries, over, percentile));
}

/** How many of these queries may be over the bound; −1 where there are too few for any. */
export const overAllowed = (queries: number, percentile: number): number =>
  first(-1, queries + 1, (over) => !convinces(queries, over, percentile)) - 1;
