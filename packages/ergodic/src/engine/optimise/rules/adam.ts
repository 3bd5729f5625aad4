import { add, div, mul, sqrt } from "../../compiler/index.ts";
import { rule } from "../rule.ts";
import { adamRanges, firstMoment, biasCorrection as lacking, secondMoment } from "./moments.ts";

/**
 * Adam: steps along a running mean of gradients, divided by the root of a running mean of their squares.
 *
 *   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
 *   p ← p − η m̂/(√v̂ + ε),   m̂ = m/(1 − β₁ᵗ),   v̂ = v/(1 − β₂ᵗ)
 *
 * m is the mean of gradients, as in momentum. v is the mean of squared gradients, as in RMSProp. Without bias
 * correction, m̂ = m and v̂ = v, and Adam is momentum combined with RMSProp.
 *
 * `rate`: η > 0 (0.001), about the largest change of a parameter per update. `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in
 * [0, 1]. `epsilon`: ε >= 0 (1e-8), outside the root of the corrected v. `biasCorrection`: whether to correct m and v
 * for starting at 0 (true). State: two floats per parameter.
 * Source: Kingma, Ba 2015, algorithm 1. Same as in PyTorch and optax.
 *
 * @throws OptionError for an unknown option or an option out of range
 *
 * @example
 * ```ts
 * await fit(network(mlp([64])), data, { rule: adam({ rate: 0.003 }), epochs: 20 });
 * adam({ rate: cosineDecay({ rate: 0.003, updates: 10_000 }) });   // every number may be a schedule
 * ```
 */
export const adam = rule(
  "adam",
  { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, biasCorrection: true },
  ({ g, t, rate, beta1, beta2, epsilon, biasCorrection }, { m, v }) => {
    const mean = firstMoment(m, g, beta1);
    const squares = secondMoment(v, g, beta2);
    const state = { m: mean, v: squares };
    if (!biasCorrection) return { state, step: div(mul(rate, mean), add(sqrt(squares), epsilon)) };
    const root = mul(div(1, sqrt(lacking(beta2, t))), sqrt(squares));
    return { state, step: div(mul(div(rate, lacking(beta1, t)), mean), add(root, epsilon)) };
  },
  {
    conformance: { convex: { rate: 0.05 } },
    summary: "momentum divided by the root of running squared gradients, both bias-corrected",
    source: "Kingma, Ba 2015",
    ranges: adamRanges,
  },
);
