import { add, div, mul, sqrt, square, sub } from "../../compiler/index.ts";
import { positive, rule, share } from "../rule.ts";

/**
 * AdaDelta: r ← ρ r + (1 − ρ) g², Δ = √(s + ε)/√(r + ε) · g, s ← ρ s + (1 − ρ) Δ², p ← p − η Δ.
 *
 * η (`rate`) > 0, 1 in the paper; ρ (`rho`) in [0, 1]; ε (`epsilon`) > 0 determines the size of the first steps. r, s:
 * two floats per parameter; s averages the unscaled Δ². Source: Zeiler 2012. Same as in PyTorch and optax.
 */
export const adadelta = rule(
  "adadelta",
  { rate: 1, rho: 0.9, epsilon: 1e-6 },
  ({ g, rate, rho, epsilon }, { r, s }) => {
    const squares = add(mul(rho, r), mul(sub(1, rho), square(g)));
    const delta = mul(div(sqrt(add(s, epsilon)), sqrt(add(squares, epsilon))), g);
    return {
      state: { r: squares, s: add(mul(rho, s), mul(sub(1, rho), square(delta))) },
      step: mul(rate, delta),
    };
  },
  {
    conformance: { convex: { epsilon: 1e-4 } },
    summary: "rate from the root mean squares of past steps and gradients",
    source: "Zeiler 2012",
    ranges: { rate: positive, rho: share, epsilon: positive },
  },
);
