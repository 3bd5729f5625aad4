import { DataError } from "../../engine/errors/errors.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";

/** Parameters of a restricted Boltzmann machine with binary units: E(v, h) = −a·v − b·h − vᵀWh. */
export interface Machine {
  /** Number of visible units. */
  readonly visible: number;
  /** Number of hidden units. */
  readonly hidden: number;
  /** W, row by row: float64[visible × hidden]. */
  readonly weight: Float64Array;
  /** a: float64[visible]. */
  readonly visibleBias: Float64Array;
  /** b: float64[hidden]. */
  readonly hiddenBias: Float64Array;
}

export const logistic = (x: number): number => (x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)));

/** Returns ln(1 + e^x). */
export const softplus = (x: number): number => Math.max(x, 0) + log(1 + exp(-Math.abs(x)));

/** @throws DataError for a value outside [0, 1]. `row` counts from 0. */
export function checkUnit(value: number, where: string, row: number, column: string): void {
  if (value >= 0 && value <= 1) return;
  throw new DataError(
    where,
    `row ${row + 1}, column ${JSON.stringify(column)}: the value is ${value}, but binary units take numbers from 0 to 1; divide the column by its largest value, or replace its numbers by 0 and 1`,
    "DATA_RANGE",
  );
}

/**
 * Returns Σ ln(1 + e^{scale·x}). Products of up to 512 factors 1 + e^{−|x|}, each at most 2, are within the range of
 * doubles, so one logarithm is taken for all of them.
 */
export function softplusSum(x: Float64Array, scale = 1): number {
  let total = 0;
  let product = 1;
  for (let i = 0; i < x.length; i++) {
    const y = scale * x[i];
    if (y > 0) total += y;
    product *= 1 + exp(-Math.abs(y));
    if ((i & 511) === 511) {
      total += log(product);
      product = 1;
    }
  }
  return total + log(product);
}

/** Writes b + Wᵀv, the inputs of the hidden units, to `into`. */
export function hiddenInputs({ visible, hidden, weight, hiddenBias }: Machine, v: ArrayLike<number>, into: Float64Array): void {
  into.set(hiddenBias);
  for (let i = 0; i < visible; i++) {
    const x = v[i];
    if (x === 0) continue;
    const row = i * hidden;
    for (let j = 0; j < hidden; j++) into[j] += x * weight[row + j];
  }
}

/** Returns a copy of the machine with W transposed and the two layers exchanged. */
export function exchanged({ visible, hidden, weight, visibleBias, hiddenBias }: Machine): Machine {
  const turned = new Float64Array(weight.length);
  for (let i = 0; i < visible; i++) for (let j = 0; j < hidden; j++) turned[j * visible + i] = weight[i * hidden + j];
  return { visible: hidden, hidden: visible, weight: turned, visibleBias: hiddenBias, hiddenBias: visibleBias };
}

/** Returns F(v) = −a·v − Σ_j ln(1 + e^{b_j + W_jᵀv}). `inputs`: b + Wᵀv. */
export function freeEnergyOf({ visible, visibleBias }: Machine, v: ArrayLike<number>, inputs: Float64Array): number {
  let energy = 0;
  for (let i = 0; i < visible; i++) energy -= visibleBias[i] * v[i];
  return energy - softplusSum(inputs);
}

/** Largest smaller layer, and largest number of terms, for which ln Z is computed exactly: a few seconds. */
const MOST_UNITS = 20;
const MOST_TERMS = 1 << 27;
/** Number of states after which the inputs are computed again, so that rounding errors do not add up. */
const REFRESH = 1024;

/** Whether `exactLogPartition` is feasible. */
export function isEnumerable({ visible, hidden }: Machine): boolean {
  const [few, many] = visible < hidden ? [visible, hidden] : [hidden, visible];
  return few <= MOST_UNITS && (1 << few) * many <= MOST_TERMS;
}

/**
 * Returns ln Z = ln Σ_v e^{−F(v)}, exactly, by enumerating the smaller layer. Consecutive states differ in one unit
 * (Gray code), so each costs a row of W and a sum over the other layer.
 */
export function exactLogPartition(machine: Machine): number {
  const small = machine.visible <= machine.hidden ? machine : exchanged(machine);
  const { visible, hidden, weight, visibleBias } = small;
  const state = new Float64Array(visible);
  const inputs = new Float64Array(hidden);
  let largest = -Infinity;
  let total = 0;
  for (let k = 0; k < 1 << visible; k++) {
    if (k > 0) {
      const unit = 31 - Math.clz32(k & -k);
      state[unit] = 1 - state[unit];
      const sign = state[unit] === 1 ? 1 : -1;
      for (let j = 0; j < hidden; j++) inputs[j] += sign * weight[unit * hidden + j];
    }
    if (k % REFRESH === 0) hiddenInputs(small, state, inputs);
    let term = softplusSum(inputs);
    for (let i = 0; i < visible; i++) term += visibleBias[i] * state[i];
    if (term > largest) {
      total = total * exp(largest - term) + 1;
      largest = term;
    } else total += exp(term - largest);
  }
  return largest + log(total);
}
