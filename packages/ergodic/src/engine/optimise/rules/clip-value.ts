import { max, min, neg } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * Clipping by value, a transformation: g ← min(max(g, −c), c), for each coordinate separately.
 *
 * c (`value`) > 0. No state. Use: chain(clipValue({ value: 5 }), sgd()). Same as PyTorch's clip_grad_value_.
 */
export const clipValue = rule("clipValue", { value: 1 }, ({ g, value }) => ({ step: min(max(g, neg(value)), value) }), {
  link: true,
  conformance: { convex: { value: 10 }, link: "first" },
  summary: "transformation: limits each coordinate of the gradient",
  source: "PyTorch, clip_grad_value_",
  ranges: { value: positive },
});
