import { add, mul, sign, sub } from "../../compiler/index.ts";
import { notNegative, positive, rule, share } from "../rule.ts";

/**
 * Lion: p ← p − η (sign(β₁ m + (1 − β₁) g) + λ p), then m ← β₂ m + (1 − β₂) g.
 *
 * η (`rate`) > 0 is the distance that every coordinate moves; β₁, β₂ in [0, 1]; λ (`decay`) ≥ 0, decoupled. m: one
 * float per parameter.
 * Source: Chen et al. 2023, algorithm 2. Same as in optax.
 * `rate`: η (0.0001); `beta1`, `beta2`: β₁ (0.9), β₂ (0.99); `decay`: λ (0).
 */
export const lion = rule(
  "lion",
  { rate: 0.0001, beta1: 0.9, beta2: 0.99, decay: 0 },
  ({ g, p, rate, beta1, beta2, decay }, { m }, _, options) => {
    const direction = sign(add(mul(beta1, m), mul(sub(1, beta1), g)));
    return {
      state: { m: add(mul(beta2, m), mul(sub(1, beta2), g)) },
      step: mul(rate, options.decay === 0 ? direction : add(direction, mul(decay, p))),
    };
  },
  {
    conformance: { convex: { rate: 0.005 } },
    summary: "sign of the momentum interpolated with the gradient",
    source: "Chen et al. 2023",
    ranges: { rate: positive, beta1: share, beta2: share, decay: notNegative },
  },
);
