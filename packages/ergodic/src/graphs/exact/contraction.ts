import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";

/**
 * Sums a table over its variables, with a weight for each: Σ_x T(x) Π_{j≠k} w_j(x_j). The result has an entry per state
 * of variable k, or a single entry if k = −1. Axes are summed one at a time: first the axes after k, beginning with the
 * last one, then the axes before k. A table of N entries takes about 2N operations.
 */
export class Contraction {
  private scratch = [new Float64Array(64), new Float64Array(64)];

  /** Returns the weighted sums. Entries with weight 0 are skipped, even if they are −∞. */
  sum(values: Float64Array, shape: readonly number[], weights: readonly Float64Array[], k: number): Float64Array {
    return this.reduce(values, shape, weights, k, addWeighed);
  }

  /** Returns the sums in the log domain: values, weights and result are logarithms. */
  logSum(values: Float64Array, shape: readonly number[], weights: readonly Float64Array[], k: number): Float64Array {
    return this.reduce(values, shape, weights, k, addLogs);
  }

  private reduce(
    values: Float64Array,
    shape: readonly number[],
    weights: readonly Float64Array[],
    k: number,
    join: (from: Float64Array, at: number, stride: number, weight: Float64Array) => number,
  ): Float64Array {
    let from = values;
    let size = values.length;
    let next = 0;
    const into = (): Float64Array => {
      if (this.scratch[next].length < size) this.scratch[next] = new Float64Array(size);
      return this.scratch[next];
    };
    for (let axis = shape.length - 1; axis > k; axis--) {
      const count = shape[axis];
      size /= count;
      const to = into();
      for (let i = 0; i < size; i++) to[i] = join(from, i * count, 1, weights[axis]);
      from = to;
      next = 1 - next;
    }
    for (let axis = 0; axis < k; axis++) {
      size /= shape[axis];
      const to = into();
      for (let i = 0; i < size; i++) to[i] = join(from, i, size, weights[axis]);
      from = to;
      next = 1 - next;
    }
    return from.slice(0, size);
  }
}

function addWeighed(from: Float64Array, at: number, stride: number, weight: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < weight.length; j++, at += stride) if (weight[j] !== 0) sum += weight[j] * from[at];
  return sum;
}

function addLogs(from: Float64Array, at: number, stride: number, weight: Float64Array): number {
  let high = -Infinity;
  for (let j = 0, i = at; j < weight.length; j++, i += stride) high = Math.max(high, from[i] + weight[j]);
  if (high === -Infinity) return high;
  let sum = 0;
  for (let j = 0; j < weight.length; j++, at += stride) sum += exp(from[at] + weight[j] - high);
  return high + log(sum);
}
