import { neg, sub, toArray } from "../../engine/compiler/index.ts";
import { betaLower, betaUpper } from "../../engine/numbers/beta-tails.ts";
import { drawBeta } from "../../engine/random/draw-gamma.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { betaQuantile } from "./tails.ts";
import { between, logBeta, minus, plus, timesLog, timesLog1p, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

/**
 * Beta: log p(x) = (a − 1) log x + (b − 1) log(1 − x) − log B(a, b) on 0 ≤ x ≤ 1.
 *
 * a (`alpha`), b (`beta`) > 0: mean a/(a + b).
 *
 * alpha > 0, beta > 0.
 *
 * @param alpha first shape, > 0. Larger values move the mean towards 1
 * @param beta second shape, > 0. Larger values move the mean towards 0
 */
export const beta: (alpha: Parameter, beta: Parameter) => Distribution = distribution(
  "beta",
  { alpha: "positive", beta: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0), high: toArray(1) }),
    logDensity: (x, { alpha, beta }) =>
      within(between(0, x, 1), minus(plus(timesLog(sub(alpha, 1), x), timesLog1p(sub(beta, 1), neg(x))), logBeta(alpha, beta))),
    sample: (draws, { alpha, beta }) => drawBeta(draws, alpha, beta),
    cdf: (x, { alpha, beta }) => betaLower(alpha, beta, x),
    survival: (x, { alpha, beta }) => betaUpper(alpha, beta, x),
    quantile: (p, { alpha, beta }) => betaQuantile(p, alpha, beta),
    upperQuantile: (q, { alpha, beta }) => 1 - betaQuantile(q, beta, alpha),
    mean: ({ alpha, beta }) => alpha / (alpha + beta),
    variance: ({ alpha, beta }) => (alpha * beta) / (alpha + beta) ** 2 / (alpha + beta + 1),
  },
);
