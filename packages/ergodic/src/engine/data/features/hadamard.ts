/**
 * Walsh–Hadamard transform x ← Hx with H_{ij} = (−1)^{popcount(i & j)}: unscaled, in place, O(n log n). n is a power of
 * two. HᵀH = nI.
 */
export function hadamard(x: Float64Array, n: number): void {
  let half = 1;
  // Two steps share one pass, which computes the same sums with half the memory accesses.
  for (; 2 * half < n; half *= 4) {
    for (let start = 0; start < n; start += 4 * half) {
      for (let i = start; i < start + half; i++) {
        const sum = x[i] + x[i + half];
        const difference = x[i] - x[i + half];
        const sumAbove = x[i + 2 * half] + x[i + 3 * half];
        const differenceAbove = x[i + 2 * half] - x[i + 3 * half];
        x[i] = sum + sumAbove;
        x[i + half] = difference + differenceAbove;
        x[i + 2 * half] = sum - sumAbove;
        x[i + 3 * half] = difference - differenceAbove;
      }
    }
  }
  if (half === n) return;
  for (let i = 0; i < half; i++) {
    const a = x[i];
    const b = x[i + half];
    x[i] = a + b;
    x[i + half] = a - b;
  }
}

/** Returns the smallest power of two that is at least n. */
export function paddedSize(n: number): number {
  return 2 ** (32 - Math.clz32(n - 1));
}

/** Cost of drawing a random sign, or a random position (random/stream.ts). */
export const SIGN = 64;
/** Cost of a transform of n numbers, divided by n. The surrounding products are included. */
export const transformCost = (n: number): number => 16 + 8 * Math.log2(n);
