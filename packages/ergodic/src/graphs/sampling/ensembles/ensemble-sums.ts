import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { exp } from "../../../engine/numbers/exp.ts";

/** Dimensions of the sums. */
export interface SumsShape {
  readonly ensembles: number;
  readonly powers: number;
  /**
   * Sums of probabilities at power 1 are stored per group of ensembles. Number of groups, and number of sums per group
   * (0 if no sums are stored).
   */
  readonly groups: number;
  readonly slots: number;
}

/**
 * Statistics of the ensembles, summed over sweeps, per ensemble. Let E be the value of a state (ln of the product of
 * factors), d_k = β_k − β_{k+1}, and C_k a guess of ln Z_k/Z_{k+1}. A pair of powers has the sums Σ 1/(1 + e^{C − dE})
 * at the lower power and Σ 1/(1 + e^{dE − C}) at the higher power. By Bennett's identity, Z_k/Z_{k+1} is e^C times the
 * ratio of their means, for any C. Source: Bennett 1976.
 */
export class EnsembleSums {
  sweeps = 0;
  readonly shape: SumsShape;
  /** Number of states that travelled from power 0 to power 1, per ensemble. */
  readonly restarts: Float64Array;
  /** Bennett's sums at the lower power (`lower`) and the higher power (`higher`), by ensemble and pair. */
  readonly lower: Float64Array;
  readonly higher: Float64Array;
  /** Sums of values, and of their squares, by ensemble and power. A guess of the mean is subtracted from each value. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  /** Sums of probabilities, by group and slot. */
  readonly shares: Float64Array;
  /** Largest value at power 1, per ensemble. */
  readonly most: Float64Array;

  constructor(shape: SumsShape) {
    const { ensembles, powers, groups, slots } = shape;
    this.shape = shape;
    this.restarts = new Float64Array(ensembles);
    this.lower = new Float64Array(ensembles * (powers - 1));
    this.higher = new Float64Array(ensembles * (powers - 1));
    this.first = new Float64Array(ensembles * powers);
    this.second = new Float64Array(ensembles * powers);
    this.shares = new Float64Array(groups * slots);
    this.most = new Float64Array(ensembles).fill(-Infinity);
  }

  value(ensemble: number, power: number, value: number): void {
    const at = ensemble * this.shape.powers + power;
    this.first[at] += value;
    this.second[at] += value * value;
    if (power === 0) this.most[ensemble] = Math.max(this.most[ensemble], value);
  }

  /** Adds a state at the lower power of a pair, with z = dE − C. */
  up(ensemble: number, pair: number, z: number): void {
    this.lower[ensemble * (this.shape.powers - 1) + pair] += 1 / (1 + exp(-z));
  }

  /** Adds a state at the higher power of a pair. */
  down(ensemble: number, pair: number, z: number): void {
    this.higher[ensemble * (this.shape.powers - 1) + pair] += 1 / (1 + exp(z));
  }

  plus(other: EnsembleSums): EnsembleSums {
    const sum = new EnsembleSums(this.shape);
    sum.sweeps = this.sweeps + other.sweeps;
    for (const [k, into] of sum.lists.entries())
      for (let i = 0; i < into.length; i++) into[i] = this.lists[k][i] + other.lists[k][i];
    for (let e = 0; e < sum.most.length; e++) sum.most[e] = Math.max(this.most[e], other.most[e]);
    return sum;
  }

  private get lists(): Float64Array[] {
    return [this.restarts, this.lower, this.higher, this.first, this.second, this.shares];
  }

  /** Returns all numbers in one array. */
  values(): Float64Array {
    return Float64Array.from([this.sweeps, ...[...this.lists, this.most].flatMap((list) => Array.from(list))]);
  }

  /** @throws DataError if the values do not have this shape */
  static from(shape: SumsShape, values: Float64Array, kept: KeptPart): EnsembleSums {
    const sums = new EnsembleSums(shape);
    const lists = [...sums.lists, sums.most];
    const length = lists.reduce((all, list) => all + list.length, 1);
    if (values.length !== length) kept.refuse(`there are ${values.length} sums, but ${length} are wanted`);
    sums.sweeps = values[0];
    let at = 1;
    for (const list of lists) list.set(values.subarray(at, (at += list.length)));
    return sums;
  }
}
