import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { sizeOf, stridesIn } from "./factor-table.ts";
import type { LogTable } from "./log-tables.ts";

/** Number of entries processed between two yields: a few milliseconds of work. */
const PAUSE_ENTRIES = 1e5;
/** Relative error of a rounded operation. */
const ULP = 2 ** -52;

/**
 * Bound to compute for a bucket: an upper bound on the sum, a lower bound on the sum, or an upper bound on the largest
 * product.
 */
export type BoundKind = "upper" | "lower" | "largest";

/** ln of a product of tables over `scope`. The last variable is the one to eliminate. */
export class MiniBucket {
  readonly scope: readonly number[];
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** Bound on the rounding error in each value and in the message. */
  rounding = 0;
  private readonly count: number;

  constructor(scope: readonly number[], shape: readonly number[]) {
    this.scope = scope;
    this.shape = shape;
    this.count = shape[shape.length - 1];
    this.values = new Float64Array(sizeOf(shape));
  }

  /** Multiplies by a table on some of the variables. */
  *add(table: LogTable): Generator<void> {
    const { values, shape } = this;
    const strides = stridesIn(table, this.scope);
    const digits = new Int32Array(shape.length);
    let at = 0;
    let high = 0;
    for (let i = 0; i < values.length; i++) {
      const value = (values[i] += table.values[at]);
      if (Math.abs(value) > high && value > -Infinity) high = Math.abs(value);
      for (let k = shape.length - 1; k >= 0; k--) {
        at += strides[k];
        if (++digits[k] < shape[k]) break;
        digits[k] = 0;
        at -= strides[k] * shape[k];
      }
      if (i % PAUSE_ENTRIES === PAUSE_ENTRIES - 1) yield;
    }
    this.rounding += ULP * (1 + high);
  }

  /**
   * Returns ln Σ ψ^{1/w} for each state of `common` (some of its variables, in its order). The sum runs over the other
   * variables. For "largest", returns ln max ψ. Zero entries are skipped. If there are no other entries, the result is
   * −∞.
   */
  *profile(common: readonly number[], kind: BoundKind, weight: number): Generator<void, Float64Array> {
    const { values, shape } = this;
    const strides = stridesIn(
      { scope: common, shape: common.map((variable) => shape[this.scope.indexOf(variable)]) },
      this.scope,
    );
    const size = common.reduce((product, variable) => product * shape[this.scope.indexOf(variable)], 1);
    const highs = new Float64Array(size).fill(-Infinity);
    const by = kind === "largest" ? 1 : 1 / weight;
    yield* walkPlaces(shape, strides, (i, at) => {
      if (values[i] > -Infinity && values[i] * by > highs[at]) highs[at] = values[i] * by;
    });
    if (kind === "largest") return highs;
    const sums = new Float64Array(size);
    yield* walkPlaces(shape, strides, (i, at) => {
      if (values[i] > -Infinity) sums[at] += exp(values[i] * by - highs[at]);
    });
    return highs.map((high, at) => (high === -Infinity ? high : high + log(sums[at])));
  }

  /** Multiplies each entry by e^shift for its state of `common`. */
  *shift(common: readonly number[], shifts: Float64Array): Generator<void> {
    yield* this.add({
      scope: common,
      shape: common.map((variable) => this.shape[this.scope.indexOf(variable)]),
      values: shifts,
    });
  }

  /**
   * Returns the message that remains when the last variable is eliminated: w ln Σ ψ^{1/w}, or ln max ψ. `possible`,
   * indexed by the states of `common`, says which zero entries can be ignored.
   */
  *eliminate(
    kind: BoundKind,
    weight: number,
    common: readonly number[],
    possible: Uint8Array | undefined,
  ): Generator<void, LogTable> {
    const { values, count, shape, scope } = this;
    const size = values.length / count;
    const message = new Float64Array(size);
    const by = kind === "largest" ? 1 : 1 / weight;
    const commonShape = common.map((variable) => shape[scope.indexOf(variable)]);
    const strides = stridesIn({ scope: common, shape: commonShape }, scope.slice(0, -1));
    const last = possible ? 1 : 0;
    let extent = 0;
    yield* walkPlaces(shape.slice(0, -1), strides, (i, at) => {
      const from = i * count;
      let high = -Infinity;
      for (let s = 0; s < count; s++) {
        const value = values[from + s];
        if (value === -Infinity) {
          // A negative power of 0 is infinite, but the product with the other mini-buckets is 0.
          if (by < 0 && possible![at + last * s]) high = Infinity;
        } else if (value * by > high) high = value * by;
      }
      if (high === Infinity || high === -Infinity) {
        message[i] = -Infinity;
        return;
      }
      if (kind !== "largest") {
        let sum = 0;
        for (let s = 0; s < count; s++) if (values[from + s] > -Infinity) sum += exp(values[from + s] * by - high);
        high = (high + log(sum)) * weight;
      }
      message[i] = high;
      if (Math.abs(high) > extent) extent = Math.abs(high);
    });
    // Covers the rounding errors of four operations: the exponents, a sum of up to `count` terms of at most 1, the
    // logarithm of this sum, and the product with w.
    this.rounding += ULP * (4 * (1 + extent) + Math.abs(weight) * (count + 4));
    return { scope: scope.slice(0, -1), shape: shape.slice(0, -1), values: message };
  }
}

/**
 * Visits the indices of an array of this shape. Each index is visited together with the corresponding index in an array
 * with these strides.
 */
function* walkPlaces(
  shape: readonly number[],
  strides: readonly number[],
  visit: (index: number, at: number) => void,
): Generator<void> {
  const digits = new Int32Array(shape.length);
  const size = sizeOf(shape);
  for (let i = 0, at = 0; i < size; i++) {
    visit(i, at);
    for (let k = shape.length - 1; k >= 0; k--) {
      at += strides[k];
      if (++digits[k] < shape[k]) break;
      digits[k] = 0;
      at -= strides[k] * shape[k];
    }
    if (i % PAUSE_ENTRIES === PAUSE_ENTRIES - 1) yield;
  }
}
