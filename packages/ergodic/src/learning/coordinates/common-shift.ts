/**
 * Returns the t that minimises Σ_k l1|β_k − t| + l2/2 (β_k − t)². This shift is used for losses such as softmax, which
 * do not change if all outputs are shifted by the same amount.
 *
 * The coefficients of one column can all move by −t without changing the loss. Steps that change one output at a time
 * approach the best shift only slowly.
 * l1 = 0: the mean. l2 = 0: the median nearest to 0. `floor`: β_k − t must not be negative.
 * Source: Friedman, Hastie, Tibshirani 2010, section 4.1. Sorts `values`.
 */
export function commonShift(values: Float64Array, { l1, l2 }: { l1: number; l2: number }, floor: boolean): number {
  values.sort();
  const count = values.length;
  const sum = values.reduce((a, b) => a + b, 0);
  if (l1 === 0 && l2 === 0) return 0;
  /** Slope in t, between values i − 1 and i. */
  const slope = (i: number, t: number): number => l1 * (2 * i - count) + l2 * (count * t - sum);
  let t = 0;
  let below = values.findIndex((v) => v >= 0);
  if (below < 0) below = count;
  const above = values.findIndex((v) => v > 0);
  const from = slope(below, 0);
  const to = slope(above < 0 ? count : above, 0);
  if (from > 0) t = walk(-1, below);
  else if (to < 0) t = walk(1, above < 0 ? count : above);
  return floor ? Math.min(t, values[0]) : t;

  /**
   * Moves from 0 to the point where the slope changes sign. This point is either one of the values or lies between two
   * of them.
   */
  function walk(way: 1 | -1, start: number): number {
    for (let i = start; ; i += way) {
      const next = way > 0 ? values[i] : values[i - 1];
      const root = l2 > 0 ? (sum - (l1 * (2 * i - count)) / l2) / count : Number.NaN;
      if (next === undefined || way * (next - root) >= 0) return root;
      if (way * slope(i + way, next) >= 0) return next;
    }
  }
}
