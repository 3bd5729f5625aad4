/**
 * Solves A x = b in place for a symmetric, positive definite A, by the factorisation A = L Lᵀ and two triangular
 * solves.
 *
 * matrix: float64[n × n], row-major; its lower triangle is read and overwritten by L. right: float64[n], overwritten by
 * x. If a pivot is at most 64 ε times its diagonal element, A is numerically singular. In this case, the function
 * returns false and leaves invalid values in both arrays.
 */
const leastPivot = 2 ** -46;

export function solvePositive(matrix: Float64Array, right: Float64Array): boolean {
  const n = right.length;
  for (let j = 0; j < n; j++) {
    const row = matrix.subarray(j * n, j * n + n);
    for (let k = 0; k < j; k++) {
      const above = matrix.subarray(k * n, k * n + n);
      row[k] = (row[k] - product(row, above, k)) / above[k];
    }
    const pivot = row[j] - product(row, row, j);
    if (!(pivot > leastPivot * row[j])) return false;
    row[j] = Math.sqrt(pivot);
    right[j] = (right[j] - product(row, right, j)) / row[j];
  }
  for (let j = n - 1; j >= 0; j--) {
    right[j] /= matrix[j * n + j];
    for (let k = 0; k < j; k++) right[k] -= matrix[j * n + k] * right[j];
  }
  return true;
}

function product(a: Float64Array, b: Float64Array, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += a[k] * b[k];
  return sum;
}
