/** Plain twins of kernels/graphs/replica-exchange.ts. Words are two u32 each, low and high. */

/** Whether a replica's bit is set in a word. */
export const bitOf = (words: ArrayLike<number>, word: number, replica: number): number =>
  (words[2 * word + (replica >> 5)] >>> (replica & 31)) & 1;

/** Number of satisfied terms per replica. Terms are pairs of word numbers. */
export function countsOf(words: ArrayLike<number>, terms: readonly (readonly [number, number])[]): number[] {
  return Array.from(
    { length: 64 },
    (_, r) => terms.filter(([a, b]) => bitOf(words, a, r) === 1 && bitOf(words, b, r) === 1).length,
  );
}

/** Words after the replicas of a set have exchanged their bits. */
export function traded(a: ArrayLike<number>, b: ArrayLike<number>, replicas: ReadonlySet<number>): [number[], number[]] {
  const [first, second] = [Array.from(a), Array.from(b)];
  for (let word = 0; word < first.length / 2; word++)
    for (const r of replicas) {
      if (bitOf(first, word, r) === bitOf(second, word, r)) continue;
      for (const one of [first, second]) one[2 * word + (r >> 5)] = (one[2 * word + (r >> 5)] ^ (1 << (r & 31))) >>> 0;
    }
  return [first, second];
}
