import { div, equal, less, max, min, mul, pow, square, sub, sum, where } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * SPS_max, a stochastic Polyak step: η = min((f_i(p) − f_i*)/(c‖g‖²), γ), p ← p − η g.
 *
 * f_i: loss of the batch; f_i*: `optimum`, a lower bound on the smallest possible loss of a batch (0 for most losses);
 * c > 0, 0.5 for convex and 1 for strongly convex problems; γ: `maximum`. With `smoothing`, γ is 2^(1/epochUpdates) ·
 * (the last positive η) from the second update onwards, so that a lucky batch cannot cause a large jump. With
 * minibatches, f_i excludes the model's penalty but g includes its gradient. One scalar of state. Source: Loizou et al.
 * 2021.
 * Defaults: optimum 0, `c` 0.5, maximum 1 (> 0), smoothing true.
 */
export const spsMax = rule(
  "spsMax",
  { optimum: 0, c: 0.5, maximum: 1, smoothing: true },
  ({ g, t, loss, epochUpdates, optimum, c, maximum, smoothing }, _, { previous }) => {
    const squaredNorm = sum(square(g));
    const cap = smoothing ? where(equal(t, 1), maximum, mul(pow(2, div(1, epochUpdates)), previous)) : maximum;
    const rate = where(equal(squaredNorm, 0), 0, min(div(max(sub(loss, optimum), 0), mul(c, squaredNorm)), cap));
    const kept = where(less(0, rate), rate, where(equal(t, 1), maximum, previous));
    return { scalars: { previous: smoothing ? kept : undefined }, step: mul(rate, g) };
  },
  {
    conformance: { scaled: { maximum: 1000 } },
    summary: "Polyak's rate for a batch, with an upper bound",
    source: "Loizou et al. 2021",
    ranges: { c: positive, maximum: positive },
  },
);
