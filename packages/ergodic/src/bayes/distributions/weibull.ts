import {
  div,
  equal,
  exp,
  less,
  lessEqual,
  log,
  max,
  mul,
  neg,
  type SymbolicArray,
  sub,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import { expm1 as expm1Of, exp as expOf } from "../../engine/numbers/exp.ts";
import { lgamma } from "../../engine/numbers/gamma.ts";
import { log1p as log1pOf, log as logOf } from "../../engine/numbers/log.ts";
import { power } from "../../engine/numbers/power.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { log1mExp, minus, plus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

type P = { readonly shape: SymbolicArray; readonly scale: SymbolicArray };
/** (x/λ)^k. If x ≤ 0, the smallest positive number replaces x/λ. */
const hazard = (x: SymbolicArray, { shape, scale }: P): SymbolicArray =>
  exp(mul(shape, log(max(div(x, scale), Number.MIN_VALUE))));
const moment = (order: number, shape: number, scale: number): number => power(scale, order) * expOf(lgamma(1 + order / shape));

/**
 * Weibull: log p(x) = log k − log λ + (k − 1) log(x/λ) − (x/λ)^k on x ≥ 0.
 *
 * k (`shape`) > 0. λ (`scale`) > 0.
 *
 * shape > 0, scale > 0.
 *
 * @param shape shape, > 0. The hazard decreases in x if shape < 1 and increases if shape > 1
 * @param scale scale, > 0, in units of x
 */
export const weibull: (shape: Parameter, scale: Parameter) => Distribution = distribution(
  "weibull",
  { shape: "positive", scale: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity(x, { shape, scale }) {
      const logRatio = log(div(x, scale));
      const excess = sub(shape, 1);
      const rising = where(equal(excess, 0), 0, mul(excess, logRatio));
      return within(lessEqual(0, x), minus(plus(log(shape), rising), log(scale), exp(mul(shape, logRatio))));
    },
    logCdf: (x, p) => within(less(0, x), log1mExp(where(less(0, x), neg(hazard(x, p)), -1))),
    logSurvival: (x, p) => where(less(0, x), neg(hazard(x, p)), 0),
    sample: (draws, { shape, scale }) => scale * expOf(logOf(draws.exponential()) / shape),
    cdf: (x, { shape, scale }) => (x > 0 ? -expm1Of(-power(x / scale, shape)) : 0),
    survival: (x, { shape, scale }) => (x > 0 ? expOf(-power(x / scale, shape)) : 1),
    quantile: (p, { shape, scale }) => scale * power(-log1pOf(-p), 1 / shape),
    upperQuantile: (q, { shape, scale }) => scale * power(-logOf(q), 1 / shape),
    mean: ({ shape, scale }) => moment(1, shape, scale),
    variance: ({ shape, scale }) => moment(2, shape, scale) - moment(1, shape, scale) ** 2,
  },
);
