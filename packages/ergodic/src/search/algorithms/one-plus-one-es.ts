import { defineSearch, keepState } from "./define-search.ts";

/**
 * (1+1)-ES with the one-fifth rule: x' = x + σz, z ~ N(0, I); if f(x') < f(x), x ← x' and σ ← γσ; otherwise σ ←
 * γ^(−1/4) σ.
 *
 * σ starts at 1, the user's initial step. γ: `growth`, > 1. A success rate of one in five leaves σ unchanged. Points of
 * equal value are accepted but do not count as successes, so σ shrinks on a plateau. Stops if σ ≤ `tolerance`.
 * Invariant under monotone transformations of f. The first point is the start. Source: Rechenberg 1973; γ = 1.5 from
 * Auger 2009.
 *
 * @throws OptionError unless growth > 1 and tolerance ≥ 0
 */
export const onePlusOneEs = defineSearch(
  "onePlusOneEs",
  {
    /** Factor γ of the step size after a success, > 1. */
    growth: 1.5,
    /** Step size, in initial steps, at which the search stops, >= 0. */
    tolerance: 1e-12,
  },
  ({ growth, tolerance }, { start, stream }) => {
    const numbers = { batch: 0, value: Infinity, sigma: 1, known: 0 };
    const arrays = { x: start.slice() };
    const decline = 1 / Math.sqrt(Math.sqrt(growth));
    return {
      ...keepState({ numbers, arrays }),
      get stopped() {
        return numbers.sigma <= tolerance ? `the step size is within ${tolerance} of its start` : null;
      },
      propose() {
        if (!numbers.known) return [arrays.x.slice()];
        const draws = stream.at(numbers.batch);
        return [arrays.x.map((x) => x + numbers.sigma * draws.normal())];
      },
      update([point], [value]) {
        numbers.batch++;
        if (numbers.known) numbers.sigma *= value < numbers.value ? growth : decline;
        if (!numbers.known || value <= numbers.value) {
          arrays.x = point.slice();
          numbers.value = value;
        }
        numbers.known = 1;
      },
      inject(point, value) {
        if (!(value < numbers.value)) return;
        arrays.x = point.slice();
        numbers.value = value;
        numbers.known = 1;
      },
      report: () => ({ sigma: numbers.sigma }),
    };
  },
  {
    conformance: { sphere: 500, scaled: 2000, random: true, monotone: true, kinks: false },
    summary: "one mutation of one point per step; step size adapted so that a fifth of mutations succeed",
    source: "Rechenberg 1973; Auger 2009",
    ranges: { growth: { low: 1, open: true }, tolerance: { low: 0 } },
  },
);
