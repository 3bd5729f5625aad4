import { checkNumber, DataError } from "../errors/errors.ts";
import { exp } from "../numbers/exp.ts";
import { log } from "../numbers/log.ts";
import { logSumExp } from "../numbers/log-sum-exp.ts";
import { fitGeneralisedPareto, generalisedParetoQuantile } from "./generalised-pareto.ts";

/** Options of `psis`. */
export interface PsisOptions {
  /** ESS divided by the number of draws, > 0. Default 1: independent draws. */
  readonly relativeEfficiency?: number;
}

/** Result of `psis`: normalised log weights, k̂ with its threshold, and the effective size. */
export interface PsisResult {
  /** Log weights, normalised: Σ exp = 1. */
  readonly logWeights: Float64Array;
  /** Pareto k̂ of the largest weights. */
  readonly paretoK: number;
  /** Largest k̂ for which the weights are reliable. */
  readonly threshold: number;
  /** Effective number of draws. */
  readonly effectiveSize: number;
}

const LEAST_TAIL = 5;

/** Returns the largest k̂ for which this number of draws is enough. */
export function paretoKThreshold(drawCount: number): number {
  checkNumber("paretoKThreshold", "drawCount", drawCount, { low: 0 });
  return Math.min(1 - 1 / (log(drawCount) / Math.LN10), 0.7);
}

/**
 * Pareto smoothed importance sampling. A generalised Pareto distribution is fitted to the largest weights. These
 * weights are then replaced by the distribution's expected order statistics. The shape k̂ of this distribution shows
 * whether the weights are reliable.
 *
 * logRatios: float64[S], log of target over proposal at each draw, up to a constant; −∞ gives weight 0. The tail
 * consists of the M = ⌈min(S/5, 3√(S/r))⌉ largest ratios, where r is the relative efficiency of the proposal's draws.
 * Smoothed weights are limited to the largest raw weight. k̂ < min(1 − 1/log₁₀ S, 0.7) (`threshold`) is good; above it
 * the estimate is unreliable. If M < 5 or the tail is constant, the weights are not smoothed, and k̂ = ∞. logWeights:
 * normalised, Σ exp = 1. effectiveSize: r/Σw².
 * Source: Vehtari, Simpson, Gelman, Yao, Gabry 2024. The weights equal those of `weights(psis(…))` in R's loo.
 *
 * @throws DataError unless every log ratio is finite or −∞, and one is finite; OptionError unless relativeEfficiency >
 * 0
 */
export function psis(logRatios: Float64Array, { relativeEfficiency = 1 }: PsisOptions = {}): PsisResult {
  checkNumber("psis", "relativeEfficiency", relativeEfficiency, { low: 0, open: true });
  const largest = largestRatio(logRatios);
  const logWeights = logRatios.map((ratio) => ratio - largest);
  const paretoK = smoothTail(logWeights, tailLength(logRatios.length, relativeEfficiency));
  const total = logSumExp(logWeights);
  let squares = 0;
  for (let s = 0; s < logWeights.length; s++) {
    logWeights[s] -= total;
    squares += exp(2 * logWeights[s]);
  }
  return { logWeights, paretoK, threshold: paretoKThreshold(logRatios.length), effectiveSize: relativeEfficiency / squares };
}

function tailLength(drawCount: number, relativeEfficiency: number): number {
  return Math.ceil(Math.min(0.2 * drawCount, 3 * Math.sqrt(drawCount / relativeEfficiency)));
}

function largestRatio(logRatios: Float64Array): number {
  let largest = -Infinity;
  logRatios.forEach((ratio, s) => {
    if (Number.isNaN(ratio) || ratio === Infinity) {
      throw new DataError(
        "psis",
        `log ratio ${s} is ${ratio}, but must be finite or -Infinity; drop that draw`,
        "DATA_NOT_FINITE",
      );
    }
    if (ratio > largest) largest = ratio;
  });
  if (largest > -Infinity) return largest;
  throw new DataError("psis", "no log ratio is finite, but one must be: the proposal misses the target", "DATA_NOT_FINITE");
}

/** Smooths the `length` largest log weights in place, and returns k̂. The largest log weight must be 0. */
function smoothTail(logWeights: Float64Array, length: number): number {
  if (length < LEAST_TAIL) return Infinity;
  const order = Uint32Array.from(logWeights, (_, s) => s).sort((a, b) => rising(logWeights[a], logWeights[b]) || a - b);
  const start = order.length - length;
  if (0 - logWeights[order[start]] < 2 ** -52 / 100) return Infinity;
  const cutoff = exp(logWeights[order[start - 1]]);
  const fitted = fitGeneralisedPareto(Float64Array.from({ length }, (_, i) => exp(logWeights[order[start + i]]) - cutoff));
  if (!Number.isFinite(fitted.k)) return fitted.k;
  for (let i = 0; i < length; i++) {
    const weight = cutoff + generalisedParetoQuantile((i + 0.5) / length, fitted);
    logWeights[order[start + i]] = Math.min(log(weight), 0);
  }
  return fitted.k;
}

/** Compares numbers without a subtraction, because −∞ − (−∞) is NaN. */
const rising = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
