import { add, mul } from "../../compiler/index.ts";
import { positive, rule, share } from "../rule.ts";

/**
 * Nesterov momentum: v ← μ v + g, p ← p − η (g + μ v).
 *
 * η (`rate`) > 0, μ (`momentum`) in [0, 1]. v: one float per parameter. The gradient is taken at p. After a change of
 * variables, p is the look-ahead point of Nesterov's original form. Source: Nesterov 1983, in the form of Sutskever et
 * al. 2013 and PyTorch.
 */
export const nesterov = rule(
  "nesterov",
  { rate: 0.01, momentum: 0.9 },
  ({ g, rate, momentum }, { v }) => {
    const velocity = add(mul(momentum, v), g);
    return { state: { v: velocity }, step: mul(rate, add(g, mul(momentum, velocity))) };
  },
  {
    conformance: { convex: { rate: 0.1 } },
    summary: "momentum with Nesterov's look-ahead",
    source: "Nesterov 1983",
    ranges: { rate: positive, momentum: share },
  },
);
