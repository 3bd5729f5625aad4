import { add, mul } from "../../compiler/index.ts";
import { notNegative, rule } from "../rule.ts";

/**
 * Weight decay, a transformation: g ← g + λ p, the gradient of λ‖p‖²/2.
 *
 * λ (`decay`) ≥ 0. No state. In front of another rule in a chain, this is coupled weight decay, like PyTorch's
 * weight_decay option: chain(weightDecay({ decay: 0.01 }), adam()). Weight decay acts on every coordinate, including
 * the intercept, which a model's `l2` option excludes.
 */
export const weightDecay = rule("weightDecay", { decay: 1e-4 }, ({ g, p, decay }) => ({ step: add(g, mul(decay, p)) }), {
  link: true,
  conformance: { convex: { decay: 1e-6 }, link: "first" },
  summary: "transformation: adds the gradient of an L2 penalty",
  source: "Krogh, Hertz 1991",
  ranges: { decay: notNegative },
});
