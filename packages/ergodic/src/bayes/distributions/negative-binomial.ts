import { add, div, lgamma, log1p, mul, type SymbolicArray, toArray } from "../../engine/compiler/index.ts";
import { wholeBoundary } from "../../engine/errors/boundary.ts";
import { betaLower, betaUpper } from "../../engine/numbers/beta-tails.ts";
import { drawGamma } from "../../engine/random/draw-gamma.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { drawPoisson } from "./draw-counts.ts";
import { isCount, minus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const support = () => ({ kind: "integers", low: toArray(0) }) as const;

/** `odds`: 1/β = μ/φ. */
function logMass(x: SymbolicArray, alpha: SymbolicArray, odds: SymbolicArray, inverse: SymbolicArray): SymbolicArray {
  const ways = minus(lgamma(add(x, alpha)), lgamma(alpha), lgamma(add(x, 1)));
  return within(isCount(x), minus(ways, mul(alpha, log1p(odds)), mul(x, log1p(inverse))));
}

const cdfOf = (x: number, alpha: number, beta: number): number =>
  x < 0 ? 0 : betaLower(alpha, Math.floor(x) + 1, beta / (1 + beta), 1 / (1 + beta));
const survivalOf = (x: number, alpha: number, beta: number): number =>
  x < 0 ? 1 : betaUpper(alpha, Math.floor(x) + 1, beta / (1 + beta), 1 / (1 + beta));
const quantileOf = (p: number, alpha: number, beta: number): number =>
  p === 1 ? Infinity : wholeBoundary((k) => cdfOf(k, alpha, beta) >= p);
const draw = (draws: Draws, alpha: number, beta: number): number => drawPoisson(draws, drawGamma(draws, alpha) / beta);

/**
 * Negative binomial, a Poisson with a gamma-distributed mean: P(x) = Γ(x + α)/(Γ(α) x!) · (β/(β + 1))^α · (1/(β + 1))ˣ.
 *
 * x: 0, 1, 2, …. `negativeBinomial(alpha, beta)`: shape and rate of the gamma, both > 0. `negativeBinomialMean(mu,
 * phi)`: mean μ = α/β > 0 and dispersion φ = α > 0, with variance μ + μ²/φ. For α beyond 1e6 the difference of log Γ
 * loses digits.
 *
 * alpha > 0, beta > 0: mean alpha/beta.
 */
export const negativeBinomial: (alpha: Parameter, beta: Parameter) => Distribution = distribution(
  "negativeBinomial",
  { alpha: "positive", beta: "positive" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { alpha, beta }) => logMass(x, alpha, div(1, beta), beta),
    sample: (draws, { alpha, beta }) => draw(draws, alpha, beta),
    cdf: (x, { alpha, beta }) => cdfOf(x, alpha, beta),
    survival: (x, { alpha, beta }) => survivalOf(x, alpha, beta),
    quantile: (p, { alpha, beta }) => quantileOf(p, alpha, beta),
    mean: ({ alpha, beta }) => alpha / beta,
    variance: ({ alpha, beta }) => (alpha / beta) * (1 + 1 / beta),
  },
);

/** Negative binomial by its mean. mu > 0: the mean; phi > 0: the variance is mu + mu²/phi. */
export const negativeBinomialMean: (mu: Parameter, phi: Parameter) => Distribution = distribution(
  "negativeBinomialMean",
  { mu: "positive", phi: "positive" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { mu, phi }) => logMass(x, phi, div(mu, phi), div(phi, mu)),
    sample: (draws, { mu, phi }) => draw(draws, phi, phi / mu),
    cdf: (x, { mu, phi }) => cdfOf(x, phi, phi / mu),
    survival: (x, { mu, phi }) => survivalOf(x, phi, phi / mu),
    quantile: (p, { mu, phi }) => quantileOf(p, phi, phi / mu),
    mean: ({ mu }) => mu,
    variance: ({ mu, phi }) => mu + (mu * mu) / phi,
  },
);
