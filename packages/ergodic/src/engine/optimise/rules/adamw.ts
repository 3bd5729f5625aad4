import { add, div, max, mul, sqrt } from "../../compiler/index.ts";
import { notNegative, rule } from "../rule.ts";
import { adamRanges, biasCorrection, firstMoment, secondMoment } from "./moments.ts";

/**
 * AdamW: Adam with decoupled weight decay, p ← p − η λ p − η m̂/(√v̂ + ε).
 *
 * λ (`decay`) ≥ 0; everything else as in Adam. m, v: two floats per parameter; with `amsgrad`, one more for the maximum
 * of v. The decay acts on a coordinate at every step, so a sparse update, which changes only touched coordinates, is
 * lazy. Source: Loshchilov, Hutter 2019. λ = 1e-2 as in PyTorch; optax: 1e-4. As in PyTorch and optax, the decay is
 * multiplied by the rate. `rate`: η > 0 (0.001); `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in [0, 1]; `epsilon`: ε >= 0
 * (1e-8).
 */
export const adamw = rule(
  "adamw",
  { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01, amsgrad: false },
  ({ g, p, t, rate, beta1, beta2, epsilon, decay, amsgrad }, states) => {
    const m = firstMoment(states.m, g, beta1);
    const v = secondMoment(states.v, g, beta2);
    const peak = amsgrad ? max(states.peak, v) : v;
    const root = mul(div(1, sqrt(biasCorrection(beta2, t))), sqrt(peak));
    const adam = div(mul(div(rate, biasCorrection(beta1, t)), m), add(root, epsilon));
    return { state: { m, v, peak: amsgrad ? peak : undefined }, step: add(mul(mul(rate, decay), p), adam) };
  },
  {
    conformance: { convex: { rate: 0.05, decay: 0 } },
    summary: "Adam with decoupled weight decay",
    source: "Loshchilov, Hutter 2019",
    ranges: { ...adamRanges, decay: notNegative },
  },
);
