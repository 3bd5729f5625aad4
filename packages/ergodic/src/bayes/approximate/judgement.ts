/**
 * Judges how far draws of an approximation can be trusted, and resamples them. The judgement rests on importance
 * weights, and on a check for errors that importance weights cannot reveal (approximation-run.ts).
 */
import { ErgodicError } from "../../engine/errors/errors.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { psis } from "../../engine/statistics/index.ts";

/**
 * If the range of the log ratios is smaller than this, in nats, the approximation is practically exact and the tail
 * shape of the ratios is meaningless.
 */
const EXACT = 1e-2;
/**
 * Tolerance for the relative error of the variance in one direction. An error of 0.2 corresponds to a relative error of
 * 0.1 in the standard deviation.
 */
const STEIN_MARGIN = 0.2;

export interface Judged {
  elbo: number;
  paretoK: number;
  effectiveSize: number;
  logWeights: Float64Array;
  /** log of the mean of p/q. This is the log mass of everything that q covers, up to the density's unknown constant. */
  logMeanWeight: number;
}

/**
 * Judges draws by log p, log q and (x − c)·∇ℓ(x) of each. `logPlain`: for draw k, the log density of the unwidened
 * parts of q, which the ELBO uses; undefined if the draw came from another part.
 *
 * @throws ErgodicError if log p is finite at no draw
 */
export function judge(
  name: string,
  p: Float64Array,
  q: Float64Array,
  stein: Float64Array,
  dimension: number,
  logPlain: (k: number) => number | undefined = (k) => q[k],
): Judged {
  // NaN comes from ∞ − ∞ or from a density that overflows. Such a draw cannot be evaluated and gets no weight.
  const logRatios = p.map((value, k) => (value - q[k] < Infinity ? value - q[k] : -Infinity));
  const finite = logRatios.filter(Number.isFinite);
  if (finite.length === 0)
    throw new ErgodicError(
      name,
      `none of the ${logRatios.length} draws of the approximation has a finite log density; sample with nuts(), or check the model's supports`,
      "SAMPLE_APPROXIMATION",
    );
  const plain = Array.from(logRatios, (ratio, k) => (Number.isFinite(ratio) ? logPlain(k) : undefined)).flatMap((own, k) =>
    own === undefined ? [] : [p[k] - own],
  );
  const counted = plain.length > 0 ? plain : [...finite];
  const elbo = counted.reduce((sum, ratio) => sum + ratio, 0) / counted.length;
  const [least, most] = finite.reduce(([a, b], ratio) => [Math.min(a, ratio), Math.max(b, ratio)], [Infinity, -Infinity]);
  const { logWeights, paretoK, effectiveSize } = psis(logRatios);
  const logMeanWeight = logMixture([...logRatios]);
  const exact = finite.length === logRatios.length && most - least < EXACT;
  if (exact) return { elbo, paretoK: 0, effectiveSize, logWeights, logMeanWeight };
  const k = missesDirections(logWeights, stein, dimension) ? Infinity : paretoK;
  return { elbo, paretoK: k, effectiveSize, logWeights, logMeanWeight };
}

/**
 * Whether the weighted draws violate E[(x − c)·∇ℓ] = −d. The tolerance is a tenth of one direction's spread plus three
 * standard errors.
 */
export function missesDirections(logWeights: Float64Array, stein: Float64Array, dimension: number): boolean {
  const weights = logWeights.map(exp);
  const usable = (k: number): boolean => weights[k] > 0 && Number.isFinite(stein[k]);
  let [total, mean] = [0, 0];
  for (let k = 0; k < weights.length; k++) {
    if (!usable(k)) continue;
    total += weights[k];
    mean += weights[k] * stein[k];
  }
  mean /= total;
  let squares = 0;
  for (let k = 0; k < weights.length; k++) if (usable(k)) squares += ((weights[k] / total) * (stein[k] - mean)) ** 2;
  return Math.abs(mean + dimension) > STEIN_MARGIN + 3 * Math.sqrt(squares);
}

/** Returns the log of the mean of the exponentials, which is the log density of a mixture with equal shares. */
export function logMixture(each: readonly number[]): number {
  const largest = each.reduce((most, one) => Math.max(most, one), -Infinity);
  return largest + log(each.reduce((sum, one) => sum + exp(one - largest), 0) / each.length);
}

/**
 * Picks each i about count·w_i times, in ascending order. Pick k is the index at which the cumulative share of the
 * weights first exceeds (k + u)/count.
 */
export function systematic(logWeights: Float64Array, count: number, u: number): Uint32Array {
  const total = logWeights.reduce((sum, weight) => sum + exp(weight), 0);
  const picked = new Uint32Array(count);
  let i = 0;
  let sum = exp(logWeights[0]);
  for (let k = 0; k < count; k++) {
    const wanted = ((k + u) / count) * total;
    while (sum <= wanted && i < logWeights.length - 1) sum += exp(logWeights[++i]);
    picked[k] = i;
  }
  return picked;
}
