import {
  add,
  div,
  erf as erfOf,
  less,
  lessEqual,
  log,
  mul,
  neg,
  type SymbolicArray,
  square,
  sub,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import { erf } from "../../engine/numbers/error-function.ts";
import { normalQuantile } from "../../engine/numbers/normal-quantile.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { normalCdf } from "./tails.ts";
import { HALF_LOG_TWO_PI, logNormalCdf, minus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

type P = { readonly mu: SymbolicArray; readonly sigma: SymbolicArray };
const score = (x: SymbolicArray, { mu, sigma }: P): SymbolicArray => div(sub(x, mu), sigma);
const logNormal = (z: SymbolicArray, sigma: SymbolicArray): SymbolicArray =>
  minus(mul(-0.5, square(z)), log(sigma), HALF_LOG_TWO_PI);

/**
 * Normal: log p(x) = −½z² − log σ − ½ log 2π, z = (x − μ)/σ; half-normal: the normal with mean 0 restricted to x ≥ 0,
 * with twice the density.
 *
 * x, μ (`mu`): real. σ (`sigma`) > 0: standard deviation. The quantile function of the half-normal has an absolute
 * error of 1e-16 in terms of probability.
 *
 * mu real, sigma > 0: the standard deviation.
 *
 * @param mu mean
 * @param sigma standard deviation, > 0, not the variance
 */
export const normal: (mu: Parameter, sigma: Parameter) => Distribution = distribution(
  "normal",
  { mu: "real", sigma: "positive" },
  {
    kind: "continuous",
    locationScale: { scale: "sigma" },
    support: () => ({ kind: "interval" }),
    logDensity: (x, p) => logNormal(score(x, p), p.sigma),
    logCdf: (x, p) => logNormalCdf(score(x, p)),
    logSurvival: (x, p) => logNormalCdf(neg(score(x, p))),
    sample: (draws, { mu, sigma }) => mu + sigma * draws.normal(),
    cdf: (x, { mu, sigma }) => normalCdf((x - mu) / sigma),
    survival: (x, { mu, sigma }) => normalCdf((mu - x) / sigma),
    quantile: (p, { mu, sigma }) => mu + sigma * normalQuantile(p),
    upperQuantile: (q, { mu, sigma }) => mu - sigma * normalQuantile(q),
    mean: ({ mu }) => mu,
    variance: ({ sigma }) => sigma * sigma,
  },
);

/** Half-normal: |X| with X normal with mean 0. sigma > 0. */
export const halfNormal: (sigma: Parameter) => Distribution = distribution(
  "halfNormal",
  { sigma: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity: (x, { sigma }) => within(lessEqual(0, x), minus(logNormal(div(x, sigma), sigma), -Math.LN2)),
    logCdf: (x, { sigma }) => within(lessEqual(0, x), log(erfOf(mul(Math.SQRT1_2, div(x, sigma))))),
    logSurvival: (x, { sigma }) => where(less(0, x), add(logNormalCdf(neg(div(x, sigma))), Math.LN2), 0),
    sample: (draws, { sigma }) => sigma * Math.abs(draws.normal()),
    cdf: (x, { sigma }) => (x > 0 ? erf((x / sigma) * Math.SQRT1_2) : 0),
    survival: (x, { sigma }) => (x > 0 ? 2 * normalCdf(-x / sigma) : 1),
    quantile: (p, { sigma }) => sigma * normalQuantile((1 + p) / 2),
    upperQuantile: (q, { sigma }) => -sigma * normalQuantile(q / 2),
    mean: ({ sigma }) => sigma * Math.sqrt(2 / Math.PI),
    variance: ({ sigma }) => sigma * sigma * (1 - 2 / Math.PI),
  },
);
