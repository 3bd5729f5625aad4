/** How far draws of an approximation can be trusted, and which of them to take: importance weights and what they cannot see (approximation-run.ts). */
import { ErgodicError } from "../../base/errors.ts";
import { exp } from "../../base/exp.ts";
import { log } from "../../base/log.ts";
import { psis } from "../../diagnostics/index.ts";

/** Log ratios this alike, in nats, are those of an exact approximation: their tail is rounding. */
const EXACT = 1e-7;
/** Of the variance of one direction: 0.1 of its standard deviation. */
const STEIN_MARGIN = 0.2;

export interface Judged {
  elbo: number;
  paretoK: number;
  effectiveSize: number;
  logWeights: Float64Array;
}

/** Of draws with log p, log q and (x − c)·∇ℓ(x). @throws ErgodicError where log p is finite at none */
export function judge(name: string, p: Float64Array, q: Float64Array, stein: Float64Array, dimension: number): Judged {
  // NaN of ∞ − ∞ and of a density that overflows: the draw is outside of what can be computed, and weighs nothing.
  const logRatios = p.map((value, k) => (value - q[k] < Infinity ? value - q[k] : -Infinity));
  const finite = logRatios.filter(Number.isFinite);
  if (finite.length === 0)
    throw new ErgodicError(
      name,
      `none of the ${logRatios.length} draws of the approximation has a finite log density; sample with nuts(), or check the model's supports`,
      "SAMPLE_APPROXIMATION",
    );
  const elbo = finite.reduce((sum, ratio) => sum + ratio, 0) / finite.length;
  const [least, most] = finite.reduce(([a, b], ratio) => [Math.min(a, ratio), Math.max(b, ratio)], [Infinity, -Infinity]);
  const { logWeights, paretoK, effectiveSize } = psis(logRatios);
  const exact = finite.length === logRatios.length && most - least < EXACT;
  if (exact) return { elbo, paretoK: 0, effectiveSize, logWeights };
  return { elbo, paretoK: missesDirections(logWeights, stein, dimension) ? Infinity : paretoK, effectiveSize, logWeights };
}

/** Whether E[(x − c)·∇ℓ] = −d fails on the weighted draws by more than a tenth of one direction's spread, and three standard errors. */
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

/** log of the mean of exponentials: the log density of a mixture in equal parts. */
export function logMixture(each: readonly number[]): number {
  const largest = each.reduce((most, one) => Math.max(most, one), -Infinity);
  return largest + log(each.reduce((sum, one) => sum + exp(one - largest), 0) / each.length);
}

/** Each i about count·w_i times, in rising order: those whose share of the sum of weights holds (k + u)/count for some k. */
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
