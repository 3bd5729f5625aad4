import { add, div, mul, pow, sqrt, sub } from "../../compiler/index.ts";
import { notNegative, rule } from "../rule.ts";
import { adamRanges, biasCorrection, firstMoment, secondMoment } from "./moments.ts";

/**
 * NAdam: Adam with Nesterov's look-ahead and a momentum that warms up, μ_t = β₁(1 − 0.96^(ψt)/2).
 *
 * m, v as in Adam; π_t = μ₁…μ_t; p ← p − η ((1 − μ_t) g/(1 − π_t) + μ_{t+1} m/(1 − π_t μ_{t+1}))/(√v̂ + ε).
 * ψ (`momentumDecay`) ≥ 0. λ (`decay`) ≥ 0: decoupled, p ← p − ηλp; for the coupled form, use a chain with
 * weightDecay(). m, v: two floats per parameter; π: one scalar. Source: Dozat 2016. Same as in PyTorch.
 * `rate`: η > 0 (0.002); `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in [0, 1]; `epsilon`: ε >= 0 (1e-8); momentumDecay
 * 0.004 and decay 0 by default.
 */
export const nadam = rule(
  "nadam",
  { rate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentumDecay: 0.004, decay: 0 },
  ({ g, p, t, rate, beta1, beta2, epsilon, momentumDecay, decay }, { m, v }, { product }, options) => {
    const mean = firstMoment(m, g, beta1);
    const squares = secondMoment(v, g, beta2);
    const momentumAt = (at: typeof t) => mul(beta1, sub(1, mul(0.5, pow(0.96, mul(at, momentumDecay)))));
    const mu = momentumAt(t);
    const next = momentumAt(add(t, 1));
    const soFar = mul(product, mu);
    const ahead = add(
      mul(div(mul(rate, sub(1, mu)), sub(1, soFar)), g),
      mul(div(mul(rate, next), sub(1, mul(soFar, next))), mean),
    );
    const root = mul(div(1, sqrt(biasCorrection(beta2, t))), sqrt(squares));
    const step = div(ahead, add(root, epsilon));
    return {
      state: { m: mean, v: squares },
      scalars: { product: soFar },
      step: options.decay === 0 ? step : add(mul(mul(rate, decay), p), step),
    };
  },
  {
    conformance: { convex: { rate: 0.05 } },
    summary: "Adam with Nesterov's look-ahead",
    source: "Dozat 2016",
    ranges: { ...adamRanges, momentumDecay: notNegative, decay: notNegative },
    initial: () => ({ product: 1 }),
  },
);
