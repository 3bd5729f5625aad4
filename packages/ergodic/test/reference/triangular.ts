/**
 * Plain twins of kernels/engine/arrays/cholesky.ts and kernels/engine/arrays/triangular.ts, in float64. Matrices are
 * row-major.
 */

/** L of A = L Lᵀ, or the first row whose pivot is not positive and finite. */
export function cholesky(n: number, a: readonly number[]): number[] | { row: number } {
  const l = new Array<number>(n * n).fill(0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let left = a[i * n + j];
      for (let k = 0; k < j; k++) left -= l[i * n + k] * l[j * n + k];
      if (j < i) l[i * n + j] = left / l[j * n + j];
      else if (left > 0 && left < Infinity) l[i * n + i] = Math.sqrt(left);
      else return { row: i };
    }
  }
  return l;
}

/** The full op(L), with zeros in the triangle that is not read. */
export function triangle(n: number, l: readonly number[], lower: boolean, transposed: boolean): number[] {
  return Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    const [row, column] = transposed ? [j, i] : [i, j];
    return (lower ? column <= row : column >= row) ? l[row * n + column] : 0;
  });
}

/** Substitution with the full op(L). */
export function triangularSolve(
  n: number,
  m: number,
  l: readonly number[],
  lower: boolean,
  transposed: boolean,
  b: readonly number[],
): number[] {
  const full = triangle(n, l, lower, transposed);
  const order = Array.from({ length: n }, (_, i) => (lower !== transposed ? i : n - 1 - i));
  const x = [...b];
  for (let c = 0; c < m; c++) {
    for (const [solved, i] of order.entries()) {
      for (const j of order.slice(0, solved)) x[i * m + c] -= full[i * n + j] * x[j * m + c];
      x[i * m + c] /= full[i * n + i];
    }
  }
  return x;
}
