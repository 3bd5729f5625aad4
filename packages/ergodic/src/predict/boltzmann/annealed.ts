import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { normalQuantile } from "../../engine/numbers/normal-quantile.ts";
import { stream } from "../../engine/random/stream.ts";
import { exchanged, hiddenInputs, logistic, type Machine, softplusSum } from "./machine.ts";

/** Options of annealed importance sampling. */
export interface AnnealingOptions {
  /** Number of independent chains, >= 2. */
  readonly chains: number;
  /** Number of steps from the base machine to this one, >= 1. */
  readonly steps: number;
  readonly seed: number;
  /** Probability that the interval contains ln Z. */
  readonly level: number;
}

/** Estimate of ln Z. */
export interface Annealed {
  readonly value: number;
  readonly interval: readonly [low: number, high: number];
}

/**
 * Estimates ln Z by annealed importance sampling. `base`: visible biases of a machine without weights, at which all
 * chains start.
 *
 * p_β(v) ∝ exp(((1 − β)·base + β·a)·v) Π_j (1 + e^{β(b_j + W_jᵀv)}), for β from 0 to 1 in equal steps. Each chain has
 * the weight Π_k p_{β_k}(v_{k−1}) / p_{β_{k−1}}(v_{k−1}), whose mean is Z / Z_0. Between two factors, the chain makes one
 * sweep of Gibbs sampling at β_k. The interval is that of a mean of independent weights, by a normal approximation.
 * Source: Salakhutdinov, Murray 2008.
 */
export function annealedLogPartition(machine: Machine, base: Float64Array, options: AnnealingOptions): Annealed {
  const { chains, steps, seed, level } = options;
  const { visible, hidden, visibleBias } = machine;
  const draws = stream(seed, "annealed importance sampling");
  const turned = exchanged(machine);
  const logWeights = new Float64Array(chains);
  const v = new Float64Array(visible);
  const h = new Float64Array(hidden);
  const inputs = new Float64Array(hidden);
  const back = new Float64Array(visible);
  for (let chain = 0; chain < chains; chain++) {
    const random = draws.at(chain);
    for (let i = 0; i < visible; i++) v[i] = random.uniform() < logistic(base[i]) ? 1 : 0;
    let weight = 0;
    for (let k = 1; k <= steps; k++) {
      const [before, beta] = [(k - 1) / steps, k / steps];
      hiddenInputs(machine, v, inputs);
      for (let i = 0; i < visible; i++) weight += (v[i] * (visibleBias[i] - base[i])) / steps;
      weight += softplusSum(inputs, beta) - softplusSum(inputs, before);
      if (k === steps) break;
      for (let j = 0; j < hidden; j++) h[j] = random.uniform() < logistic(beta * inputs[j]) ? 1 : 0;
      // `back` is a + Wh.
      hiddenInputs(turned, h, back);
      for (let i = 0; i < visible; i++) v[i] = random.uniform() < logistic((1 - beta) * base[i] + beta * back[i]) ? 1 : 0;
    }
    logWeights[chain] = weight;
  }
  return estimated(logWeights, hidden * Math.LN2 + softplusSum(base), level);
}

/** Returns the estimate of ln Z from the chains' log weights. `logBase`: ln Z of the base machine. */
function estimated(logWeights: Float64Array, logBase: number, level: number): Annealed {
  const { length } = logWeights;
  const largest = logWeights.reduce((most, x) => Math.max(most, x), -Infinity);
  const weights = logWeights.map((x) => exp(x - largest));
  const mean = weights.reduce((sum, w) => sum + w, 0) / length;
  const squares = weights.reduce((sum, w) => sum + w * w, 0);
  const error = Math.sqrt(Math.max(0, squares / length - mean * mean) / (length - 1)) / mean;
  const reach = normalQuantile((1 + level) / 2) * error;
  const at = (ratio: number): number => (ratio > 0 ? logBase + largest + log(mean) + log(ratio) : -Infinity);
  return {
    value: at(1),
    interval: [at(1 - reach), at(1 + reach)],
  };
}
