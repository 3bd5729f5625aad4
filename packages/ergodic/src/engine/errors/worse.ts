import type { Finding } from "./finding.ts";

/** An objective, of which less is better, where a run began and where it ended. */
export interface Compared {
  readonly start: number;
  readonly end: number;
  /** Standard error of end − start; 0: both are exact. */
  readonly error: number;
}

/** Standard errors by which the end must be worse: of runs that are no worse, 6 in 10,000 are beyond, by Student's t with the 15 degrees of freedom of 16 blocks. */
const MOST_ERRORS = 4;
/** A mean loss that is worse by a smaller share is the noise in which a run with a constant rate ends. */
const LEAST_SHARE = 0.02;
/** Differences up to this share of the values are rounding. */
const ROUNDING = 1e-9;

/** A finding if the objective is worse than at the start. `share`: of the value at the start, below which it is noise of the run; 0 for an exact objective. */
export function worseFindings({ start, end, error }: Compared, what: string, share = LEAST_SHARE): Finding[] {
  const excess = end - start;
  const least = Math.max(MOST_ERRORS * error, share * Math.abs(start), ROUNDING * (Math.abs(start) + Math.abs(end)));
  if (!(excess > least)) return [];
  const shown = (value: number): string => String(Number(value.toPrecision(4)));
  const within = error > 0 ? `, with a standard error of ${shown(error)} of the difference` : "";
  return [
    {
      code: "worse",
      serious: true,
      text: `the result is worse than the start: ${what} is ${shown(end)}, but was ${shown(start)}${within}`,
      advice: "take a smaller rate, or leave the rule out",
    },
  ];
}

/** The mean of differences over blocks of equal size, and its standard error. */
export function meanOfBlocks(starts: readonly number[], ends: readonly number[]): Compared {
  const { length } = starts;
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / length;
  const [start, end] = [mean(starts), mean(ends)];
  const squares = starts.reduce((sum, s, i) => sum + (ends[i] - s - (end - start)) ** 2, 0);
  return { start, end, error: Math.sqrt(squares / Math.max(1, length - 1) / length) };
}
