/** Text output of predictive validation. */
import type { Estimate, LooResult, WaicResult } from "../../engine/statistics/index.ts";
import { aligned } from "./characters.ts";

const MOST_NAMED = 5;

/** Observations with a Pareto k above the threshold, counted from 0. */
export const influential = ({ pointwise: { paretoK }, threshold }: LooResult): number[] =>
  [...paretoK.keys()].filter((i) => !(paretoK[i] <= threshold));

/** Formats "observations 4 and 17" or "observations 1, 2, 3, 4, 5 and 12 more", counted from 1 as in "y[1]". */
export function observationsText(found: readonly number[]): string {
  const named = found.slice(0, found.length > MOST_NAMED + 1 ? MOST_NAMED : found.length).map((i) => String(i + 1));
  if (found.length > named.length) named.push(`${found.length - named.length} more`);
  const list = named.length > 1 ? `${named.slice(0, -1).join(", ")} and ${named[named.length - 1]}` : named[0];
  return `${found.length === 1 ? "observation" : "observations"} ${list}`;
}

/** Formats with one decimal, because standard errors are rarely smaller than 0.1. */
export const tenth = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : "–");

const table = (rows: Readonly<Record<string, Estimate>>): string =>
  aligned([
    ["", "estimate", "se"],
    ...Object.entries(rows).map(([name, { estimate, se }]) => [name, tenth(estimate), tenth(se)]),
  ]);

/** Explains elpd below each table that contains it. */
export const ELPD_LEGEND = "elpd: log predictive density of held-out observations, in nats; higher is better";

/** Formats elpd, p loo and looic with their errors, and says whether they can be trusted. */
export function looText(result: LooResult): string {
  const { elpd, pLoo, looic, mcse, threshold } = result;
  const sums = `${table({ elpd, "p loo": pLoo, looic })}\n${ELPD_LEGEND}; p loo: effective number of parameters; looic: −2 elpd`;
  const found = influential(result);
  const limit = threshold.toFixed(2);
  if (found.length === 0)
    return `${sums}\nAll Pareto k are at most ${limit}: these numbers can be trusted. Monte Carlo error of elpd: ${mcse.toPrecision(1)}.`;
  const [are, they, them] = found.length === 1 ? ["is", "it", "it"] : ["are", "they", "them"];
  const verdict = `The Pareto k of ${observationsText(found)} ${are} above ${limit}: the draws cannot show how well ${they} would be predicted; look at ${them}, or use a likelihood with heavier tails.`;
  return `${sums}\n${verdict}`;
}

/**
 * If the variance of an observation's log density over draws exceeds this, the WAIC approximation is poor. Source:
 * Vehtari, Gelman, Gabry 2017.
 */
const LARGE_VARIANCE = 0.4;

/** Formats elpd, p waic and waic with their errors, and says whether they can be trusted. */
export function waicText({ elpd, pWaic, waic, pointwise }: WaicResult): string {
  const sums = `${table({ elpd, "p waic": pWaic, waic })}\n${ELPD_LEGEND}; p waic: effective number of parameters; waic: −2 elpd`;
  const found = [...pointwise.pWaic.keys()].filter((i) => !(pointwise.pWaic[i] <= LARGE_VARIANCE));
  if (found.length === 0) return `${sums}\nEach term of p waic is at most ${LARGE_VARIANCE}: these numbers can be trusted.`;
  const [are, terms] = found.length === 1 ? ["is", "The term"] : ["are", "The terms"];
  return `${sums}\n${terms} of p waic of ${observationsText(found)} ${are} above ${LARGE_VARIANCE}, where the approximation is poor: use loo().`;
}
