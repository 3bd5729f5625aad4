import { exp, expm1 } from "../numbers/exp.ts";
import { log, log1p } from "../numbers/log.ts";

/**
 * The generalised Pareto distribution of exceedances x ≥ 0: P(X > x) = (1 + k·x/σ)^(−1/k), where k measures how heavy
 * the tail is. Only moments of order below 1/k exist.
 *
 * `fitGeneralisedPareto`: estimates k and σ from float64[n], x in increasing order, n ≥ 5, by Zhang and Stephens'
 * quasi-Bayesian method. b = −k/σ is averaged over M = 30 + ⌊√n⌋ candidates, weighted by profile likelihood. The
 * spacing of the candidates follows from a prior whose scale is 3 times the lower quartile. k is then shrunk towards ½
 * with the weight of 10 observations, which stabilises short tails. σ is not shrunk. k = ∞ if the lower quartile is 0,
 * because then no distribution fits. Source: Zhang, Stephens 2009; Vehtari, Simpson, Gelman, Yao, Gabry 2024 on the
 * shrinkage. Equal to loo's.
 */
export interface GeneralisedPareto {
  /** Shape. */
  readonly k: number;
  /** Scale. */
  readonly sigma: number;
}

const FEWEST_CANDIDATES = 30;
const PRIOR_QUARTILES = 3;
const PRIOR_COUNT = 10;
const PRIOR_K = 0.5;

export function fitGeneralisedPareto(x: Float64Array): GeneralisedPareto {
  const n = x.length;
  const candidateCount = FEWEST_CANDIDATES + Math.floor(Math.sqrt(n));
  const quartile = x[Math.floor(n / 4 + 0.5) - 1];
  const candidates = new Float64Array(candidateCount);
  const logLikelihood = new Float64Array(candidateCount);
  for (let j = 0; j < candidateCount; j++) {
    const b = 1 / x[n - 1] + (1 - Math.sqrt(candidateCount / (j + 0.5))) / PRIOR_QUARTILES / quartile;
    const k = shape(b, x);
    candidates[j] = b;
    logLikelihood[j] = n * (log(-b / k) - k - 1);
  }
  const b = weightedMean(candidates, logLikelihood);
  const k = shape(b, x);
  const shrunk = (k * n + PRIOR_K * PRIOR_COUNT) / (n + PRIOR_COUNT);
  return { k: Number.isNaN(shrunk) ? Infinity : shrunk, sigma: -k / b };
}

/**
 * For a given b, returns the most likely k, which is the mean of log(1 − b·x).
 *
 * Logarithms are expensive, so several factors are multiplied before each logarithm is taken. q = Π(1 − b·x) − 1 loses
 * no digits, because −b·x has the same sign for all x. The logarithm of 1 + q is taken before q gets close to −1 or
 * becomes too large.
 */
function shape(b: number, x: Float64Array): number {
  let total = 0;
  let q = 0;
  for (let i = 0; i < x.length; i++) {
    const next = -b * x[i];
    if (q < -0.5 || q > 1e100 || next > 1e200) {
      total += log1p(q);
      q = 0;
    }
    q += next + q * next;
  }
  return (total + log1p(q)) / x.length;
}

/** Returns Σ w_j·b_j with w ∝ exp(log weight). */
function weightedMean(values: Float64Array, logWeights: Float64Array): number {
  const largest = logWeights.reduce((most, value) => Math.max(most, value), -Infinity);
  let total = 0;
  let weights = 0;
  for (let j = 0; j < values.length; j++) {
    const weight = exp(logWeights[j] - largest);
    total += weight * values[j];
    weights += weight;
  }
  return total / weights;
}

/** Returns x with P(X ≤ x) = p: σ·((1 − p)^(−k) − 1)/k, and −σ·log(1 − p) for k = 0. */
export function generalisedParetoQuantile(p: number, { k, sigma }: GeneralisedPareto): number {
  return k === 0 ? -sigma * log1p(-p) : (sigma * expm1(-k * log1p(-p))) / k;
}
