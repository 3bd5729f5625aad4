import { add, div, lessEqual, log, max, mul, neg, type SymbolicArray, where } from "../../engine/compiler/index.ts";
import { expm1 as expm1Of, exp as expOf } from "../../engine/numbers/exp.ts";
import { log1p as log1pOf, log as logOf } from "../../engine/numbers/log.ts";
import { power } from "../../engine/numbers/power.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { log1mExp, minus, plus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

type P = { readonly minimum: SymbolicArray; readonly shape: SymbolicArray };
const logUpper = (x: SymbolicArray, { minimum, shape }: P): SymbolicArray => neg(mul(shape, log(max(div(x, minimum), 1))));

/**
 * Pareto: log p(x) = log α + α log m − (α + 1) log x on x ≥ m.
 *
 * m (`minimum`) > 0. α (`shape`) > 0: P(X > x) = (m/x)^α.
 *
 * minimum > 0, shape > 0.
 */
export const pareto: (minimum: Parameter, shape: Parameter) => Distribution = distribution(
  "pareto",
  { minimum: "positive", shape: "positive" },
  {
    kind: "continuous",
    support: ({ minimum }) => ({ kind: "interval", low: minimum }),
    logDensity: (x, { minimum, shape }) =>
      within(lessEqual(minimum, x), minus(plus(log(shape), mul(shape, log(minimum))), mul(add(shape, 1), log(x)))),
    logCdf(x, p) {
      const below = lessEqual(x, p.minimum);
      return where(below, -Infinity, log1mExp(where(below, -1, logUpper(x, p))));
    },
    logSurvival: logUpper,
    sample: (draws, { minimum, shape }) => minimum * expOf(draws.exponential() / shape),
    cdf: (x, { minimum, shape }) => (x > minimum ? -expm1Of(-shape * logOf(x / minimum)) : 0),
    survival: (x, { minimum, shape }) => (x > minimum ? power(minimum / x, shape) : 1),
    quantile: (p, { minimum, shape }) => minimum * expOf(-log1pOf(-p) / shape),
    upperQuantile: (q, { minimum, shape }) => minimum * power(q, -1 / shape),
    mean: ({ minimum, shape }) => (shape > 1 ? (shape * minimum) / (shape - 1) : Infinity),
    variance: ({ minimum, shape }) => (shape > 2 ? (minimum / (shape - 1)) ** 2 * (shape / (shape - 2)) : Infinity),
  },
);
