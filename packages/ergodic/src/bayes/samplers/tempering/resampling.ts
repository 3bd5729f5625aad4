/**
 * Particle weights: effective number, next power, and systematic resampling. Weights are given as logarithms; −∞ means
 * weight 0.
 */
import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";

const BISECTIONS = 60;

/**
 * Returns the effective number of particles (Σw)²/Σw², between 1 and the number of particles; 0 if no weight is
 * positive.
 */
export function weightsWorth(logWeights: ArrayLike<number>): number {
  const { weights } = scaled(logWeights);
  let sum = 0;
  let squares = 0;
  for (const w of weights) {
    sum += w;
    squares += w * w;
  }
  return squares > 0 ? (sum * sum) / squares : 0;
}

/** Returns the log of the mean weight. */
export function logMeanWeight(logWeights: ArrayLike<number>): number {
  const { weights, largest } = scaled(logWeights);
  const sum = weights.reduce((a, b) => a + b, 0);
  return largest + log(sum / weights.length);
}

/**
 * Returns the largest β' <= 1 at which the weights exp((β' − β) L) give an effective number of particles of at least
 * the share `target`. Uses 60 bisections.
 */
export function nextPower(power: number, likelihoods: Float64Array, target: number): number {
  const worth = (to: number): number => weightsWorth(likelihoods.map((l) => (to - power) * l));
  const wanted = target * likelihoods.length;
  if (worth(1) >= wanted) return 1;
  let [low, high] = [power, 1];
  for (let k = 0; k < BISECTIONS; k++) {
    const middle = 0.5 * (low + high);
    if (worth(middle) >= wanted) low = middle;
    else high = middle;
  }
  // If even the smallest step loses too many particles (because most likelihoods are 0), this step is made
  // nevertheless.
  return low > power ? low : high;
}

/**
 * Returns, for each new particle, the index of the particle that it copies. Particle i is copied ⌊n w_i⌋ or ⌈n w_i⌉
 * times. All copies together use one uniform number. Unbiased; ascending.
 */
export function systematicAncestors(logWeights: ArrayLike<number>, uniform: number): Uint32Array {
  const { weights } = scaled(logWeights);
  const n = weights.length;
  const total = weights.reduce((a, b) => a + b, 0);
  const ancestors = new Uint32Array(n);
  let last = 0;
  let sum = 0;
  let made = 0;
  for (let i = 0; i < n; i++) {
    if (!(weights[i] > 0)) continue;
    sum += weights[i];
    last = i;
    for (; made < n && (made + uniform) * total < sum * n; made++) ancestors[made] = i;
  }
  // Fills the positions that remain because of rounding.
  ancestors.fill(last, made);
  return ancestors;
}

/** Scales weights so that the largest is 1. NaN gets weight 0. */
function scaled(logWeights: ArrayLike<number>): { weights: Float64Array; largest: number } {
  let largest = -Infinity;
  for (let i = 0; i < logWeights.length; i++) if (logWeights[i] > largest) largest = logWeights[i];
  if (largest === -Infinity) return { weights: new Float64Array(logWeights.length), largest };
  return { weights: Float64Array.from(logWeights, (l) => (Number.isNaN(l) ? 0 : exp(l - largest))), largest };
}
