/** How long the stretches are that candidates make when workers are told no plan (plan-trials.ts), and which runs are too short for any. */
import type { Descent } from "./gradient-descent.ts";
import { ROUNDS } from "./plan-choice.ts";

/** When a run will stop, as far as that is known. */
export interface End {
  readonly epochs?: number;
  readonly updates?: number;
  readonly seconds?: number;
}

/** Of the run's time on one lane, what trials that are discarded may take. */
const SHARE = 0.05;
/** Seconds of a stretch on one lane: less is lost in what it costs to call a thread, more would hold up a page, which must draw. */
const SHORTEST = 0.002;
const LONGEST = 0.008;
/** In long runs, of which an epoch takes long: what is short is measured badly where other programs run, too. */
const LONGEST_OF_LONG = 0.05;
/** Of an epoch: rounds that come in later ones have less to learn, and differ by less. */
const EPOCH_SHARE = 1 / 4;

/** Seconds of a run on one lane that are left; Infinity where nobody knows. */
export function secondsLeft(one: Descent, secondsPerStep: number, until: End, gone: number): number {
  const { epochs, updates, seconds } = until;
  const left = [Infinity];
  if (epochs !== undefined) left.push((epochs * one.stepsPerEpoch - one.step) * secondsPerStep);
  if (updates !== undefined) left.push((updates - one.updates) * secondsPerStep);
  if (seconds !== undefined) left.push(seconds - gone);
  return Math.max(0, Math.min(...left));
}

/**
 * Steps of a stretch, or why nothing is measured. `secondsPerStep`: on one lane, of as many updates as a step of the others makes; `left`: seconds of the run;
 * `stepsPerEpoch`: of theirs, at least; `others`: candidates whose stretches are discarded.
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
