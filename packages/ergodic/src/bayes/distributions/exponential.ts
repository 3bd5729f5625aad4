import { lessEqual, log, mul, neg, sub, toArray, where } from "../../engine/compiler/index.ts";
import { expm1 as expm1Of, exp as expOf } from "../../engine/numbers/exp.ts";
import { log1p as log1pOf, log as logOf } from "../../engine/numbers/log.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { log1mExp, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

/**
 * Exponential: log p(x) = log λ − λx on x ≥ 0.
 *
 * λ (`rate`) > 0: mean 1/λ.
 *
 * rate > 0: mean 1/rate.
 */
export const exponential: (rate: Parameter) => Distribution = distribution(
  "exponential",
  { rate: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity: (x, { rate }) => within(lessEqual(0, x), sub(log(rate), mul(rate, x))),
    logCdf: (x, { rate }) => where(lessEqual(x, 0), -Infinity, log1mExp(where(lessEqual(x, 0), -1, neg(mul(rate, x))))),
    logSurvival: (x, { rate }) => where(lessEqual(x, 0), 0, neg(mul(rate, x))),
    sample: (draws, { rate }) => draws.exponential() / rate,
    cdf: (x, { rate }) => (x > 0 ? -expm1Of(-rate * x) : 0),
    survival: (x, { rate }) => (x > 0 ? expOf(-rate * x) : 1),
    quantile: (p, { rate }) => -log1pOf(-p) / rate,
    upperQuantile: (q, { rate }) => -logOf(q) / rate,
    mean: ({ rate }) => 1 / rate,
    variance: ({ rate }) => 1 / (rate * rate),
  },
);
