/**
 * The Walsh–Hadamard transform x ← Hx, H_{ij} = (−1)^{popcount(i & j)}, unscaled, in place, O(n log n); n a power of two.
 * HᵀH = nI.
 */
export function hadamard(x: Float64Array, n: number): void {
  for (let half = 1; half < n; half *= 2) {
    for (let start = 0; start < n; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const a = x[i];
        const b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
}

/** The smallest power of two that is at least n. */
export function paddedSize(n: number): number {
  return 2 ** (32 - Math.clz32(n - 1));
}
