import { div, equal, max, min, mul, square, sub, sum, where } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * Polyak's step with a known optimum: η = min((f(p) − f*)/‖g‖², η_max), p ← p − η g.
 *
 * f*: `optimum`, the least value of the loss; η_max: `maximum` > 0. The step is 0 if g = 0 or if the loss is below f*,
 * which happens with a wrong f* or on a lucky batch. A step therefore never goes uphill. The rule has no state, and
 * needs one more pass over the gradient for its norm. With minibatches, f excludes the model's penalty, whereas g
 * includes the penalty's gradient. The rule converges if a single model can fit every row. Otherwise each update moves
 * towards the minimum of its own batch. Source: Polyak 1969; Hazan, Kakade 2019.
 */
export const polyak = rule(
  "polyak",
  { optimum: 0, maximum: 1e6 },
  ({ g, loss, optimum, maximum }) => {
    const squaredNorm = sum(square(g));
    const rate = where(equal(squaredNorm, 0), 0, min(div(max(sub(loss, optimum), 0), squaredNorm), maximum));
    return { step: mul(rate, g) };
  },
  { summary: "rate from the distance of the loss to its known minimum", source: "Polyak 1969", ranges: { maximum: positive } },
);
