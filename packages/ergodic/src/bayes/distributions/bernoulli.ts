import {
  equal,
  log,
  log1p,
  mul,
  neg,
  or,
  type SymbolicArray,
  softplus,
  sub,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const isBit = (x: SymbolicArray): SymbolicArray => or(equal(x, 0), equal(x, 1));
const support = () => ({ kind: "integers", low: toArray(0), high: toArray(1) }) as const;
const cdfOf = (x: number, p: number): number => (x >= 1 ? 1 : x >= 0 ? 1 - p : 0);
const quantileOf = (u: number, p: number): number => (u <= 1 - p ? 0 : 1);
const sigmoid = (x: number): number => 1 / (1 + exp(-x));

/**
 * Bernoulli: P(1) = p, P(0) = 1 − p; with logit η: log p(x) = −log(1 + e^((1 − 2x)η)).
 *
 * x: 0 or 1. p (`probability`) in [0, 1]. η (`logit`) = log p/(1 − p): real.
 *
 * probability in [0, 1].
 */
export const bernoulli: (probability: Parameter) => Distribution = distribution(
  "bernoulli",
  { probability: "probability" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { probability }) => within(isBit(x), where(equal(x, 1), log(probability), log1p(neg(probability)))),
    sample: (draws, { probability }) => Number(draws.uniform() < probability),
    cdf: (x, { probability }) => cdfOf(x, probability),
    quantile: (p, { probability }) => quantileOf(p, probability),
    mean: ({ probability }) => probability,
    variance: ({ probability }) => probability * (1 - probability),
  },
);

/** Bernoulli by its logit. logit: real, log p/(1 − p). */
export const bernoulliLogit: (logit: Parameter) => Distribution = distribution(
  "bernoulliLogit",
  { logit: "real" },
  {
    kind: "discrete",
    support,
    logDensity: (x, { logit }) => within(isBit(x), neg(softplus(mul(sub(1, mul(2, x)), logit)))),
    sample: (draws, { logit }) => Number(draws.uniform() < sigmoid(logit)),
    cdf: (x, { logit }) => (x >= 1 ? 1 : x >= 0 ? sigmoid(-logit) : 0),
    quantile: (p, { logit }) => (p <= sigmoid(-logit) ? 0 : 1),
    mean: ({ logit }) => sigmoid(logit),
    variance: ({ logit }) => sigmoid(logit) * sigmoid(-logit),
  },
);
