import { add, equal, mul, sub, where } from "../../compiler/index.ts";
import { positive, rule, share } from "../rule.ts";

/**
 * Heavy-ball momentum: v ← μ v + (1 − τ) g, p ← p − η v; the first v is g.
 *
 * η (`rate`) > 0, μ (`momentum`) and τ (`dampening`) in [0, 1]. v: one float per parameter.
 * Source: Polyak 1964. As in PyTorch, dampening is skipped in the first step. The rate is not part of v, so that a
 * change of η acts immediately. Textbooks include the rate in v, which is equivalent if the rate is fixed.
 */
export const momentum = rule(
  "momentum",
  { rate: 0.01, momentum: 0.9, dampening: 0 },
  ({ g, t, rate, momentum: mu, dampening }, { v }, _, options) => {
    const gain = options.dampening === 0 ? 1 : where(equal(t, 1), 1, sub(1, dampening));
    const velocity = add(mul(mu, v), mul(gain, g));
    return { state: { v: velocity }, step: mul(rate, velocity) };
  },
  {
    conformance: { convex: { rate: 0.1 } },
    summary: "heavy-ball momentum",
    source: "Polyak 1964",
    ranges: { rate: positive, momentum: share, dampening: share },
  },
);
