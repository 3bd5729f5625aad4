/**
 * Plain twin of kernels/engine/arrays/gemm.ts in float64: C[m,n] = op(A) op(B) (+ C). Each element comes with Σ |a b|
 * (+ |c|), from which error bounds are computed.
 */
export interface Product {
  transA: boolean;
  transB: boolean;
  m: number;
  n: number;
  k: number;
  a: ArrayLike<number>;
  lda: number;
  b: ArrayLike<number>;
  ldb: number;
  c: ArrayLike<number>;
  ldc: number;
  accumulate: boolean;
}

/** Both results are [m,n], without the gaps of C. */
export function product(p: Product): { value: Float64Array; magnitude: Float64Array } {
  const value = new Float64Array(p.m * p.n);
  const magnitude = new Float64Array(p.m * p.n);
  for (let i = 0; i < p.m; i++) {
    for (let j = 0; j < p.n; j++) {
      let sum = p.accumulate ? p.c[i * p.ldc + j] : 0;
      let size = Math.abs(sum);
      for (let q = 0; q < p.k; q++) {
        const term = p.a[p.transA ? q * p.lda + i : i * p.lda + q] * p.b[p.transB ? j * p.ldb + q : q * p.ldb + j];
        sum += term;
        size += Math.abs(term);
      }
      value[i * p.n + j] = sum;
      magnitude[i * p.n + j] = size;
    }
  }
  return { value, magnitude };
}
