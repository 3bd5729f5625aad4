import { abs, add, div, exp, less, log, log1p, mul, neg, type SymbolicArray, sub, where } from "../../engine/compiler/index.ts";
import { exp as expOf } from "../../engine/numbers/exp.ts";
import { log as logOf } from "../../engine/numbers/log.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { minus } from "./terms.ts";
import type { Distribution } from "./value.ts";

const lower = (z: number): number => (z < 0 ? 0.5 * expOf(z) : 1 - 0.5 * expOf(-z));
const logLower = (z: SymbolicArray): SymbolicArray => where(less(z, 0), add(z, -Math.LN2), log1p(mul(-0.5, exp(neg(abs(z))))));
const standardQuantile = (p: number): number => (p < 0.5 ? logOf(2 * p) : -logOf(2 * (1 - p)));

/**
 * Laplace: log p(x) = −|x − μ|/b − log 2b.
 *
 * μ (`mu`): real, mean and median. b (`scale`) > 0. At x = μ the gradient of |x − μ| is taken as zero.
 *
 * mu real, scale > 0.
 */
export const laplace: (mu: Parameter, scale: Parameter) => Distribution = distribution(
  "laplace",
  { mu: "real", scale: "positive" },
  {
    kind: "continuous",
    locationScale: { scale: "scale" },
    support: () => ({ kind: "interval" }),
    logDensity: (x, { mu, scale }) => minus(neg(div(abs(sub(x, mu)), scale)), log(scale), Math.LN2),
    logCdf: (x, { mu, scale }) => logLower(div(sub(x, mu), scale)),
    logSurvival: (x, { mu, scale }) => logLower(div(sub(mu, x), scale)),
    sample: (draws, { mu, scale }) => mu + scale * (draws.exponential() - draws.exponential()),
    cdf: (x, { mu, scale }) => lower((x - mu) / scale),
    survival: (x, { mu, scale }) => lower((mu - x) / scale),
    quantile: (p, { mu, scale }) => mu + scale * standardQuantile(p),
    upperQuantile: (q, { mu, scale }) => mu - scale * standardQuantile(q),
    mean: ({ mu }) => mu,
    variance: ({ scale }) => 2 * scale * scale,
  },
);
