/** Results of leave-one-out validation as text. */
import type { Estimate, LooResult } from "../diagnostics/index.ts";
import { aligned } from "./characters.ts";

const MOST_NAMED = 5;

/** Observations whose Pareto k is above the threshold, counted from 0. */
export const influential = ({ pointwise: { paretoK }, threshold }: LooResult): number[] =>
  [...paretoK.keys()].filter((i) => !(paretoK[i] <= threshold));

/** "observations 4 and 17", "observations 1, 2, 3, 4, 5 and 12 more": counted from 1, as "y[1]" is. */
export function observationsText(found: readonly number[]): string {
  const named = found.slice(0, found.length > MOST_NAMED + 1 ? MOST_NAMED : found.length).map((i) => String(i + 1));
  if (found.length > named.length) named.push(`${found.length - named.length} more`);
  const list = named.length > 1 ? `${named.slice(0, -1).join(", ")} and ${named[named.length - 1]}` : named[0];
  return `${found.length === 1 ? "observation" : "observations"} ${list}`;
}

/** One decimal, as standard errors are seldom smaller. */
export const tenth = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : "–");

/** The three sums with their errors, and whether they can be trusted. */
export function looText(result: LooResult): string {
  const row = (name: string, { estimate, se }: Estimate): string[] => [name, tenth(estimate), tenth(se)];
  const { elpd, pLoo, looic, mcse, threshold } = result;
  const table = aligned([["", "estimate", "se"], row("elpd", elpd), row("p loo", pLoo), row("looic", looic)]);
  const found = influential(result);
  const limit = threshold.toFixed(2);
  if (found.length === 0)
    return `${table}\nAll Pareto k are at most ${limit}: these numbers can be trusted. Monte Carlo error of elpd: ${mcse.toPrecision(1)}.`;
  const [are, they, them] = found.length === 1 ? ["is", "it", "it"] : ["are", "they", "them"];
  const verdict = `The Pareto k of ${observationsText(found)} ${are} above ${limit}: the draws do not say how well ${they} would be predicted; look at ${them}, or take a likelihood with heavier tails.`;
  return `${table}\n${verdict}`;
}

/** The result, printable; its text is no part of what is compared or listed. */
export function printable<R extends LooResult>(result: R): R {
  return Object.defineProperty(result, "toString", { value: () => looText(result) });
}
