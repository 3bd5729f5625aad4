import { gatherUnseen, pickUnseen } from "../../engine/compiler/array/operations/gather.ts";
import {
  add,
  and,
  broadcastShapes,
  broadcastTo,
  equal,
  floor,
  lessEqual,
  lgamma,
  log,
  logSoftmax,
  minimum,
  type SymbolicArray,
  sum,
  toArray,
} from "../../engine/compiler/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { drawIndex, drawMultinomial } from "./draw-counts.ts";
import { between, minus, plus, timesLog, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

/** Returns logs[…, x[…]]; −∞ if x is not an index. */
export function chosen(logs: SymbolicArray, x: SymbolicArray): SymbolicArray {
  const count = logs.shape[logs.rank - 1];
  const valid = and(between(0, x, count - 1), equal(floor(x), x));
  if (logs.rank === 1) return within(valid, gatherUnseen(logs, x));
  const batch = broadcastShapes("categorical", [logs.shape.slice(0, -1), x.shape]);
  return within(valid, pickUnseen(broadcastTo(logs, [...batch, count]), broadcastTo(x, batch)));
}

const support = (p: SymbolicArray) => ({ kind: "integers", low: toArray(0), high: toArray(p.shape[p.rank - 1] - 1) }) as const;

const upTo = (p: ArrayLike<number>, x: number): number => {
  let total = 0;
  for (let k = 0; k <= x && k < p.length; k++) total += p[k];
  return x >= p.length - 1 ? 1 : total;
};
function quantileOf(p: ArrayLike<number>, u: number): number {
  let k = 0;
  while (k < p.length - 1 && upTo(p, k) < u) k++;
  return k;
}
const meanOf = (p: Float64Array): number => p.reduce((total, each, k) => total + k * each, 0);
const varianceOf = (p: Float64Array): number => p.reduce((total, each, k) => total + (k - meanOf(p)) ** 2 * each, 0);

function softmaxOf(logits: Float64Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = logits.map((x) => exp(x - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / total);
}

/**
 * Categorical: P(x) = p_x; with logits η: η_x − log Σ e^η. Multinomial, counts of n categorical draws: log P(x) = log
 * n! − Σ log x_k! + Σ x_k log p_k.
 *
 * Categories are numbered from 0 (from 1 in Stan). p (`probabilities`): [..., K], a simplex. η (`logits`): [..., K],
 * real. For categorical(), x is an index in 0 … K − 1. The multinomial's x is [..., K], whole numbers with sum n
 * (`trials`).
 *
 * probabilities: [..., K] with sum 1.
 */
export const categorical: (probabilities: Parameter) => Distribution = distribution(
  "categorical",
  { probabilities: "simplex" },
  {
    kind: "discrete",
    support: ({ probabilities }) => support(probabilities),
    logDensity: (x, { probabilities }) => chosen(log(probabilities), x),
    sample: (draws, { probabilities }) => drawIndex(draws, probabilities),
    cdf: (x, { probabilities }) => upTo(probabilities, x),
    quantile: (p, { probabilities }) => quantileOf(probabilities, p),
    mean: ({ probabilities }) => meanOf(probabilities),
    variance: ({ probabilities }) => varianceOf(probabilities),
  },
);

/** Categorical by its logits. logits: [..., K], up to a constant. */
export const categoricalLogit: (logits: Parameter) => Distribution = distribution(
  "categoricalLogit",
  { logits: "vector" },
  {
    kind: "discrete",
    support: ({ logits }) => support(logits),
    logDensity: (x, { logits }) => chosen(logSoftmax(logits), x),
    sample: (draws, { logits }) => drawIndex(draws, softmaxOf(logits)),
    cdf: (x, { logits }) => upTo(softmaxOf(logits), x),
    quantile: (p, { logits }) => quantileOf(softmaxOf(logits), p),
    mean: ({ logits }) => meanOf(softmaxOf(logits)),
    variance: ({ logits }) => varianceOf(softmaxOf(logits)),
  },
);

/** Multinomial. trials: a count, probabilities: [..., K] with sum 1. */
export const multinomial: (trials: Parameter, probabilities: Parameter) => Distribution = distribution(
  "multinomial",
  { trials: "count", probabilities: "simplex" },
  {
    kind: "discrete",
    eventRank: 1,
    support: () => ({ kind: "counts" }),
    logDensity(x, { trials, probabilities }) {
      const last = { axis: -1 };
      const whole = minimum(and(equal(floor(x), x), lessEqual(0, x)), last);
      const ways = minus(lgamma(add(trials, 1)), sum(lgamma(add(x, 1)), last));
      return within(and(whole, equal(sum(x, last), trials)), plus(ways, sum(timesLog(x, probabilities), last)));
    },
    sample: (draws, { trials, probabilities }) => drawMultinomial(draws, trials, probabilities),
    mean: ({ trials, probabilities }) => probabilities.map((p) => trials * p),
    variance: ({ trials, probabilities }) => probabilities.map((p) => trials * p * (1 - p)),
  },
);
