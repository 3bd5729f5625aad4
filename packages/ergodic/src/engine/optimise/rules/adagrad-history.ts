import { OptionError } from "../../errors/errors.ts";
import { hostRule, keepState } from "../host-rule.ts";
import type { HostReport } from "../kinds.ts";
import { notNegative, positive } from "../rule.ts";
import { stay } from "../steepest.ts";

/**
 * AdaGrad as in the textbook: every past gradient is kept, and the step divides by the root of their squares' sum.
 *
 *   p_i ← p_i − η g_{T,i} / (√(Σ_{t ≤ T} g_{t,i}²) + ε)
 * η (`rate`) > 0, ε (`epsilon`) ≥ 0. For demonstration: after T steps it holds 8T bytes a parameter and spends T operations a
 * parameter a step, to compute what `adagrad` computes with 8 bytes and one operation. In float64 both give the same bits, as both sum
 * from the oldest gradient on. `limit` bounds the history: past it the rule stops rather than fill the memory.
 * Source: Duchi, Hazan, Singer 2011, with the full history of its proof.
 */
export const adagradHistory = hostRule(
  "adagradHistory",
  { rate: 0.01, epsilon: 1e-10, limit: 100_000 },
  (options, objective, count) => {
    const { rate, epsilon, limit } = options as Record<keyof typeof options, number>;
    const state = { numbers: {}, arrays: { gradients: [] as Float64Array[] } };
    const kept = keepState(state);
    return {
      ...kept,
      get stateBytes() {
        return kept.stateBytes;
      },
      step(x): HostReport {
        const history = state.arrays.gradients;
        if (history.length >= limit) {
          const held = `${history.length} gradients of ${count} numbers are held (${kept.stateBytes} bytes)`;
          throw new OptionError(
            "adagradHistory",
            `${held}, its limit; use adagrad(), which needs one number a parameter`,
            "RULE_HISTORY",
          );
        }
        const gradient = new Float64Array(count);
        const loss = objective(x, gradient);
        if (gradient.every((g) => g === 0)) return stay(loss, 0, 1);
        history.push(gradient);
        for (let i = 0; i < count; i++) {
          let sum = 0;
          for (const past of history) sum += past[i] * past[i];
          x[i] -= (rate * gradient[i]) / (Math.sqrt(sum) + epsilon);
        }
        return { loss, lossBefore: true, stepSize: rate, evaluations: 1, stopped: null };
      },
    };
  },
  {
    summary: "AdaGrad with every past gradient kept, for demonstration",
    source: "Duchi, Hazan, Singer 2011",
    needs: () => "it keeps one gradient of every parameter for each step; use adagrad()",
    cost: () => ({
      floatsPerParameter: null,
      perStep: "a gradient of the objective; one float and 2 operations a parameter more at each step",
    }),
    ranges: { rate: positive, epsilon: notNegative, limit: { low: 1, integer: true } },
  },
);
