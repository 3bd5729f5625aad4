import { along, dot } from "../dense.ts";
import { hostRule, keepState } from "../host-rule.ts";
import type { HostReport, Objective } from "../kinds.ts";
import { minimiseLine } from "../line-minimum.ts";
import { positive } from "../rule.ts";
import { searchNeeds, stay } from "../steepest.ts";

/**
 * Steepest descent with exact line search: x ← x − α ∇f(x), α = argmin over α > 0 of f(x − α ∇f(x)).
 *
 * If the objective offers curvature (quadratics), α = ‖g‖²/(gᵀ∇²f g). Otherwise, a bracket is found by growing or
 * shrinking the last α by the golden ratio. Brent's parabolic interpolation then finds α with the relative error
 * `tolerance`. Values that are NaN or infinite count as too high. State: the last α. Needs the full objective. A step
 * takes a gradient and, without curvature, 10 to 30 values (18 is usual). Each is a pass over all data. On an
 * ill-conditioned quadratic, steps zigzag, and each step shrinks f − f* only by the factor ((κ − 1)/(κ + 1))². Source:
 * Cauchy 1847; Brent 1973.
 * `initial`: the first α > 0 (1); `tolerance` > 0 (1e-8); `maxEvaluations`: values of the objective per step, a whole
 * number >= 5 (60).
 */
export const exactLineSearch = hostRule(
  "exactLineSearch",
  { initial: 1, tolerance: 1e-8, maxEvaluations: 60 },
  (options, objective, count) => {
    const state = { numbers: { stepSize: Number(options.initial) }, arrays: {} };
    const gradient = new Float64Array(count);
    const moved = new Float64Array(count);
    return {
      ...keepState(state),
      stateBytes: 0,
      step(x): HostReport {
        const loss = objective(x, gradient);
        const squaredNorm = dot(gradient, gradient);
        if (!(squaredNorm > 0)) return stay(loss, squaredNorm, 1);
        const value = (stepSize: number) => objective(along(moved, x, -stepSize, gradient), null);
        const found =
          closedForm(objective, x, gradient, squaredNorm) ?? minimiseLine(value, loss, state.numbers.stepSize, options);
        if (!(found.stepSize > 0))
          return { loss, stepSize: 0, evaluations: 1 + found.evaluations, stopped: "no lower point along −∇f" };
        state.numbers.stepSize = found.stepSize;
        x.set(along(moved, x, -found.stepSize, gradient));
        const known = Number.isNaN(found.loss) ? { loss: objective(x, null), more: 1 } : { loss: found.loss, more: 0 };
        return { loss: known.loss, stepSize: found.stepSize, evaluations: 1 + found.evaluations + known.more, stopped: null };
      },
    };
  },
  {
    summary: "steepest descent with an exact line search",
    source: "Cauchy 1847; Brent 1973",
    needs: searchNeeds,
    cost: () => ({ floatsPerParameter: 0, perStep: "a gradient and 10 to 30 values of the objective" }),
    ranges: { initial: positive, tolerance: positive, maxEvaluations: { low: 5, integer: true } },
  },
);

/**
 * Returns the step in closed form, or null if the curvature is not positive. The step's loss is NaN, because no value
 * was computed.
 */
function closedForm(objective: Objective, x: Float64Array, g: Float64Array, squaredNorm: number) {
  const bend = objective.curvature?.(x, g);
  return bend !== undefined && bend > 0 ? { stepSize: squaredNorm / bend, loss: Number.NaN, evaluations: 0 } : null;
}
