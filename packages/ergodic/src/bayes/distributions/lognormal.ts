import { div, less, log, max, mul, neg, type SymbolicArray, square, sub, toArray, where } from "../../engine/compiler/index.ts";
import { exp, expm1 as expm1Of } from "../../engine/numbers/exp.ts";
import { log as logOf } from "../../engine/numbers/log.ts";
import { normalQuantile } from "../../engine/numbers/normal-quantile.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { normalCdf } from "./tails.ts";
import { HALF_LOG_TWO_PI, logNormalCdf, minus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

type P = { readonly mu: SymbolicArray; readonly sigma: SymbolicArray };
/** Standardised log x. For x <= 0, the smallest positive number replaces x. */
const score = (x: SymbolicArray, { mu, sigma }: P): SymbolicArray => div(sub(log(max(x, Number.MIN_VALUE)), mu), sigma);

/**
 * Lognormal: log x is normal: log p(x) = −½z² − log σ − log x − ½ log 2π on x > 0, z = (log x − μ)/σ.
 *
 * μ (`mu`): real, mean of log x. σ (`sigma`) > 0: standard deviation of log x.
 *
 * mu real, sigma > 0: mean and standard deviation of log x.
 *
 * @param mu mean of log x
 * @param sigma standard deviation of log x, > 0
 */
export const lognormal: (mu: Parameter, sigma: Parameter) => Distribution = distribution(
  "lognormal",
  { mu: "real", sigma: "positive" },
  {
    kind: "continuous",
    locationScale: { scale: "sigma", log: true },
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity(x, { mu, sigma }) {
      const logX = log(x);
      const z = div(sub(logX, mu), sigma);
      return within(less(0, x), minus(mul(-0.5, square(z)), log(sigma), logX, HALF_LOG_TWO_PI));
    },
    logCdf: (x, p) => within(less(0, x), logNormalCdf(score(x, p))),
    logSurvival: (x, p) => where(less(0, x), logNormalCdf(neg(score(x, p))), 0),
    sample: (draws, { mu, sigma }) => exp(mu + sigma * draws.normal()),
    cdf: (x, { mu, sigma }) => (x > 0 ? normalCdf((logOf(x) - mu) / sigma) : 0),
    survival: (x, { mu, sigma }) => (x > 0 ? normalCdf((mu - logOf(x)) / sigma) : 1),
    quantile: (p, { mu, sigma }) => exp(mu + sigma * normalQuantile(p)),
    upperQuantile: (q, { mu, sigma }) => exp(mu - sigma * normalQuantile(q)),
    mean: ({ mu, sigma }) => exp(mu + (sigma * sigma) / 2),
    variance: ({ mu, sigma }) => expm1Of(sigma * sigma) * exp(2 * mu + sigma * sigma),
  },
);
