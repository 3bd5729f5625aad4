import type { Distribution } from "./distribution.ts";

export interface Tolerances {
  readonly pointTolerance: number;
  readonly valueTolerance: number;
}

/** Reasons for the end of a descent. Snapshots store the index of the reason; index 0 means that there is none. */
export const REASONS = [
  null,
  "the step size is within its tolerance",
  "the values no longer differ",
  "neither the best nor the median values improve any more",
  "the covariance matrix is too badly conditioned to continue",
  "the steps are too small to change the point",
  "the distribution grows without end: the objective seems to have no lower bound",
  "no evaluation succeeded",
  "its evaluations are used up",
] as const;
export const Reason = {
  none: 0,
  point: 1,
  values: 2,
  stagnation: 3,
  condition: 4,
  noEffect: 5,
  growth: 6,
  failures: 7,
  used: 8,
} as const;

const LONGEST_HISTORY = 20000;
const GROWTH = 1e20;

/**
 * Criteria that end a CMA-ES descent, with the published constants. They are checked after each generation.
 *
 *   TolX          σ √C_ii and σ |p_c,i| ≤ `pointTolerance` (in initial steps) for all i
 *   TolFunHist    the best values of the last 10 + ⌈30 n/λ⌉ generations lie within `valueTolerance` (absolute)
 *   TolFun        all values of this generation and those best ones lie within 10 `valueTolerance`
 *   Stagnation    over the last max(120 + 30 n/λ, g/5) generations, at most 20,000: for both the best and the median
 *                 values, the median of the newest 30 % is not below that of the oldest 30 %
 *   ConditionCov  C's condition number is above 1e14 (not for a diagonal C)
 *   NoEffectAxis  m ± 0.1 σ D_i b_i is m, for one i per generation, in turn
 *   NoEffectCoord m_i ± 0.2 σ √C_ii is m_i, for any i
 *   TolUpSigma    σ is 1e20 times √λ_max; or the distribution is 1e20 initial steps wide
 * Source: Hansen 2016, arXiv:1604.00772, B.3 (both tolerances 1e-12); Hansen 2009 (stagnation, growth). Differs: a
 * descent also ends if all values are +Infinity, because these values count as equal.
 */
export class Termination {
  private readonly tolerances: Tolerances;
  private readonly scratch: Float64Array;
  /** Best and median values of the last generations, from oldest to newest. */
  private best: number[] = [];
  private median: number[] = [];

  constructor(tolerances: Tolerances, dimension: number) {
    this.tolerances = tolerances;
    this.scratch = new Float64Array(dimension);
  }

  /** Returns a code of REASONS. `values`: the values of this generation, ascending. */
  judge(distribution: Distribution, values: readonly number[]): number {
    const { dimension, population } = distribution.constants;
    const shortest = 120 + Math.ceil((30 * dimension) / population);
    const { generation, usable } = distribution.kept.numbers;
    this.note(values, Math.min(LONGEST_HISTORY, Math.max(shortest, Math.ceil(generation / 5))));
    if (this.valuesAgree(values, 10 + Math.ceil((30 * dimension) / population))) {
      return values[0] === Infinity ? Reason.failures : Reason.values;
    }
    if (!usable) return Reason.condition;
    if (this.pointsAgree(distribution)) return Reason.point;
    if (this.grows(distribution)) return Reason.growth;
    if (this.noEffect(distribution)) return Reason.noEffect;
    if (generation >= shortest && stagnates(this.best) && stagnates(this.median)) return Reason.stagnation;
    return Reason.none;
  }

  tensors(): { best: Float64Array; median: Float64Array } {
    return { best: Float64Array.from(this.best), median: Float64Array.from(this.median) };
  }

  restore(best: ArrayLike<number>, median: ArrayLike<number>): void {
    this.best = Array.from(best);
    this.median = Array.from(median);
  }

  private note(values: readonly number[], length: number): void {
    this.best.push(values[0]);
    this.median.push(values[values.length >> 1]);
    while (this.best.length > length) {
      this.best.shift();
      this.median.shift();
    }
  }

  private valuesAgree(values: readonly number[], generations: number): boolean {
    if (this.best.length < generations) return false;
    let low = Infinity;
    let high = -Infinity;
    for (let i = this.best.length - generations; i < this.best.length; i++) {
      low = Math.min(low, this.best[i]);
      high = Math.max(high, this.best[i]);
    }
    const { valueTolerance } = this.tolerances;
    const last = values[values.length - 1];
    return within(low, high, valueTolerance) || within(low, Math.max(high, last), 10 * valueTolerance);
  }

  private pointsAgree({ kept, covariance }: Distribution): boolean {
    const { sigma } = kept.numbers;
    const { pathC } = kept.arrays;
    const { pointTolerance } = this.tolerances;
    for (let i = 0; i < pathC.length; i++) {
      if (sigma * Math.sqrt(covariance.variance(i)) > pointTolerance || sigma * Math.abs(pathC[i]) > pointTolerance) return false;
    }
    return true;
  }

  private grows({ kept, covariance }: Distribution): boolean {
    const { sigma } = kept.numbers;
    const { longest } = covariance.extremes();
    return !(sigma * longest < GROWTH && sigma < GROWTH * longest);
  }

  private noEffect({ kept, covariance }: Distribution): boolean {
    const { sigma, generation } = kept.numbers;
    const { mean } = kept.arrays;
    const axis = this.scratch;
    covariance.axis(generation % mean.length, axis);
    let moved = false;
    for (let i = 0; i < mean.length; i++) {
      if (mean[i] + 0.2 * sigma * Math.sqrt(covariance.variance(i)) === mean[i]) return true;
      moved ||= mean[i] + 0.1 * sigma * axis[i] !== mean[i];
    }
    return !moved;
  }
}

/** Whether two values agree within the tolerance. Infinities of the same sign agree. */
function within(low: number, high: number, tolerance: number): boolean {
  return low === high || high - low <= tolerance;
}

function stagnates(history: readonly number[]): boolean {
  const part = Math.floor(0.3 * history.length);
  return !(medianOf(history.slice(-part)) < medianOf(history.slice(0, part)));
}

function medianOf(history: readonly number[]): number {
  const values = Float64Array.from(history).sort();
  const middle = values.length >> 1;
  return values.length % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}
