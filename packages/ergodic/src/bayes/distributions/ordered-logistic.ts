import { gatherUnseen } from "../../engine/compiler/array/operations/gather.ts";
import { and, equal, floor, less, max, min, neg, softplus, sub, toArray, where } from "../../engine/compiler/index.ts";
import { CompileError } from "../../engine/errors/errors.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log as logOf } from "../../engine/numbers/log.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { between, log1mExp, minus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const sigmoid = (x: number): number => 1 / (1 + exp(-x));

/**
 * Ordered logistic: P(x = k) = σ(c_k − η) − σ(c_{k−1} − η), with c_{−1} = −∞ and c_{K−1} = ∞.
 *
 * x: 0 … K − 1 (in Stan from 1). η (`eta`): real. c (`cutpoints`): [K − 1], increasing. All values share a single list.
 * The middle terms are computed as log(1 − e^(c_{k−1} − c_k)) minus two softplus terms, which preserves digits in both
 * tails.
 *
 * eta real; cutpoints: [K − 1], increasing.
 */
export const orderedLogistic: (eta: Parameter, cutpoints: Parameter) => Distribution = distribution(
  "orderedLogistic",
  { eta: "real", cutpoints: "ordered" },
  {
    kind: "discrete",
    support: ({ cutpoints }) => ({ kind: "integers", low: toArray(0), high: toArray(cutpoints.size) }),
    logDensity(x, { eta, cutpoints }) {
      if (cutpoints.rank !== 1)
        throw new CompileError(
          "orderedLogistic",
          `cutpoints have shape [${cutpoints.shape.join(", ")}], but one list [K − 1] is wanted`,
          "COMPILE_SHAPE",
        );
      const last = cutpoints.size;
      const upper = gatherUnseen(cutpoints, min(max(x, 0), last - 1));
      const lower = gatherUnseen(cutpoints, min(max(sub(x, 1), 0), last - 1));
      const middle = and(less(0, x), less(x, last));
      const gap = log1mExp(where(middle, sub(lower, upper), -1));
      const aboveLower = neg(softplus(sub(lower, eta)));
      const belowUpper = neg(softplus(sub(eta, upper)));
      const ends = where(less(0, x), aboveLower, belowUpper);
      const value = where(middle, minus(gap, neg(aboveLower), neg(belowUpper)), ends);
      return within(and(between(0, x, last), equal(floor(x), x)), value);
    },
    sample(draws, { eta, cutpoints }) {
      const latent = eta + logOf(draws.exponential()) - logOf(draws.exponential());
      return cutpoints.findLastIndex((c) => latent > c) + 1;
    },
    // Mean: Σ_k P(x > k); mean of the square: Σ_k (2k + 1) P(x > k).
    mean: ({ eta, cutpoints }) => cutpoints.reduce((sum, c) => sum + sigmoid(eta - c), 0),
    variance({ eta, cutpoints }) {
      const [mean, square] = cutpoints.reduce(
        ([sum, squares], c, k) => {
          const above = sigmoid(eta - c);
          return [sum + above, squares + (2 * k + 1) * above];
        },
        [0, 0],
      );
      return square - mean * mean;
    },
    cdf: (x, { eta, cutpoints }) => (x < 0 ? 0 : x >= cutpoints.length ? 1 : sigmoid(cutpoints[Math.floor(x)] - eta)),
    quantile(p, { eta, cutpoints }) {
      const k = cutpoints.findIndex((c) => sigmoid(c - eta) >= p);
      return k < 0 ? cutpoints.length : k;
    },
  },
);
