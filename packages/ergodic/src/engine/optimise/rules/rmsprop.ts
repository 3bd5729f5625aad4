import { add, div, max, mul, sqrt, square, sub } from "../../compiler/index.ts";
import { notNegative, positive, rule, share } from "../rule.ts";

/**
 * RMSProp: r ← ρ r + (1 − ρ) g², u = g/(√r + ε), p ← p − η u; with momentum b ← μ b + u and p ← p − η b; centred: m ← m
 * + (1 − ρ)(g − m) and √(r − m²) in place of √r.
 *
 * η (`rate`) > 0; ρ (`rho`), μ (`momentum`) in [0, 1]; ε (`epsilon`) ≥ 0. State: one float per parameter, one more with
 * momentum, and one more if centred. Source: Tieleman, Hinton 2012; centred: Graves 2013. Defaults are PyTorch's (ρ =
 * 0.99, ε = 1e-8 outside the root); optax: { rho: 0.9, epsilonInside: true }. r − m² is kept at or above 0; in PyTorch,
 * rounding can make its root NaN.
 * `centred`: subtracts the squared running mean, r − m² (false); `epsilonInside`: adds ε under the root (false).
 * Defaults: rate 0.01, rho 0.99, momentum 0.
 */
export const rmsprop = rule(
  "rmsprop",
  { rate: 0.01, rho: 0.99, epsilon: 1e-8, momentum: 0, centred: false, epsilonInside: false },
  ({ g, rate, rho, epsilon, momentum, centred, epsilonInside }, states, _, options) => {
    const keep: Record<string, typeof g> = {};
    keep.r = add(mul(rho, states.r), mul(sub(1, rho), square(g)));
    let spread = keep.r;
    if (centred) {
      keep.mean = add(states.mean, mul(sub(1, rho), sub(g, states.mean)));
      spread = max(sub(keep.r, square(keep.mean)), 0);
    }
    const unit = div(g, epsilonInside ? sqrt(add(spread, epsilon)) : add(sqrt(spread), epsilon));
    if (options.momentum === 0) return { state: keep, step: mul(rate, unit) };
    keep.b = add(mul(momentum, states.b), unit);
    return { state: keep, step: mul(rate, keep.b) };
  },
  {
    conformance: { convex: { rate: 0.01 } },
    summary: "rate divided by the root of a running mean of squared gradients",
    source: "Tieleman, Hinton 2012",
    ranges: { rate: positive, rho: share, epsilon: notNegative, momentum: share },
  },
);
