/**
 * Partially sorts x[from], x[from + 1], …. Afterwards, x[place] is the number that a full sort would put there, where
 * `place` counts from 0. Smaller or equal numbers come before this number, and larger or equal numbers after it, in any
 * order.
 *
 * x: float64[n], changed in place; O(n) operations on average. NaN sorts last, as in `sort`. If `place` is before
 * `from`, nothing happens. Source: Hoare 1961 (Find).
 */
export function order(x: Float64Array, place: number, from = 0): void {
  if (place < from) return;
  let low = from;
  let high = withoutNaN(x, from);
  while (low < high) {
    const pivot = middle(x[low], x[(low + high) >> 1], x[high]);
    let [i, j] = [low, high];
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i > j) break;
      [x[i], x[j]] = [x[j], x[i]];
      i++;
      j--;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else return;
  }
}

/** Moves NaN values to the end, and returns the index of the last number before them. */
function withoutNaN(x: Float64Array, from: number): number {
  let last = x.length - 1;
  for (let i = last; i >= from; i--) {
    if (!Number.isNaN(x[i])) continue;
    x[i] = x[last];
    x[last] = Number.NaN;
    last--;
  }
  return last;
}

const middle = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
