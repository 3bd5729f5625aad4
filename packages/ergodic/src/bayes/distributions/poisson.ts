import { add, exp, lgamma, mul, toArray } from "../../engine/compiler/index.ts";
import { wholeBoundary } from "../../engine/errors/boundary.ts";
import { exp as expOf } from "../../engine/numbers/exp.ts";
import { gammaLower, gammaUpper } from "../../engine/numbers/incomplete-gamma.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { drawPoisson } from "./draw-counts.ts";
import { isCount, minus, timesLog, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const support = () => ({ kind: "integers", low: toArray(0) }) as const;
const cdfOf = (x: number, rate: number): number => (x < 0 ? 0 : gammaUpper(Math.floor(x) + 1, rate));
const survivalOf = (x: number, rate: number): number => (x < 0 ? 1 : gammaLower(Math.floor(x) + 1, rate));
const quantileOf = (p: number, rate: number): number => (p === 1 ? Infinity : wholeBoundary((k) => cdfOf(k, rate) >= p));

/**
 * Poisson: log P(x) = x log λ − λ − log x!; with log mean η: xη − e^η − log x!.
 *
 * x: 0, 1, 2, …. λ (`rate`) ≥ 0: mean and variance. η (`logRate`): real.
 *
 * rate >= 0.
 */
export const poisson: (rate: Parameter) => Distribution = distribution(
  "poisson",
  { rate: "nonnegative" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { rate }) => within(isCount(x), minus(timesLog(x, rate), rate, lgamma(add(x, 1)))),
    sample: (draws, { rate }) => drawPoisson(draws, rate),
    cdf: (x, { rate }) => cdfOf(x, rate),
    survival: (x, { rate }) => survivalOf(x, rate),
    quantile: (p, { rate }) => quantileOf(p, rate),
    mean: ({ rate }) => rate,
    variance: ({ rate }) => rate,
  },
);

/** Poisson by its log mean. logRate real. */
export const poissonLog: (logRate: Parameter) => Distribution = distribution(
  "poissonLog",
  { logRate: "real" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { logRate }) => within(isCount(x), minus(mul(x, logRate), exp(logRate), lgamma(add(x, 1)))),
    sample: (draws, { logRate }) => drawPoisson(draws, expOf(logRate)),
    cdf: (x, { logRate }) => cdfOf(x, expOf(logRate)),
    survival: (x, { logRate }) => survivalOf(x, expOf(logRate)),
    quantile: (p, { logRate }) => quantileOf(p, expOf(logRate)),
    mean: ({ logRate }) => expOf(logRate),
    variance: ({ logRate }) => expOf(logRate),
  },
);
