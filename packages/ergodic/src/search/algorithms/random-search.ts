import { defineSearch, keepState } from "./define-search.ts";
import { randomPoint } from "./fresh-start.ts";

/** Nothing is learned from a batch; its size only lets evaluations overlap. */
const BATCH = 64;

/**
 * Random search: points drawn independently, uniformly in the box; where a coordinate lacks a side, from N(start, `spread`²).
 *
 * `spread`: in initial steps, > 0. Learns nothing, and so is what others must beat. Point j is drawn by counter j: the same whatever the batch.
 * Source: Brooks 1958; Bergstra, Bengio 2012.
 *
 * @throws OptionError unless spread > 0
 */
export const randomSearch = defineSearch(
  "randomSearch",
  { spread: 1 },
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
