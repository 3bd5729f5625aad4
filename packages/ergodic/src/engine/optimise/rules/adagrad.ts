import { add, div, mul, sqrt, square } from "../../compiler/index.ts";
import { notNegative, positive, rule } from "../rule.ts";

/**
 * AdaGrad, memory-efficient: r ← r + g², p ← p − η g/(√r + ε).
 *
 * η (`rate`) > 0; ε (`epsilon`) ≥ 0; r starts at `initialAccumulator`. r: one float per parameter. The effective rate
 * of a coordinate never increases. Decreasing rates suit convex problems with rare features, but training stalls if the
 * slope changes permanently (see examples/adagrad-stalls.ts).
 * Source: Duchi, Hazan, Singer 2011, diagonal form. examples/two-adagrads.ts stores every gradient instead, and agrees
 * bit for bit in float64. Defaults are PyTorch's (r₀ = 0, ε = 1e-10 outside the root); optax: { initialAccumulator:
 * 0.1, epsilon: 1e-7, epsilonInside: true }.
 * `epsilonInside`: adds ε under the root, √(r + ε), instead of outside it (false). Defaults: rate 0.01, epsilon 1e-10,
 * initialAccumulator 0.
 */
export const adagrad = rule(
  "adagrad",
  { rate: 0.01, epsilon: 1e-10, initialAccumulator: 0, epsilonInside: false },
  ({ g, rate, epsilon, epsilonInside }, { r }) => {
    const total = add(r, square(g));
    const root = epsilonInside ? sqrt(add(total, epsilon)) : add(sqrt(total), epsilon);
    return { state: { r: total }, step: div(mul(rate, g), root) };
  },
  {
    conformance: { convex: { rate: 0.5 } },
    summary: "rate divided by the root of the sum of squared gradients",
    source: "Duchi, Hazan, Singer 2011",
    ranges: { rate: positive, epsilon: notNegative, initialAccumulator: notNegative },
    initial: ({ initialAccumulator }) => ({ r: Number(initialAccumulator) }),
  },
);
