import { along, dot } from "../dense.ts";
import { hostRule, keepState } from "../host-rule.ts";
import { positive } from "../rule.ts";
import { searchNeeds, stay } from "../steepest.ts";

const open = { low: 0, high: 1, open: true };

/**
 * Steepest descent with backtracking: x ← x − α g, where g = ∇f(x). α is reduced until f(x − α g) ≤ f(x) − c α ‖g‖²
 * (Armijo).
 *
 * `c` in (0, 1), default 1e-4. `shrink` in (0, 1), default 0.5: factor by which α is reduced. The first step starts at
 * α = `initial` > 0 (1). Later steps start at twice the last accepted α. Trial points at which the value is NaN or
 * infinite are rejected.
 * State: the last α. Needs the full objective. Source: Armijo 1966.
 * `maxEvaluations`: evaluations of the objective per step, a whole number >= 2 (100); the run ends if no evaluation
 * shows a sufficient decrease.
 */
export const backtracking = hostRule(
  "backtracking",
  { initial: 1, c: 1e-4, shrink: 0.5, maxEvaluations: 100 },
  (options, objective, count) => {
    const { initial, c, shrink, maxEvaluations } = options as Record<keyof typeof options, number>;
    const state = { numbers: { stepSize: initial / 2 }, arrays: {} };
    const gradient = new Float64Array(count);
    const moved = new Float64Array(count);
    return {
      ...keepState(state),
      stateBytes: 0,
      step(x) {
        const loss = objective(x, gradient);
        const squaredNorm = dot(gradient, gradient);
        if (!(squaredNorm > 0)) return stay(loss, squaredNorm, 1);
        let stepSize = 2 * state.numbers.stepSize;
        for (let evaluations = 2; evaluations <= maxEvaluations; evaluations++, stepSize *= shrink) {
          const trial = objective(along(moved, x, -stepSize, gradient), null);
          if (!(trial <= loss - c * stepSize * squaredNorm)) continue;
          x.set(moved);
          state.numbers.stepSize = stepSize;
          return { loss: trial, stepSize, evaluations, stopped: null };
        }
        return { loss, stepSize: 0, evaluations: maxEvaluations, stopped: "no step along −∇f lowers the objective enough" };
      },
    };
  },
  {
    summary: "steepest descent with the step halved until the objective decreases enough",
    source: "Armijo 1966",
    needs: searchNeeds,
    cost: () => ({ floatsPerParameter: 0, perStep: "a gradient and one to three values of the objective" }),
    ranges: { initial: positive, c: open, shrink: open, maxEvaluations: { low: 2, integer: true } },
  },
);
