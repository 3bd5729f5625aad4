import { power } from "../../engine/numbers/power.ts";
import { defineSearch, keepState } from "./define-search.ts";

const optional = null as number | null;

/**
 * SPSA: x ← x − a_k (f(x + c_kΔ) − f(x − c_kΔ))/(2c_k) · Δ, where Δ_i is ±1 at random. The gradient estimate needs only
 * two evaluations, regardless of the dimension.
 *
 * a_k = a/(k + 1 + A)^`alpha`, c_k = `c`/(k + 1)^`gamma`, where k is the number of updates made; c is in initial steps.
 * A: `stability`. Its default is max(10, budget/20), where budget/20 is a tenth of the updates that the budget allows.
 * a: `a`, in squared initial steps per unit of f. By default, a is determined by the first update with a nonzero
 * difference, so that this update moves each coordinate by `firstStep` initial steps. c should be about the noise of f
 * divided by its slope. An update with a failed evaluation is skipped. `centre` is x. Every evaluated point, and
 * therefore the best point, differs from x by c_k in each coordinate. Adding a constant to f changes only rounding.
 * Source: Spall 1992, 1998 (alpha .602 and gamma .101, which give the slowest decay that the theory allows).
 *
 * @throws OptionError unless a, c, firstStep > 0 and stability, alpha, gamma ≥ 0
 */
export const spsa = defineSearch(
  "spsa",
  {
    /** Gain a of the steps, > 0. Default: the gain with which the first update moves by `firstStep`. */
    a: optional,
    /** Half width c of the first difference, in initial steps, > 0. */
    c: 0.1,
    /** Number A of updates by which the decay of the gain is delayed, >= 0. Default max(10, budget/20). */
    stability: optional,
    /** Exponent of the decay of the gain, >= 0. */
    alpha: 0.602,
    /** Exponent of the decay of the width, >= 0. */
    gamma: 0.101,
    /** Length of the first update in each coordinate, in initial steps, > 0. */
    firstStep: 0.1,
  },
  ({ a, c, stability, alpha, gamma, firstStep }, { start, budget, stream }) => {
    const offset = stability ?? Math.max(10, Number.isFinite(budget) ? budget / 20 : 0);
    const numbers = { batch: 0, a: a ?? 0 };
    const arrays = { x: start.slice() };
    const width = (): number => c * power(numbers.batch + 1, -gamma);
    const signs = (): Float64Array => {
      const draws = stream.at(numbers.batch);
      return start.map(() => 2 * draws.integer(2) - 1);
    };
    return {
      ...keepState({ numbers, arrays }),
      stopped: null,
      propose() {
        const delta = signs();
        const by = width();
        return [arrays.x.map((v, i) => v + by * delta[i]), arrays.x.map((v, i) => v - by * delta[i])];
      },
      update(_, [ahead, behind]) {
        const slope = (ahead - behind) / (2 * width());
        const decay = power(numbers.batch + 1 + offset, -alpha);
        if (Number.isFinite(slope) && slope !== 0) {
          if (numbers.a === 0) numbers.a = firstStep / (decay * Math.abs(slope));
          const delta = signs();
          arrays.x = arrays.x.map((v, i) => v - numbers.a * decay * slope * delta[i]);
        }
        numbers.batch++;
      },
      report: () => ({ rate: numbers.a * power(numbers.batch + 1 + offset, -alpha), width: width() }),
      centre: () => arrays.x.slice(),
    };
  },
  {
    conformance: { sphere: 2000, scaled: { options: { c: 0.01 }, evaluations: 20_000 }, random: true, kinks: false },
    summary: "gradient estimate from two evaluations along a random diagonal",
    source: "Spall 1992, 1998",
    ranges: {
      a: { low: 0, open: true },
      c: { low: 0, open: true },
      stability: { low: 0 },
      alpha: { low: 0 },
      gamma: { low: 0 },
      firstStep: { low: 0, open: true },
    },
  },
);
