import { type WindowOptions, warmupWindows } from "../base/windows.ts";
import { CHECK } from "./arrival.ts";

export type Adaptation = "windows" | "overlapping";
export const adaptations: readonly Adaptation[] = ["windows", "overlapping"];

export interface Renewal {
  /** Index of the transition before which the renewal is due. */
  readonly at: number;
  /** Draws to forget. "older": the younger estimator replaces the older one. */
  readonly forget: "all" | "older" | "nothing";
  readonly restart: boolean;
}

/**
 * Warm-up as a schedule of renewals. Each renewal sets the metric to the current estimate, forgets certain draws, and
 * can restart the search for the step.
 *
 * "windows" (base/windows.ts): at the end of each window, the metric is renewed, all draws are forgotten and the step
 * restarts.
 *
 * "overlapping": there are two estimators. The younger estimator was started at the last switch. At a switch, the
 * younger estimator replaces the older one, so that the metric always uses draws from at least a whole period. The
 * first period has 20 transitions with the unit metric. The long trajectories of this period leave minor modes. Later
 * trajectories are better adapted and would stay there. During the first 30 % of warm-up, periods have 10 transitions
 * or 2 % of the transitions so far, whichever is more. The next period has 80 transitions, and each later period is 1.5
 * times as long as the previous one. A period is added only if one and a half times its length would fit.
 *
 * The metric is renewed at every switch. In the later part, the metric is also renewed halfway between switches. The
 * step restarts only after the first renewal, because later ones change the metric little. The last 15 % adapt only the
 * step.
 *
 * In the first half of warm-up, a chain that has not arrived (arrival.ts) keeps the unit metric and forgets its draws.
 * If two metrics are compared (choice.ts), the comparison follows the first switch after the share TRY_AFTER of
 * warm-up.
 *
 * Source: nutpie, arXiv:2603.18845. Differs from nutpie in four ways. The first metric is the unit metric, not a metric
 * computed from the gradient. Renewals between switches are rarer, because each renewal ends a kernel call. Half a
 * period remains after the last switch, so that the metric forgets early draws of a chain that arrived late. Warm-up
 * can choose between two metrics.
 */
export interface Warmup {
  /** Transitions start … stop − 1 are used for estimates. */
  readonly start: number;
  readonly stop: number;
  /** Renewals in ascending order. */
  readonly renewals: readonly Renewal[];
  /**
   * Transitions before which chains are checked for arrival. After the last check, no chain uses the unit metric any
   * more. If the list is empty, there are no checks.
   */
  readonly looks: readonly number[];
  /**
   * Trial of a diagonal metric: the transitions before which the trial begins, is judged, and ends. If the list is
   * empty, there is no trial.
   */
  readonly trial: readonly number[];
}

const [EARLY_SHARE, FINAL_SHARE] = [0.3, 0.15];
const [INITIAL, EARLY_PERIOD, EARLY_GROWTH, PERIOD, GROWTH] = [20, 10, 0.02, 80, 1.5];
const LOOK_GROWTH = 0.002;
const FEWEST = 20;
const [TRY_AFTER, LATEST_ARRIVAL] = [0.45, 0.5];
/**
 * Transitions of a trial, counted from its start, at which its cost is checked. Transitions before TRIAL_ADAPTS adapt
 * the step.
 */
const TRIAL = [2, 5, 8, 18, 28, 40];
export const TRIAL_ADAPTS = 8;
/** Number of transitions that a metric needs after a trial. */
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

/**
 * Checks are made every CHECK transitions, starting at 2 CHECK. In long warm-ups, the interval grows to a share
 * LOOK_GROWTH of the transitions so far.
 */
function looksUntil(end: number): number[] {
  const looks: number[] = [];
  for (let at = 2 * CHECK; at <= end; at += CHECK * Math.max(1, Math.floor((LOOK_GROWTH * at) / CHECK))) looks.push(at);
  return looks;
}
