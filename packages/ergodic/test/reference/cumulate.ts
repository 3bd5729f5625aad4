/** The plain twin of kernels/engine/arrays/cumulate.ts. */
export function cumulativeSum(outer: number, n: number, inner: number, x: readonly number[], reverse: boolean): number[] {
  const y = new Array<number>(x.length).fill(0);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let t = 0; t < n; t++) {
        const at = (o * n + (reverse ? n - 1 - t : t)) * inner + i;
        sum += x[at];
        y[at] = sum;
      }
    }
  }
  return y;
}
