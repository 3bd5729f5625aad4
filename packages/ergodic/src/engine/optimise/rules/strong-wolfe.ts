import { absoluteSum, addScaled, dot, largest, negated } from "../dense.ts";
import { hostRule, keepState } from "../host-rule.ts";
import { searchNeeds, stay } from "../steepest.ts";
import { along, made, strongWolfe as searchLine, wolfeDefaults } from "../wolfe.ts";

const open = { low: 0, high: 1, open: true };

/**
 * Steepest descent with a strong Wolfe line search: x ← x − α ∇f(x). α is accepted when f decreases enough (c₁) and the
 * slope flattens enough (c₂).
 *
 * 0 < c₁ < c₂ < 1. The first trial of a step is the last α. In the very first step, the first trial is min(1, 1/‖g‖₁).
 * State: the last α. The rule needs the full objective, because each trial computes a value and a gradient. The search
 * is in wolfe.ts, which L-BFGS shares. Source: Nocedal, Wright 2006, algorithms 3.5 and 3.6.
 * `c1`: c₁ in (0, 1) (1e-4); `c2`: c₂ in (0, 1) (0.9); `maxEvaluations`: trials per step, a whole number >= 2 (25).
 */
export const strongWolfe = hostRule(
  "strongWolfe",
  { c1: 1e-4, c2: 0.9, maxEvaluations: 25 },
  (options, objective, count) => {
    const { c1, c2, maxEvaluations } = options as Record<keyof typeof options, number>;
    const state = { numbers: { stepSize: 0 }, arrays: {} };
    const gradient = new Float64Array(count);
    return {
      ...keepState(state),
      stateBytes: 0,
      step(x) {
        return made(this.steps!(x), objective);
      },
      *steps(x) {
        const loss = yield { x, gradient };
        const slope = -dot(gradient, gradient);
        if (!(slope < 0)) return stay(loss, -slope, 1);
        const direction = negated(gradient);
        const first = state.numbers.stepSize || Math.min(1, 1 / absoluteSum(gradient));
        const start = { stepSize: 0, loss, slope, gradient };
        const search = { ...wolfeDefaults, c1, c2, maxEvaluations };
        const { point, evaluations } = yield* along(x, direction, searchLine(start, first, largest(direction), search));
        if (point.stepSize > 0) state.numbers.stepSize = point.stepSize;
        addScaled(x, point.stepSize, direction);
        const stopped = point.stepSize > 0 ? null : "no step along −∇f lowers the objective enough";
        return { loss: point.loss, stepSize: point.stepSize, evaluations: evaluations + 1, stopped };
      },
    };
  },
  {
    summary: "steepest descent with a line search for the strong Wolfe conditions",
    source: "Nocedal, Wright 2006",
    needs: searchNeeds,
    cost: () => ({ floatsPerParameter: 0, perStep: "two or three gradients of the objective" }),
    ranges: { c1: open, c2: open, maxEvaluations: { low: 2, integer: true } },
  },
);
