import { add, div, max, min, mul, square, sum } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * ALI-G: η = min(f_i(p)/(‖g‖² + ε), η_max), p ← p − η g, for models that can fit every row (f_i* = 0).
 *
 * f_i: loss of the batch, ≥ 0; if the loss is negative, the step is 0. η_max: `maximum` > 0; ε (`epsilon`) > 0. No
 * state. With minibatches, f_i excludes the model's penalty, whereas g includes the penalty's gradient.
 * Source: Berrada, Zisserman, Kumar 2020, without its optional momentum.
 */
export const aliG = rule(
  "aliG",
  { maximum: 0.1, epsilon: 1e-5 },
  ({ g, loss, maximum, epsilon }) => ({ step: mul(min(div(max(loss, 0), add(sum(square(g)), epsilon)), maximum), g) }),
  {
    conformance: { convex: { maximum: 1 } },
    summary: "Polyak's rate for models that can fit every row",
    source: "Berrada, Zisserman, Kumar 2020",
    ranges: { maximum: positive, epsilon: positive },
  },
);
