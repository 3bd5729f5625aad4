import { div, equal, max, min, mul, square, sub, sum, where } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * Polyak's step with a known optimum: η = min((f(p) − f*)/‖g‖², η_max), p ← p − η g.
 *
 * f*: `optimum`, the least value of the loss; η_max: `maximum` > 0. If the loss is below f* (a wrong f*, or a lucky
 * batch) or g = 0, the step is 0, so it never goes uphill. No state; one more pass over the gradient for its norm. With
 * minibatches, f excludes the model's penalty but g includes its gradient. The rule converges if one model fits every
 * row; otherwise it keeps moving towards the minimum of each batch. Source: Polyak 1969; Hazan, Kakade 2019.
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
