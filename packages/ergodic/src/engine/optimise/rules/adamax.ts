import { abs, add, div, max, mul } from "../../compiler/index.ts";
import { rule } from "../rule.ts";
import { adamRanges, biasCorrection, firstMoment } from "./moments.ts";

/**
 * Adamax: m ← β₁ m + (1 − β₁) g, u ← max(β₂ u, |g| + ε), p ← p − η/(1 − β₁ᵗ) · m/u.
 *
 * m, u: two floats per parameter. Source: Kingma, Ba 2015, algorithm 2, with ε inside the maximum as in PyTorch, so
 * that u stays above 0.
 * `rate`: η > 0 (0.002); `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in [0, 1]; `epsilon`: ε >= 0 (1e-8).
 */
export const adamax = rule(
  "adamax",
  { rate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  ({ g, t, rate, beta1, beta2, epsilon }, { m, u }) => {
    const mean = firstMoment(m, g, beta1);
    const largest = max(mul(beta2, u), add(abs(g), epsilon));
    return { state: { m: mean, u: largest }, step: div(mul(div(rate, biasCorrection(beta1, t)), mean), largest) };
  },
  {
    conformance: { convex: { rate: 0.05 } },
    summary: "momentum divided by a decayed maximum of gradients",
    source: "Kingma, Ba 2015",
    ranges: adamRanges,
  },
);
