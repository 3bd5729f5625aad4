import type { Certificate } from "../../../engine/contract/index.ts";
import { log } from "../../../engine/numbers/log.ts";
import type { EnsembleSums } from "./ensemble-sums.ts";
import { studentQuantile } from "./student.ts";

/** R-hat of values from which ensembles are held to disagree. */
const MOST_RHAT = 1.01;
/** States that came from power 0 to power 1, in all and of any ensemble, before anything is claimed. */
const [LEAST_RESTARTS, LEAST_OF_EACH] = [100, 2];
/** Of the chance that an interval misses, the share that is for what no restart has found. */
const UNSEEN_SHARE = 0.25;
/** Of numbers that differ by no more the error is rounding's. */
const ROUNDING = 1e-12;

/** An estimate from ensembles, and an interval by Student's t over them. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Why nothing is claimed, if so: ensembles that disagree, or states that do not travel. */
export function objection(sums: EnsembleSums, powers: Float64Array): string | undefined {
  const { rhat, power } = worst(sums);
  if (!(rhat <= MOST_RHAT))
    return `the ensembles disagree: values at power ${Number(powers[power].toPrecision(3))} have an R-hat of ${rhat.toFixed(3)}`;
  const all = sums.restarts.reduce((sum, count) => sum + count, 0);
  if (all < LEAST_RESTARTS || sums.restarts.some((count) => count < LEAST_OF_EACH))
    return `only ${all} states came from power 0 to power 1`;
  return undefined;
}

/** The largest R-hat of values at any power, each ensemble a chain. */
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

/** How much of the distribution may be where no restart came from, with a chance of `missed`. */
export function unseen({ restarts }: EnsembleSums, missed: number): number {
  const all = restarts.reduce((sum, count) => sum + count, 0);
  return Math.min(1, -log(missed * UNSEEN_SHARE) / Math.max(1, all));
}

/**
 * Σ_k ln Z_k/Z_{k+1} by Bennett's ratios: from all ensembles together, and from all but one each, which makes Tukey's pseudo-values: their mean is without the bias of first order that
 * logarithms of means have, and their spread, ensembles being independent, gives Student's interval. What was taken off as bias is added to both ends; the upper one has room for
 * what no restart has found.
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

/** By slot, a probability from each group's sum of it over its sweeps. */
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

/** An interval as a certificate has it. */
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
