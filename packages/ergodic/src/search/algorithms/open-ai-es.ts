import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { log } from "../../engine/numbers/log.ts";
import { centredRanks } from "./centred-ranks.ts";
import { defineSearch, keepState } from "./define-search.ts";

const BETA = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * OpenAI's evolution strategy: g = 1/(nσ) Σ_i r_i ε_i over n points θ ± σε, ε ~ N(0, I), where r are the centred ranks
 * of f. An update is a step along −g.
 *
 * r: −½ for the lowest value to ½ for the highest; equal values share their mean rank. σ: `sigma`, in initial steps;
 * the default .02 gives a small neighbourhood, which suits many small steps. n = 2 `pairs`. The default for pairs is 2
 * + ⌊1.5 ln d⌋, so that n is about the population of CMA-ES. `step`:
 *   "adam"      θ ← θ − α_k m̂/(√v̂ + 1e-8), β .9 and .999
 *   "momentum"  v ← .9v + g, θ ← θ − α_k v
 *   "plain"     θ ← θ − α_k g
 * α_k = `rate`/(1 + `decay`·k), where k is the number of updates made. Ranks do not become smaller near the minimum, so
 * without decay the distance of θ from the minimum remains about `rate`. `centre` is θ. Invariant under monotone
 * transformations of f. Source: Salimans et al. 2017. Differs: there is no weight decay, and ties share ranks.
 *
 * @throws OptionError unless rate, sigma > 0, decay ≥ 0, pairs ≥ 1
 */
export const openAiEs = defineSearch(
  "openAiEs",
  {
    /** Rate α of the updates, > 0. */
    rate: 0.01,
    /** Standard deviation σ of the points about the centre, in initial steps, > 0. */
    sigma: 0.02,
    /** Number of pairs of points per update, a whole number >= 1. Default 2 + ⌊1.5 ln d⌋. */
    pairs: null as number | null,
    /** Decay of the rate: update k has the rate `rate`/(1 + `decay`·k), >= 0. */
    decay: 0,
    /** Kind of step: "adam", "momentum" or "plain". */
    step: "adam",
  },
  ({ rate, sigma, pairs, decay, step }, { start, stream }) => {
    const count = pairs ?? 2 + Math.floor(1.5 * log(start.length));
    checkRoom("openAiEs", `${count} pairs of points of ${start.length} numbers`, count * (24 * start.length + 384), MOST_OBJECTS);
    const numbers = { batch: 0, power: 1, power2: 1 };
    const arrays = { x: start.slice(), mean: start.map(() => 0), square: start.map(() => 0) };
    const noise = (): Float64Array[] => {
      const draws = stream.at(numbers.batch);
      return Array.from({ length: count }, () => start.map(() => draws.normal()));
    };
    const direction = (gradient: Float64Array): Float64Array => {
      if (step === "plain") return gradient;
      const adam = step === "adam";
      arrays.mean = arrays.mean.map((m, i) => BETA * m + (adam ? 1 - BETA : 1) * gradient[i]);
      if (!adam) return arrays.mean;
      arrays.square = arrays.square.map((v, i) => BETA2 * v + (1 - BETA2) * gradient[i] * gradient[i]);
      numbers.power *= BETA;
      numbers.power2 *= BETA2;
      return arrays.mean.map((m, i) => m / (1 - numbers.power) / (Math.sqrt(arrays.square[i] / (1 - numbers.power2)) + EPSILON));
    };
    return {
      ...keepState({ numbers, arrays }),
      stopped: null,
      propose() {
        const { x } = arrays;
        return noise().flatMap((e) => [x.map((v, i) => v + sigma * e[i]), x.map((v, i) => v - sigma * e[i])]);
      },
      update(_, values) {
        const ranks = centredRanks(values);
        const gradient = start.map(() => 0);
        for (const [j, e] of noise().entries()) {
          const weight = (ranks[2 * j] - ranks[2 * j + 1]) / (2 * count * sigma);
          for (let i = 0; i < e.length; i++) gradient[i] += weight * e[i];
        }
        const alpha = rate / (1 + decay * numbers.batch);
        const along = direction(gradient);
        arrays.x = arrays.x.map((v, i) => v - alpha * along[i]);
        numbers.batch++;
      },
      report: () => ({ rate: rate / (1 + decay * numbers.batch) }),
      centre: () => arrays.x.slice(),
    };
  },
  {
    conformance: { sphere: { options: { rate: 0.05, decay: 1e-3 }, evaluations: 10_000 }, random: true, monotone: true },
    summary: "gradient estimate of a smoothed f from the ranks of many points, then an Adam step",
    source: "Salimans et al. 2017",
    ranges: {
      rate: { low: 0, open: true },
      sigma: { low: 0, open: true },
      pairs: { low: 1, integer: true },
      decay: { low: 0 },
      step: ["adam", "momentum", "plain"],
    },
  },
);
