import { add, div, less, mul, pow, sqrt, sub, where } from "../../compiler/index.ts";
import { notNegative, rule } from "../rule.ts";
import { adamRanges, biasCorrection, firstMoment, secondMoment } from "./moments.ts";

/**
 * RAdam: Adam whose adaptive rate is rectified, and is only used once enough squares have been averaged.
 *
 * ρ∞ = 2/(1 − β₂) − 1, ρ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ). While ρ ≤ 5: p ← p − η m̂; then p ← p − η R m̂ √(1 − β₂ᵗ)/(√v + ε)
 * with R = √((ρ − 4)(ρ − 2)ρ∞/((ρ∞ − 4)(ρ∞ − 2)ρ)). λ (`decay`) ≥ 0: decoupled, p ← p − ηλp in addition; for the
 * coupled form, use a chain with weightDecay(). m, v: two floats per parameter. Source: Liu et al. 2020. As in PyTorch,
 * ε is added before the bias correction of v. Other rules add ε after it.
 * `rate`: η > 0 (0.001); `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in [0, 1]; `epsilon`: ε >= 0 (1e-8); decay 0 by
 * default.
 */
export const radam = rule(
  "radam",
  { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0 },
  ({ g, p, t, rate, beta1, beta2, epsilon, decay }, { m, v }, _, options) => {
    const mean = firstMoment(m, g, beta1);
    const squares = secondMoment(v, g, beta2);
    const correction = biasCorrection(beta2, t);
    const limit = sub(div(2, sub(1, beta2)), 1);
    const length = sub(limit, div(mul(mul(2, t), pow(beta2, t)), correction));
    const rectified = mul(
      sqrt(div(mul(mul(sub(length, 4), sub(length, 2)), limit), mul(mul(sub(limit, 4), sub(limit, 2)), length))),
      sqrt(correction),
    );
    const plain = mul(div(rate, biasCorrection(beta1, t)), mean);
    const step = where(less(5, length), div(mul(rectified, plain), add(sqrt(squares), epsilon)), plain);
    return { state: { m: mean, v: squares }, step: options.decay === 0 ? step : add(mul(mul(rate, decay), p), step) };
  },
  {
    conformance: { convex: { rate: 0.05 } },
    summary: "Adam with a correction while its second moment is inaccurate",
    source: "Liu et al. 2020",
    ranges: { ...adamRanges, decay: notNegative },
  },
);
