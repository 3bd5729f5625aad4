import { defineSearch, keepState } from "./define-search.ts";
import { randomPoint } from "./fresh-start.ts";

/**
 * Points per batch. The search learns nothing from a batch. The batch size only determines how many evaluations can
 * overlap.
 */
const BATCH = 64;

/**
 * Random search: points are drawn independently and uniformly in the box. If a side of the box is open, the coordinate
 * is drawn from N(start, `spread`²).
 *
 * `spread`: in initial steps, > 0. Random search learns nothing, and is therefore the baseline for other algorithms.
 * Point j is drawn with counter j, so the points do not depend on the batch size. Source: Brooks 1958; Bergstra, Bengio
 * 2012.
 *
 * @throws OptionError unless spread > 0
 */
export const randomSearch = defineSearch(
  "randomSearch",
  {
    /** Standard deviation about the start, in initial steps, along open sides of the box, > 0. */
    spread: 1,
  },
  ({ spread }, given) => {
    const numbers = { drawn: 0 };
    const kept = keepState({ numbers, arrays: {} });
    const draw = (j: number): Float64Array => randomPoint(given, given.stream.at(j), spread);
    return {
      ...kept,
      stopped: null,
      propose: () => Array.from({ length: BATCH }, (_, j) => draw(numbers.drawn + j)),
      update(points): void {
        numbers.drawn += points.length;
      },
      report: () => ({}),
    };
  },
  {
    conformance: { sphere: { options: { spread: 3 }, evaluations: 40_000, share: 0.05 }, random: true, monotone: true },
    summary: "independent points, uniform in the box",
    source: "Brooks 1958; Bergstra, Bengio 2012",
    ranges: { spread: { low: 0, open: true } },
  },
);
