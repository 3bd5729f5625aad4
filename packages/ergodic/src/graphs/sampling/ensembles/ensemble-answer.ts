import type { Certificate } from "../../../engine/contract/index.ts";
import { log } from "../../../engine/numbers/log.ts";
import type { EnsembleSums } from "./ensemble-sums.ts";
import { studentQuantile } from "./student.ts";

/** R-hat above which ensembles count as disagreeing. */
const MOST_RHAT = 1.01;
/**
 * Number of states, in total and per ensemble, that must travel from power 0 to power 1 before anything is certified.
 */
const [LEAST_RESTARTS, LEAST_OF_EACH] = [100, 2];
/** Share of the interval's error probability that is reserved for regions that no restart has found. */
const UNSEEN_SHARE = 0.25;
/** Differences up to this size count as rounding errors. */
const ROUNDING = 1e-12;

/** An estimate from several ensembles, with a Student's t interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Returns the reason for an absent certificate, if there is one: ensembles disagree, or states do not travel between
 * powers.
 */
export function objection(sums: EnsembleSums, powers: Float64Array): string | undefined {
  const { rhat, power } = worst(sums);
  if (!(rhat <= MOST_RHAT))
    return `the ensembles disagree: values at power ${Number(powers[power].toPrecision(3))} have an R-hat of ${rhat.toFixed(3)}`;
  const all = sums.restarts.reduce((sum, count) => sum + count, 0);
  if (all < LEAST_RESTARTS || sums.restarts.some((count) => count < LEAST_OF_EACH))
    return `only ${all} states came from power 0 to power 1`;
  return undefined;
}

/** Returns the largest R-hat of the values at any power, treating each ensemble as a chain. */
export function worst({ shape, sweeps, first, second }: EnsembleSums): { rhat: number; power: number } {
  let found = { rhat: 1, power: 0 };
  for (let power = 0; power < shape.powers; power++) {
    const means: number[] = [];
    let within = 0;
    for (let e = 0; e < shape.ensembles; e++) {
      const at = e * shape.powers + power;
      const mean = first[at] / sweeps;
      means.push(mean);
      within += Math.max(0, second[at] / sweeps - mean * mean) / shape.ensembles;
    }
    const { variance } = spread(means);
    if (variance < ROUNDING ** 2) continue;
    const rhat = Math.sqrt(1 - 1 / sweeps + variance / within);
    if (!(rhat <= found.rhat)) found = { rhat, power };
  }
  return found;
}

/**
 * Returns an upper bound on the share of the distribution that all restarts have missed. The error probability of this
 * bound is `missed`.
 */
export function unseen({ restarts }: EnsembleSums, missed: number): number {
  const all = restarts.reduce((sum, count) => sum + count, 0);
  return Math.min(1, -log(missed * UNSEEN_SHARE) / Math.max(1, all));
}

/**
 * Estimates Σ_k ln Z_k/Z_{k+1} by Bennett's ratios, with the jackknife over ensembles. Tukey's pseudo-values are
 * computed from the estimate with all ensembles and from the estimates that each omit one ensemble. The logarithm of a
 * mean has a first-order bias. The mean of the pseudo-values does not. The ensembles are independent, so the spread of
 * the pseudo-values gives a Student's t interval. Both ends of the interval are widened by the removed bias. The upper
 * end also includes an allowance for regions that no restart has found.
 */
export function logRatio(sums: EnsembleSums, guesses: Float64Array, missed: number): Estimate {
  const { ensembles, powers } = sums.shape;
  const pairs = powers - 1;
  const total = (list: Float64Array, pair: number): number => {
    let sum = 0;
    for (let e = 0; e < ensembles; e++) sum += list[e * pairs + pair];
    return sum;
  };
  let whole = 0;
  const without = new Float64Array(ensembles);
  for (let pair = 0; pair < pairs; pair++) {
    const [lower, higher] = [total(sums.lower, pair), total(sums.higher, pair)];
    whole += guesses[pair] + log(lower) - log(higher);
    for (let e = 0; e < ensembles; e++) {
      const at = e * pairs + pair;
      without[e] += guesses[pair] + log(lower - sums.lower[at]) - log(higher - sums.higher[at]);
    }
  }
  const pseudo = Array.from(without, (value) => ensembles * whole - (ensembles - 1) * value);
  const { mean, half } = student(pseudo, quantileOf(ensembles, missed));
  const bias = Math.abs(whole - mean);
  const more = -log(1 - Math.min(unseen(sums, missed), 1 - ROUNDING));
  return { value: mean, low: mean - half - bias, high: mean + half + bias + more };
}

/** Returns an estimate of the probability in each slot, from each group's sum over its sweeps. */
export function shareOf(sums: EnsembleSums, missed: number): (slot: number) => Estimate {
  const { groups, slots } = sums.shape;
  const quantile = quantileOf(groups, missed);
  const rest = unseen(sums, missed);
  return (slot) => {
    const shares = Array.from({ length: groups }, (_, g) => sums.shares[g * slots + slot] / sums.sweeps);
    const { mean, half } = student(shares, quantile);
    return {
      value: mean,
      low: Math.max(0, (mean - half) * (1 - rest)),
      high: Math.min(1, (mean + half) * (1 - rest) + rest),
    };
  };
}

/** Returns the interval as a certificate. */
export const intervalOf = ({ low, high }: Estimate, level: number): Certificate => ({ interval: [low, high], level });

const quantileOf = (count: number, missed: number): number => studentQuantile(missed * (1 - UNSEEN_SHARE), count - 1);

function student(values: readonly number[], quantile: number): { mean: number; half: number } {
  const { mean, variance } = spread(values);
  return { mean, half: quantile * Math.sqrt(variance / values.length) + ROUNDING * Math.max(1, Math.abs(mean)) };
}

function spread(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
}
