import { add, div, mul, sqrt } from "../../compiler/index.ts";
import { notNegative, rule } from "../rule.ts";
import { adamRanges, biasCorrection, secondMoment } from "./moments.ts";
import { scheduleFreePoint, scheduleFreeUpdate } from "./schedule-free.ts";

/**
 * Schedule-free Adam: equation in schedule-free.ts with u = g/(√v̂ + ε) + λ y, v ← β₂ v + (1 − β₂) g², v̂ = v/(1 −
 * β₂ᵗ).
 *
 * η (`rate`) > 0; β₁ in (0, 1] interpolates (it is not a momentum buffer), β₂ in [0, 1]; ε (`epsilon`) ≥ 0; λ (`decay`)
 * ≥ 0, applied at y. z, v: two floats per parameter, as in Adam. Source: Defazio et al. 2024.
 * `beta1`: β₁ (0.9); `beta2`: β₂ (0.999). Defaults: rate 0.0025, epsilon 1e-8, decay 0.
 */
export const scheduleFreeAdam = rule(
  "scheduleFreeAdam",
  { rate: 0.0025, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0 },
  ({ g, p, t, rate, beta1, beta2, epsilon, decay }, { z, v }, scalars, options) => {
    const squares = secondMoment(v, g, beta2);
    const unit = div(g, add(mul(div(1, sqrt(biasCorrection(beta2, t))), sqrt(squares)), epsilon));
    const u = options.decay === 0 ? unit : add(unit, mul(decay, p));
    const update = scheduleFreeUpdate({ y: p, z, u, rate, beta: beta1 }, scalars);
    return { state: { z: update.z, v: squares }, scalars: update.scalars, step: update.step };
  },
  {
    conformance: { convex: { rate: 0.05 } },
    summary: "Adam with built-in averaging instead of momentum and a schedule",
    source: "Defazio et al. 2024",
    ranges: { ...adamRanges, beta1: { low: 0, high: 1, open: true }, decay: notNegative },
    initial: () => ({ z: "p" }),
    evaluation: ({ p, beta1 }, { z }) => scheduleFreePoint(p, z, beta1),
  },
);
