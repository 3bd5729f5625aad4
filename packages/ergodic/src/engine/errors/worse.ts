import type { Finding } from "./finding.ts";

/** An objective (lower is better) at the start and at the end of a run. */
export interface Compared {
  readonly start: number;
  readonly end: number;
  /** Standard error of end − start; 0 if both are exact. */
  readonly error: number;
}

/**
 * Smallest reported increase of the objective, in standard errors. The false positive rate is 6 in 10,000, according to
 * Student's t with 15 degrees of freedom (16 blocks).
 */
const MOST_ERRORS = 4;
/**
 * Smallest increase of a mean loss that is reported, as a share of the loss. Smaller increases are within the noise at
 * the end of a run with a constant rate.
 */
const LEAST_SHARE = 0.02;
/** Relative differences below this value can be rounding errors. */
const ROUNDING = 1e-9;

/**
 * Returns a finding if the objective is worse than at the start. `share`: relative increase to ignore as noise; 0 for
 * an exact objective.
 */
export function worseFindings({ start, end, error }: Compared, what: string, share = LEAST_SHARE): Finding[] {
  const excess = end - start;
  const least = Math.max(MOST_ERRORS * error, share * Math.abs(start), ROUNDING * (Math.abs(start) + Math.abs(end)));
  if (!(excess > least)) return [];
  const shown = (value: number): string => String(Number(value.toPrecision(4)));
  const within = error > 0 ? `, and the difference has a standard error of ${shown(error)}` : "";
  return [
    {
      code: "worse",
      serious: true,
      text: `the result is worse than the start: ${what} is ${shown(end)}, but was ${shown(start)}${within}`,
      advice: "use a smaller rate, or leave the rule out",
    },
  ];
}

/**
 * Returns the mean over the blocks at the start and at the end, with the standard error of the difference. Blocks have
 * equal size.
 */
export function meanOfBlocks(starts: readonly number[], ends: readonly number[]): Compared {
  const { length } = starts;
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / length;
  const [start, end] = [mean(starts), mean(ends)];
  const squares = starts.reduce((sum, s, i) => sum + (ends[i] - s - (end - start)) ** 2, 0);
  return { start, end, error: Math.sqrt(squares / Math.max(1, length - 1) / length) };
}
