/** Returns the smallest count that n independent events of probability p reach with a chance of at most `alarm`. */
export function binomialLimit(n: number, p: number, alarm: number): number {
  // Probability of exactly k events, starting with 0.
  let chance = (1 - p) ** n;
  let tail = 1;
  for (let k = 0; ; k++) {
    if (tail <= alarm || k > n) return k;
    tail -= chance;
    chance *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
}
