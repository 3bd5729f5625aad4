import type { Accepts } from "../../../engine/errors/options.ts";

/**
 * Windows of warm-up, in transitions, as in Stan: the step size alone adapts, then the metric in windows that double, then the
 * step size.
 */
export interface WindowOptions {
  /** Transitions before the first window. Default 75. */
  initial?: number;
  /** Length of the first window; each later one is twice as long. Default 25; >= 1. */
  first?: number;
  /** Transitions after the last window. Default 50. */
  final?: number;
}

/**
 * Windows of warm-up: when the metric is estimated, and when it takes effect.
 *
 * Transitions 0 … initial − 1 adapt the step alone; then come windows, each twice as long as the one before, at whose ends the
 * metric becomes what the window saw; the last `final` transitions adapt the step alone again. A window, but the first, after
 * which the next, twice as long, would not fit is stretched to the end. Where initial + first + final > warmup: 15 %, 75 % and
 * 10 %, one window. Below 20 transitions there is none.
 * Source: Stan reference manual, section on warm-up. Differs from it: nothing.
 */
export interface Windows {
  /** Transitions start … stop − 1 are estimated on. */
  readonly start: number;
  readonly stop: number;
  /** Numbers of transitions before which the metric is renewed, ascending; the last is `stop`. */
  readonly ends: readonly number[];
}

const FEWEST = 20;

/** Values that the option `windows` of a sampler accepts. */
export const windowsOption: Accepts = {
  options: {
    initial: { low: 0, integer: true },
    first: { low: 1, integer: true },
    final: { low: 0, integer: true },
  },
};

export function warmupWindows(warmup: number, options: WindowOptions = {}): Windows {
  let { initial = 75, first = 25, final = 50 } = options;
  if (warmup < FEWEST) return { start: 0, stop: 0, ends: [] };
  if (initial + first + final > warmup) {
    initial = Math.floor(0.15 * warmup);
    final = Math.floor(0.1 * warmup);
    first = warmup - initial - final;
  }
  const stop = warmup - final;
  const ends = [initial + first];
  for (let length = 2 * first; ends[ends.length - 1] < stop; length *= 2) {
    const to = ends[ends.length - 1] + length;
    ends.push(to + 2 * length > stop ? stop : to);
  }
  return { start: initial, stop, ends };
}
