import { type WindowOptions, warmupWindows } from "../base/windows.ts";
import { CHECK } from "./arrival.ts";

export type Adaptation = "windows" | "overlapping";
export const adaptations: readonly Adaptation[] = ["windows", "overlapping"];

export interface Renewal {
  /** The number of the transition before which it is due. */
  readonly at: number;
  /** "older": the younger estimator takes the place of the other. */
  readonly forget: "all" | "older" | "nothing";
  readonly restart: boolean;
}

/**
 * Warm-up as a schedule of renewals: when the metric becomes what was seen, what of that is forgotten, and whether the step is searched for anew.
 *
 * "windows" (base/windows.ts): at the end of each window the metric is renewed, all is forgotten and the step starts again.
 *
 * "overlapping": two estimators, the younger begun at the last switch. At a switch the older is dropped and the younger takes
 * its place, so that the metric always comes from at least a whole period. Periods: 20 transitions with the unit metric, whose
 * long trajectories leave minor modes where later, better fitted ones would stay; then 10 each, or 2 % of the transitions so
 * far, in the first 30 %; then 80, each 1.5 times the one before, while another and half of it fit. The metric is renewed at
 * every switch, and halfway between later ones. The step starts again after the first renewal alone, as later ones change the
 * metric little; the last 15 % adapt the step alone. A chain that still falls (arrival.ts) keeps the unit metric, at most until
 * half of warm-up; what it has seen is forgotten. Where two metrics are compared (choice.ts), that is after the first switch
 * past TRY_AFTER of warm-up.
 * Source: nutpie, arXiv:2603.18845. Differs from it: the unit metric at first, not one from the gradient; fewer renewals
 * between switches, as each ends a call of the kernel; a last switch that leaves half a
 * period, so that the metric forgets a chain that arrived late; a choice of metrics.
 */
export interface Warmup {
  /** Transitions start … stop − 1 are estimated on. */
  readonly start: number;
  readonly stop: number;
  /** Ascending. */
  readonly renewals: readonly Renewal[];
  /** Transitions before which chains that still fall are looked at; the last one ends their unit metric. Empty: not looked at. */
  readonly looks: readonly number[];
  /** Where a diagonal metric may be tried: transitions before which its trial begins, is judged, and ends. Empty: nowhere. */
  readonly trial: readonly number[];
}

const [EARLY_SHARE, FINAL_SHARE] = [0.3, 0.15];
const [INITIAL, EARLY_PERIOD, EARLY_GROWTH, PERIOD, GROWTH] = [20, 10, 0.02, 80, 1.5];
const LOOK_GROWTH = 0.002;
const FEWEST = 20;
const [TRY_AFTER, LATEST_ARRIVAL] = [0.45, 0.5];
/** Transitions of a trial at which its cost is looked at; those before TRIAL_ADAPTS adapt its step. */
const TRIAL = [2, 5, 8, 18, 28, 40];
export const TRIAL_ADAPTS = 8;
/** Transitions that a metric needs after a trial. */
const AFTER_TRIAL = 60;

export function warmupSchedule(adaptation: Adaptation, warmup: number, options: WindowOptions): Warmup {
  return adaptation === "windows" ? inWindows(warmup, options) : overlapping(warmup);
}

function inWindows(warmup: number, options: WindowOptions): Warmup {
  const { start, stop, ends } = warmupWindows(warmup, options);
  return { start, stop, renewals: ends.map((at) => ({ at, forget: "all", restart: true })), looks: [], trial: [] };
}

function overlapping(warmup: number): Warmup {
  if (warmup < FEWEST) return { start: 0, stop: 0, renewals: [], looks: [], trial: [] };
  const early = Math.floor(EARLY_SHARE * warmup);
  const stop = warmup - Math.ceil(FINAL_SHARE * warmup);
  const renewals: Renewal[] = [];
  let period = INITIAL;
  let switched = 0;
  while (switched + 1.5 * period <= stop) {
    switched += period;
    renewals.push({ at: switched, forget: "older", restart: renewals.length === 0 });
    if (switched < early) {
      period = Math.max(EARLY_PERIOD, Math.floor(EARLY_GROWTH * switched));
      continue;
    }
    period = period < PERIOD ? PERIOD : Math.floor(GROWTH * period);
    const halfway = switched + (period >> 1);
    if (halfway < stop) renewals.push({ at: halfway, forget: "nothing", restart: false });
  }
  renewals.push({ at: stop, forget: "nothing", restart: renewals.length === 0 });
  const from = renewals.find(({ at, forget }) => forget === "older" && at >= TRY_AFTER * warmup)?.at ?? warmup;
  const trial = from + TRIAL[TRIAL.length - 1] + AFTER_TRIAL <= stop ? [0, ...TRIAL].map((length) => from + length) : [];
  return { start: 0, stop, renewals, looks: looksUntil(LATEST_ARRIVAL * warmup), trial };
}

/** After every CHECK transitions from the second on, in long warm-ups after every LOOK_GROWTH of those so far. */
function looksUntil(end: number): number[] {
  const looks: number[] = [];
  for (let at = 2 * CHECK; at <= end; at += CHECK * Math.max(1, Math.floor((LOOK_GROWTH * at) / CHECK))) looks.push(at);
  return looks;
}
