import type { Accepts } from "../../../engine/errors/options.ts";

/**
 * Warm-up windows, in transitions, as in Stan. First only the step size adapts. Then the metric adapts in windows of
 * doubling length. Finally, only the step size adapts again.
 */
export interface WindowOptions {
  /** Number of transitions before the first window. Default 75. */
  initial?: number;
  /** Length of the first window; each later one is twice as long. Default 25; >= 1. */
  first?: number;
  /** Number of transitions after the last window. Default 50. */
  final?: number;
}

/**
 * Schedule of warm-up windows, which determines when the metric is estimated and when it takes effect.
 *
 * Transitions 0 … initial − 1 adapt only the step. Windows follow, each twice as long as the previous one. At the end
 * of each window, the metric is set to the window's estimate. The last `final` transitions adapt only the step again.
 *
 * If the next window, twice as long, would not fit, the current window is extended to the end. If initial + first +
 * final > warmup, the lengths become 15 %, 75 % (one window) and 10 %. With fewer than 20 warm-up transitions, there is
 * no window.
 *
 * Source: Stan reference manual, section on warm-up. The schedule is the same as in Stan.
 */
export interface Windows {
  /** Transitions start … stop − 1 are used for estimates. */
  readonly start: number;
  readonly stop: number;
  /** Indices of the transitions before which the metric is renewed, ascending. The last one is `stop`. */
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
