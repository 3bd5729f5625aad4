/**
 * Weibull: log p(x) = log k − log λ + (k − 1) log(x/λ) − (x/λ)^k on x ≥ 0.
 *
 * k (`shape`) > 0. λ (`scale`) > 0.
 */
import { exp as expOf } from "../../../base/exp.ts";
import { lgamma } from "../../../base/gamma.ts";
import { log as logOf } from "../../../base/log.ts";
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
} from "../../../compiler/index.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { log1mExp, minus, plus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

type P = { readonly shape: SymbolicArray; readonly scale: SymbolicArray };
/** (x/λ)^k, of numbers below 0 as of the smallest above. */
const hazard = (x: SymbolicArray, { shape, scale }: P): SymbolicArray =>
  exp(mul(shape, log(max(div(x, scale), Number.MIN_VALUE))));
const moment = (order: number, shape: number, scale: number): number => scale ** order * Math.exp(lgamma(1 + order / shape));

/** shape > 0, scale > 0. */
export const weibull: (shape: Parameter, scale: Parameter) => Distribution = distribution(
  "weibull",
  { shape: "positive", scale: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity(x, { shape, scale }) {
      const logRatio = log(div(x, scale));
      const power = sub(shape, 1);
      const rising = where(equal(power, 0), 0, mul(power, logRatio));
      return within(lessEqual(0, x), minus(plus(log(shape), rising), log(scale), exp(mul(shape, logRatio))));
    },
    logCdf: (x, p) => within(less(0, x), log1mExp(where(less(0, x), neg(hazard(x, p)), -1))),
    logSurvival: (x, p) => where(less(0, x), neg(hazard(x, p)), 0),
    sample: (draws, { shape, scale }) => scale * expOf(logOf(draws.exponential()) / shape),
    cdf: (x, { shape, scale }) => (x > 0 ? -Math.expm1(-((x / scale) ** shape)) : 0),
    survival: (x, { shape, scale }) => (x > 0 ? Math.exp(-((x / scale) ** shape)) : 1),
    quantile: (p, { shape, scale }) => scale * (-Math.log1p(-p)) ** (1 / shape),
    upperQuantile: (q, { shape, scale }) => scale * (-Math.log(q)) ** (1 / shape),
    mean: ({ shape, scale }) => moment(1, shape, scale),
    variance: ({ shape, scale }) => moment(2, shape, scale) - moment(1, shape, scale) ** 2,
  },
);
