import { add, div, max, mul, sqrt } from "../../compiler/index.ts";
import { rule } from "../rule.ts";
import { adamRanges, biasCorrection, firstMoment, secondMoment } from "./moments.ts";

/**
 * AMSGrad: Adam with v̂ replaced by its maximum so far, so that the rate of a coordinate never increases.
 *
 * m, v as in Adam; peak ← max(peak, v); p ← p − η m̂/(√(peak/(1 − β₂ᵗ)) + ε). m, v, peak: three floats per parameter.
 * Source: Reddi, Kale, Kumar 2018. PyTorch (the default here) takes the maximum before the bias correction. optax takes
 * the maximum of corrected values: { corrected: true }.
 * `rate`: η > 0 (0.001); `beta1`, `beta2`: β₁ (0.9), β₂ (0.999), in [0, 1]; `epsilon`: ε >= 0 (1e-8); `corrected`:
 * takes the maximum after the bias correction (false).
 */
export const amsgrad = rule(
  "amsgrad",
  { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, corrected: false },
  ({ g, t, rate, beta1, beta2, epsilon, corrected }, { m, v, peak }) => {
    const mean = firstMoment(m, g, beta1);
    const squares = secondMoment(v, g, beta2);
    const correction = div(1, biasCorrection(beta2, t));
    const highest = max(peak, corrected ? mul(correction, squares) : squares);
    const root = corrected ? sqrt(highest) : mul(sqrt(correction), sqrt(highest));
    return {
      state: { m: mean, v: squares, peak: highest },
      step: div(mul(div(rate, biasCorrection(beta1, t)), mean), add(root, epsilon)),
    };
  },
  {
    conformance: { convex: { rate: 0.05 } },
    summary: "Adam whose rate for each coordinate never increases",
    source: "Reddi, Kale, Kumar 2018",
    ranges: adamRanges,
  },
);
