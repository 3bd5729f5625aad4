import { mul } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * Stochastic gradient descent: p ← p − η g.
 *
 * η (`rate`): > 0, a number or a schedule over updates. For convex f with curvature at most L, the iterates converge
 * for η < 2/L if gradients have no noise. With noise, they converge for Σ η_t = ∞ and Σ η_t² < ∞. Source: Robbins,
 * Monro 1951. Same as in other libraries.
 */
export const sgd = rule("sgd", { rate: 0.01 }, ({ g, rate }) => ({ step: mul(rate, g) }), {
  conformance: { convex: { rate: 0.5 } },
  summary: "gradient times a fixed or scheduled rate",
  source: "Robbins, Monro 1951",
  ranges: { rate: positive },
});
