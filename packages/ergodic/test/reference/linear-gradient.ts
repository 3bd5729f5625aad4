/**
 * Plain twins of kernels/{dot,linear,sweep}.ts: sums from the first entry to the last, in float64, on rows given as
 * [column, value] pairs. Each sum comes with Σ|terms|, the unit of error bounds.
 */
export type Entry = readonly [column: number, value: number];

export interface Sum {
  value: number;
  /** Σ |term| */
  size: number;
}

export function dotTwin(row: readonly Entry[], p: ArrayLike<number>): Sum {
  let value = 0;
  let size = 0;
  for (const [j, x] of row) {
    value += x * p[j];
    size += Math.abs(x * p[j]);
  }
  return { value, size };
}

/** Mean over the batch of dz[b][k] × row[b], with one sum per parameter: outputs × stride. */
export function gradientTwin(rows: readonly (readonly Entry[])[], dz: readonly number[][], stride: number): Sum[] {
  const sums = Array.from({ length: dz[0].length * stride }, () => ({ value: 0, size: 0 }));
  rows.forEach((row, b) => {
    for (const [j, x] of row) {
      dz[b].forEach((factor, k) => {
        const sum = sums[k * stride + j];
        sum.value += (factor * x) / rows.length;
        sum.size += Math.abs(factor * x) / rows.length;
      });
    }
  });
  return sums;
}
