/** Length of the trial stretches that plan-trials.ts uses to choose a plan. Runs that are too short get no trials. */
import type { Descent } from "./gradient-descent.ts";
import { ROUNDS } from "./plan-choice.ts";

/** Limits at which a run will stop, as far as they are known. */
export interface End {
  readonly epochs?: number;
  readonly updates?: number;
  readonly seconds?: number;
}

/** Largest share of one-lane run time for stretches that are discarded. */
const SHARE = 0.05;
/** Shortest stretch, in seconds on one lane. In a shorter one, the cost of calling a thread would dominate. */
const SHORTEST = 0.002;
/** Longest stretch, in seconds on one lane. A longer one would delay a web page's rendering. */
const LONGEST = 0.008;
/** Longest stretch if epochs take long, in seconds. Longer stretches are less disturbed by other programs. */
const LONGEST_OF_LONG = 0.05;
/** Largest share of an epoch for a stretch above `LONGEST`. Candidates differ less in later epochs. */
const EPOCH_SHARE = 1 / 4;

/** Returns the seconds that the run would still take on one lane; Infinity if no limit is known. */
export function secondsLeft(one: Descent, secondsPerStep: number, until: End, gone: number): number {
  const { epochs, updates, seconds } = until;
  const left = [Infinity];
  if (epochs !== undefined) left.push((epochs * one.stepsPerEpoch - one.step) * secondsPerStep);
  if (updates !== undefined) left.push((updates - one.updates) * secondsPerStep);
  if (seconds !== undefined) left.push(seconds - gone);
  return Math.max(0, Math.min(...left));
}

/**
 * Returns the number of steps in a stretch, or the reason not to run trials.
 *
 * `secondsPerStep`: one-lane time for the updates that all workers make in one step. `stepsPerEpoch`: smallest number
 * of steps per epoch among the candidates. `left`: seconds that the run will still take. `others`: number of candidates
 * whose stretches are discarded.
 */
export function stretchOf(run: { secondsPerStep: number; stepsPerEpoch: number; left: number; others: number }): number | string {
  const { secondsPerStep, stepsPerEpoch, left, others } = run;
  const most = (SHARE * left) / (ROUNDS * others);
  const longest = Math.max(LONGEST, Math.min(LONGEST_OF_LONG, EPOCH_SHARE * stepsPerEpoch * secondsPerStep));
  const steps = Math.max(1, Math.floor(Math.min(most, longest) / secondsPerStep));
  if (most < Math.max(SHORTEST, secondsPerStep))
    return `the rest of the run takes about ${shown(left)} on one lane, too short to measure other plans`;
  const taken = Math.min(steps, stepsPerEpoch - 1);
  if (taken < 1 || taken * secondsPerStep < SHORTEST)
    return `an epoch takes about ${shown(stepsPerEpoch * secondsPerStep)} on one lane, too short to share`;
  return taken;
}

function shown(seconds: number): string {
  return seconds < 1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : `${Number(seconds.toPrecision(2))} s`;
}
