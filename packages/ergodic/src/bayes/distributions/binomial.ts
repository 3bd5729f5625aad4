import { add, and, lessEqual, mul, neg, type SymbolicArray, softplus, sub, toArray } from "../../engine/compiler/index.ts";
import { wholeBoundary } from "../../engine/errors/boundary.ts";
import { betaLower, betaUpper } from "../../engine/numbers/beta-tails.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { drawBeta } from "../../engine/random/draw-gamma.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { drawBinomial } from "./draw-counts.ts";
import { isCount, logBeta, logChoose, minus, plus, timesLog, timesLog1p, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const valid = (x: SymbolicArray, trials: SymbolicArray): SymbolicArray => and(isCount(x), lessEqual(x, trials));
const support = ({ trials }: { readonly trials: SymbolicArray }) =>
  ({ kind: "integers", low: toArray(0), high: trials }) as const;
const sigmoid = (x: number): number => 1 / (1 + exp(-x));

function cdfOf(x: number, n: number, p: number): number {
  const k = Math.floor(x);
  return k < 0 ? 0 : k >= n ? 1 : betaLower(n - k, k + 1, 1 - p, p);
}
function survivalOf(x: number, n: number, p: number): number {
  const k = Math.floor(x);
  return k < 0 ? 1 : k >= n ? 0 : betaUpper(n - k, k + 1, 1 - p, p);
}
const quantileOf = (u: number, n: number, p: number): number => wholeBoundary((k) => k >= n || cdfOf(k, n, p) >= u);

/**
 * Binomial: P(x) = C(n, x) pˣ(1 − p)^(n−x); with logit η: log C(n, x) + xη − n log(1 + e^η). Beta-binomial, with p
 * drawn from a beta: P(x) = C(n, x) B(x + a, n − x + b)/B(a, b).
 *
 * x: 0 … n. n (`trials`): a whole number >= 0. p (`probability`) in [0, 1], η (`logit`) real; a (`alpha`), b (`beta`) >
 * 0.
 *
 * trials: a count, probability in [0, 1].
 *
 * @param trials number of trials, a whole number >= 0
 * @param probability probability of success in each trial, in [0, 1]
 */
export const binomial: (trials: Parameter, probability: Parameter) => Distribution = distribution(
  "binomial",
  { trials: "count", probability: "probability" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { trials, probability }) =>
      within(
        valid(x, trials),
        plus(logChoose(trials, x), timesLog(x, probability), timesLog1p(sub(trials, x), neg(probability))),
      ),
    sample: (draws, { trials, probability }) => drawBinomial(draws, trials, probability),
    cdf: (x, { trials, probability }) => cdfOf(x, trials, probability),
    survival: (x, { trials, probability }) => survivalOf(x, trials, probability),
    quantile: (p, { trials, probability }) => quantileOf(p, trials, probability),
    mean: ({ trials, probability }) => trials * probability,
    variance: ({ trials, probability }) => trials * probability * (1 - probability),
  },
);

/** Binomial by its logit. trials: a count, logit real. */
export const binomialLogit: (trials: Parameter, logit: Parameter) => Distribution = distribution(
  "binomialLogit",
  { trials: "count", logit: "real" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { trials, logit }) =>
      within(valid(x, trials), minus(plus(logChoose(trials, x), mul(x, logit)), mul(trials, softplus(logit)))),
    sample: (draws, { trials, logit }) => drawBinomial(draws, trials, sigmoid(logit)),
    cdf: (x, { trials, logit }) => cdfOf(x, trials, sigmoid(logit)),
    survival: (x, { trials, logit }) => survivalOf(x, trials, sigmoid(logit)),
    quantile: (p, { trials, logit }) => quantileOf(p, trials, sigmoid(logit)),
    mean: ({ trials, logit }) => trials * sigmoid(logit),
    variance: ({ trials, logit }) => trials * sigmoid(logit) * sigmoid(-logit),
  },
);

/** Beta-binomial. trials: a count, alpha > 0, beta > 0. */
export const betaBinomial: (trials: Parameter, alpha: Parameter, beta: Parameter) => Distribution = distribution(
  "betaBinomial",
  { trials: "count", alpha: "positive", beta: "positive" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { trials, alpha, beta }) =>
      within(
        valid(x, trials),
        minus(plus(logChoose(trials, x), logBeta(add(x, alpha), add(sub(trials, x), beta))), logBeta(alpha, beta)),
      ),
    sample: (draws, { trials, alpha, beta }) => drawBinomial(draws, trials, drawBeta(draws, alpha, beta)),
    mean: ({ trials, alpha, beta }) => (trials * alpha) / (alpha + beta),
    variance: ({ trials, alpha, beta }) =>
      (trials * alpha * beta * (alpha + beta + trials)) / (alpha + beta) ** 2 / (alpha + beta + 1),
  },
);
