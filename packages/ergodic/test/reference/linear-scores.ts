/**
 * Plain twin of kernels/predict/scores.ts, dense: z[i, k] = b[k] + Σ_j x[i, j] w[k, j], in float64, from left to right.
 */
export function linearScores(x: readonly ArrayLike<number>[], w: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return x.flatMap((row) =>
    Array.from(b, (intercept, k) => {
      let sum = intercept;
      for (let j = 0; j < row.length; j++) sum += row[j] * w[k * row.length + j];
      return sum;
    }),
  );
}

/** The sparse version: z[i] = b + Σ_e x[e] w[columns[e]] over the entries of row i, except its last `extra` entries. */
export function entrySums(
  x: ArrayLike<number>,
  columns: ArrayLike<number>,
  starts: ArrayLike<number>,
  w: ArrayLike<number>,
  b: number,
  extra: number,
): number[] {
  return Array.from({ length: starts.length - 1 }, (_, i) => {
    let sum = b;
    for (let e = starts[i]; e < starts[i + 1] - extra; e++) sum += x[e] * w[columns[e]];
    return sum;
  });
}
