import { abs, add, div, equal, max, mul, sqrt, square, sub, sum, where } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";
import { adamRanges } from "./moments.ts";

/**
 * Prodigy: Adam whose rate d is a lower estimate of the distance from the start to the solution.
 *
 *   m ← β₁ m + (1 − β₁) d g, v ← β₂ v + (1 − β₂) d² g², p' = p − η d m/(√v + d ε)
 *   n ← √β₂ n + (1 − √β₂) η d² ⟨g, p₀ − p⟩, s ← √β₂ s + (1 − √β₂) η d² g, d ← max(d, n/‖s‖₁)
 * η (`rate`): 1, or a schedule with maximum 1; d starts at `distance` > 0, a value that is certainly too small. m, v, s
 * and p₀ (`origin`): four floats per parameter, plus two scalars. The sums are over all parameters, so sparse gradients
 * are treated as dense.
 * Source: Mishchenko, Defazio 2024, algorithm 4. The authors' code multiplies n and s by constants that cancel, and
 * multiplies ε by the new d.
 * `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in [0, 1]; `epsilon`: ε >= 0 (1e-8); distance 1e-6 by default.
 */
export const prodigy = rule(
  "prodigy",
  { rate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, distance: 1e-6 },
  ({ g, p, rate, beta1, beta2, epsilon }, { m, v, s, origin }, { d, numerator }) => {
    const mean = add(mul(beta1, m), mul(mul(sub(1, beta1), d), g));
    const squares = add(mul(beta2, v), mul(mul(sub(1, beta2), square(d)), square(g)));
    const keep = sqrt(beta2);
    const weight = mul(sub(1, keep), mul(rate, square(d)));
    const correlation = add(mul(keep, numerator), mul(weight, sum(mul(g, sub(origin, p)))));
    const total = add(mul(keep, s), mul(weight, g));
    const norm = sum(abs(total));
    return {
      state: { m: mean, v: squares, s: total, origin },
      scalars: { d: where(equal(norm, 0), d, max(d, div(correlation, norm))), numerator: correlation },
      step: div(mul(mul(rate, d), mean), add(sqrt(squares), mul(d, epsilon))),
    };
  },
  {
    summary: "Adam that estimates its own rate",
    source: "Mishchenko, Defazio 2024",
    ranges: { ...adamRanges, distance: positive },
    initial: ({ distance }) => ({ origin: "p", d: Number(distance) }),
  },
);
