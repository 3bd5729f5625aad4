import { add, div, min, mul, sqrt, square, sum } from "../../compiler/index.ts";
import { notNegative, positive, rule } from "../rule.ts";

/**
 * Clipping by norm, a transformation: g ← g · min(1, c/(‖g‖ + ε)).
 *
 * c (`norm`) > 0; ε (`epsilon`) ≥ 0: 1e-6 as in PyTorch's clip_grad_norm_, 0 as in optax. No state; one pass for the
 * norm. Use: chain(clipNorm({ norm: 1 }), adam()). Source: Pascanu, Mikolov, Bengio 2013.
 */
export const clipNorm = rule(
  "clipNorm",
  { norm: 1, epsilon: 1e-6 },
  ({ g, norm, epsilon }) => ({ step: mul(min(1, div(norm, add(sqrt(sum(square(g))), epsilon))), g) }),
  {
    link: true,
    conformance: { convex: { norm: 10 }, link: "first" },
    summary: "transformation: scales the gradient to at most a given norm",
    source: "Pascanu, Mikolov, Bengio 2013",
    ranges: { norm: positive, epsilon: notNegative },
  },
);
