import { div, log, mul, neg, softplus, sub } from "../../engine/compiler/index.ts";
import { exp as expOf } from "../../engine/numbers/exp.ts";
import { log1p as log1pOf, log as logOf } from "../../engine/numbers/log.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { minus } from "./terms.ts";
import type { Distribution } from "./value.ts";

const lower = (z: number): number => (z < 0 ? expOf(z) / (1 + expOf(z)) : 1 / (1 + expOf(-z)));
const standardQuantile = (p: number): number => logOf(p) - log1pOf(-p);

/**
 * Logistic: log p(x) = −z − 2 log(1 + e^(−z)) − log s, z = (x − μ)/s.
 *
 * μ (`mu`): real, mean and median. s (`scale`) > 0.
 *
 * mu real, scale > 0.
 */
export const logistic: (mu: Parameter, scale: Parameter) => Distribution = distribution(
  "logistic",
  { mu: "real", scale: "positive" },
  {
    kind: "continuous",
    locationScale: { scale: "scale" },
    support: () => ({ kind: "interval" }),
    logDensity(x, { mu, scale }) {
      const z = div(sub(x, mu), scale);
      return minus(neg(z), mul(2, softplus(neg(z))), log(scale));
    },
    logCdf: (x, { mu, scale }) => neg(softplus(div(sub(mu, x), scale))),
    logSurvival: (x, { mu, scale }) => neg(softplus(div(sub(x, mu), scale))),
    // The ratio of two exponentials is distributed like u/(1 − u) for a uniform u, but it is never exactly 0.
    sample: (draws, { mu, scale }) => mu + scale * (logOf(draws.exponential()) - logOf(draws.exponential())),
    cdf: (x, { mu, scale }) => lower((x - mu) / scale),
    survival: (x, { mu, scale }) => lower((mu - x) / scale),
    quantile: (p, { mu, scale }) => mu + scale * standardQuantile(p),
    upperQuantile: (q, { mu, scale }) => mu - scale * standardQuantile(q),
    mean: ({ mu }) => mu,
    variance: ({ scale }) => (Math.PI * scale) ** 2 / 3,
  },
);
