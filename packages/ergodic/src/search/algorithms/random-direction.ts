import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { defineSearch, keepState } from "./define-search.ts";

/**
 * Random directions: x ← x − α_k/m Σ_j (f(x + σu_j) − f(x))/σ · u_j, u ~ N(0, I); `antithetic`: (f(x + σu) − f(x −
 * σu))/(2σ).
 *
 * σ: `sigma`, in initial steps. α_k = `rate`/(1 + `decay`·k), where k is the number of updates made. The unit of α is
 * squared initial steps per unit of f, so a good rate depends on the objective. The rate should be at most 1/(4(d +
 * 4)L) if the curvature is L. m: `directions`, the number of directions per update. Each update costs m + 1
 * evaluations, or 2m if it is antithetic. On average, the step is along the gradient of f smoothed by N(0, σ²I). With
 * common random numbers, the noise that both values share cancels. A direction with a failed evaluation is skipped.
 * `centre` is x. If a constant is added to f, only rounding changes. Source: Nesterov, Spokoiny 2017.
 *
 * @throws OptionError unless rate, sigma > 0, decay ≥ 0, directions ≥ 1
 */
export const randomDirection = defineSearch(
  "randomDirection",
  {
    /** Rate α of the updates, in squared initial steps per unit of f, > 0. */
    rate: 0.01,
    /** Length σ of the differences, in initial steps, > 0. */
    sigma: 1e-3,
    /** Decay of the rate: update k has the rate `rate`/(1 + `decay`·k), >= 0. */
    decay: 0,
    /** Number of directions per update, a whole number >= 1. */
    directions: 1,
    /** Whether differences are central, which costs 2 evaluations per direction. */
    antithetic: false,
  },
  ({ rate, sigma, decay, directions, antithetic }, { start, stream }) => {
    const what = `${directions} directions of ${start.length} numbers`;
    checkRoom("randomDirection", what, directions * (24 * start.length + 384), MOST_OBJECTS);
    const numbers = { batch: 0 };
    const arrays = { x: start.slice() };
    const moved = (x: Float64Array, u: Float64Array, by: number) => x.map((v, i) => v + by * u[i]);
    const draw = (): Float64Array[] => {
      const draws = stream.at(numbers.batch);
      return Array.from({ length: directions }, () => start.map(() => draws.normal()));
    };
    return {
      ...keepState({ numbers, arrays }),
      stopped: null,
      propose() {
        const { x } = arrays;
        const ahead = draw().map((u) => moved(x, u, sigma));
        return antithetic ? [...ahead, ...draw().map((u) => moved(x, u, -sigma))] : [x.slice(), ...ahead];
      },
      update(_, values) {
        const us = draw();
        const alpha = rate / (1 + decay * numbers.batch);
        const slopes = us.map((_u, j) =>
          antithetic ? (values[j] - values[directions + j]) / (2 * sigma) : (values[j + 1] - values[0]) / sigma,
        );
        for (const [j, slope] of slopes.entries())
          if (Number.isFinite(slope)) arrays.x = moved(arrays.x, us[j], (-alpha / directions) * slope);
        numbers.batch++;
      },
      report: () => ({ rate: rate / (1 + decay * numbers.batch) }),
      centre: () => arrays.x.slice(),
    };
  },
  {
    conformance: {
      sphere: { options: { rate: 0.03 }, evaluations: 1000 },
      scaled: { options: { rate: 3e-4 }, evaluations: 30_000 },
      random: true,
      kinks: false,
    },
    summary: "step along a random direction, in proportion to the slope of f",
    source: "Nesterov, Spokoiny 2017",
    ranges: {
      rate: { low: 0, open: true },
      sigma: { low: 0, open: true },
      decay: { low: 0 },
      directions: { low: 1, integer: true },
    },
  },
);
