import { add, div, less, lessEqual, lgamma, log, mul, type SymbolicArray, sub, toArray } from "../../engine/compiler/index.ts";
import { gammaLower, gammaUpper } from "../../engine/numbers/incomplete-gamma.ts";
import { drawGamma } from "../../engine/random/draw-gamma.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { gammaQuantile } from "./tails.ts";
import { minus, plus, timesLog, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const logNormaliser = (shape: SymbolicArray, beta: SymbolicArray): SymbolicArray => sub(mul(shape, log(beta)), lgamma(shape));

/**
 * Gamma: log p(x) = α log β − log Γ(α) + (α − 1) log x − βx on x ≥ 0; inverse gamma, 1/X with X from a gamma with rate
 * β: log p(x) = α log β − log Γ(α) − (α + 1) log x − β/x on x > 0.
 *
 * α (`shape`) > 0. β > 0: `rate` of the gamma (mean α/β), or `scale` of the inverse gamma (mean β/(α − 1)).
 *
 * shape > 0, rate > 0: mean shape/rate.
 *
 * @param shape shape α, > 0
 * @param rate rate β, > 0: the inverse of the scale
 */
export const gamma: (shape: Parameter, rate: Parameter) => Distribution = distribution(
  "gamma",
  { shape: "positive", rate: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity: (x, { shape, rate }) =>
      within(lessEqual(0, x), minus(plus(logNormaliser(shape, rate), timesLog(sub(shape, 1), x)), mul(rate, x))),
    sample: (draws, { shape, rate }) => drawGamma(draws, shape) / rate,
    cdf: (x, { shape, rate }) => gammaLower(shape, x * rate),
    survival: (x, { shape, rate }) => gammaUpper(shape, x * rate),
    quantile: (p, { shape, rate }) => gammaQuantile(p, shape) / rate,
    upperQuantile: (q, { shape, rate }) => gammaQuantile(q, shape, true) / rate,
    mean: ({ shape, rate }) => shape / rate,
    variance: ({ shape, rate }) => shape / rate / rate,
  },
);

/**
 * Inverse gamma. shape > 0, scale > 0: mean scale/(shape − 1) for shape > 1.
 *
 * @param shape shape α, > 0. Moments of order α and above are infinite
 * @param scale scale β, > 0, in units of x
 */
export const inverseGamma: (shape: Parameter, scale: Parameter) => Distribution = distribution(
  "inverseGamma",
  { shape: "positive", scale: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity: (x, { shape, scale }) =>
      within(less(0, x), minus(logNormaliser(shape, scale), mul(add(shape, 1), log(x)), div(scale, x))),
    sample: (draws, { shape, scale }) => scale / drawGamma(draws, shape),
    cdf: (x, { shape, scale }) => (x > 0 ? gammaUpper(shape, scale / x) : 0),
    survival: (x, { shape, scale }) => (x > 0 ? gammaLower(shape, scale / x) : 1),
    quantile: (p, { shape, scale }) => scale / gammaQuantile(p, shape, true),
    upperQuantile: (q, { shape, scale }) => scale / gammaQuantile(q, shape),
    mean: ({ shape, scale }) => (shape > 1 ? scale / (shape - 1) : Infinity),
    variance: ({ shape, scale }) => (shape > 2 ? (scale / (shape - 1)) ** 2 / (shape - 2) : Infinity),
  },
);
