import { add, log, neg, toArray } from "../../engine/compiler/index.ts";
import { expm1 as expm1Of, exp as expOf } from "../../engine/numbers/exp.ts";
import { log1p as log1pOf, log as logOf } from "../../engine/numbers/log.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { isCount, timesLog1p, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const survivalOf = (x: number, p: number): number => (x < 0 ? 1 : expOf((Math.floor(x) + 1) * log1pOf(-p)));
const cdfOf = (x: number, p: number): number => (x < 0 ? 0 : -expm1Of((Math.floor(x) + 1) * log1pOf(-p)));

/** Computes −log(1 − p), corrected for the rounding of 1 − p, so that small p lose no digits. */
function decay(p: number): number {
  const rest = 1 - p;
  return rest === 1 ? p : (-logOf(rest) * p) / (1 - rest);
}

/**
 * Geometric, the number of failures before the first success: log P(x) = log p + x log(1 − p).
 *
 * x: 0, 1, 2, …. p (`probability`) in [0, 1]: probability of success. Some libraries also count the success, so that x
 * is larger by one there.
 *
 * probability in [0, 1].
 */
export const geometric: (probability: Parameter) => Distribution = distribution(
  "geometric",
  { probability: "probability" },
  {
    kind: "discrete",
    support: () => ({ kind: "integers", low: toArray(0) }),
    logDensity: (x, { probability }) => within(isCount(x), add(log(probability), timesLog1p(x, neg(probability)))),
    sample: (draws, { probability }) => (probability === 1 ? 0 : Math.floor(draws.exponential() / decay(probability))),
    cdf: (x, { probability }) => cdfOf(x, probability),
    survival: (x, { probability }) => survivalOf(x, probability),
    quantile(u, { probability }) {
      if (u === 1) return probability === 1 ? 0 : Infinity;
      const near = Math.max(0, Math.floor(log1pOf(-u) / log1pOf(-probability)) - 1);
      let k = near;
      while (cdfOf(k, probability) < u) k++;
      return k;
    },
    mean: ({ probability }) => (1 - probability) / probability,
    variance: ({ probability }) => (1 - probability) / probability ** 2,
  },
);
