import { add, div, mul, sqrt } from "../../../compiler/index.ts";
import { rule } from "../rule.ts";
import { adamRanges, biasCorrection, firstMoment, secondMoment } from "./moments.ts";

/**
 * Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − η m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).
 *
 * η (`rate`) > 0; β₁, β₂ in [0, 1]; ε (`epsilon`) ≥ 0, outside the root of the corrected v. m, v: two floats a parameter.
 * Source: Kingma, Ba 2015, algorithm 1. Differs from PyTorch and optax: nothing.
 */
export const adam = rule(
  "adam",
  { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ({ g, t, rate, beta1, beta2, epsilon }, { m, v }) => {
    const mean = firstMoment(m, g, beta1);
    const squares = secondMoment(v, g, beta2);
    const root = mul(div(1, sqrt(biasCorrection(beta2, t))), sqrt(squares));
    return { state: { m: mean, v: squares }, step: div(mul(div(rate, biasCorrection(beta1, t)), mean), add(root, epsilon)) };
  },
  { summary: "momentum over the root of running squares, both bias-corrected", source: "Kingma, Ba 2015", ranges: adamRanges },
);
