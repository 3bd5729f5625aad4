/** Twin of kernels/scores.ts: z[i, k] = b[k] + Σ_j x[i, j] w[k, j], in float64, from left to right. */
export function linearScores(x: readonly ArrayLike<number>[], w: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return x.flatMap((row) =>
    Array.from(b, (intercept, k) => {
      let sum = intercept;
      for (let j = 0; j < row.length; j++) sum += row[j] * w[k * row.length + j];
      return sum;
    }),
  );
}
