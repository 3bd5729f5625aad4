/**
 * Sorted numbers and their original positions: sorted[i] = x[order[i]], sorted[0] ≤ sorted[1] ≤ …
 *
 * x: float64[n], all finite. A radix sort with 11 bits per pass distributes the numbers into cells of width 2^-22 of
 * the range. Cells with many numbers are divided into smaller cells and sorted in the same way. Cells with few numbers
 * are sorted by insertion. The sort takes O(n) operations for draws from common distributions. JavaScript's `sort` is
 * used if a range is too narrow or too wide to be divided.
 * Source: Knuth, The Art of Computer Programming 3, section 5.2.5 (sorting by distribution).
 */
export interface Rising {
  readonly order: Uint32Array;
  readonly sorted: Float64Array;
}

const BITS = 11;
const VALUES = 1 << BITS;
const MASK = VALUES - 1;
const LAST_CELL = 2 ** (2 * BITS) - 1;
/** Largest cell that is sorted by insertion. */
const FEW = 24;

/** Work arrays that every call overwrites. */
let cells = new Uint32Array(0);
let places = cells;
const lowCounts = new Uint32Array(VALUES);
const highCounts = new Uint32Array(VALUES);

export function risingOrder(x: Float64Array): Rising {
  const n = x.length;
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  if (cells.length < n) {
    cells = new Uint32Array(n);
    places = new Uint32Array(n);
  }
  const open = [0, n];
  while (open.length > 0) {
    const end = open.pop()!;
    const start = open.pop()!;
    const { low, high } = rangeOf(x, order, start, end);
    if (!(low < high)) continue;
    const scale = LAST_CELL / (high - low);
    if (!(scale > 0 && scale < Infinity)) {
      order.subarray(start, end).sort((a, b) => x[a] - x[b] || a - b);
      continue;
    }
    distribute(x, order, start, end, low, scale);
    for (let from = start, to = start; from < end; from = to) {
      const cell = cells[order[from]];
      while (to < end && cells[order[to]] === cell) to++;
      if (to - from > FEW) open.push(from, to);
      else insert(x, order, from, to);
    }
  }
  const sorted = new Float64Array(n);
  for (let i = 0; i < n; i++) sorted[i] = x[order[i]];
  return { order, sorted };
}

function rangeOf(x: Float64Array, order: Uint32Array, start: number, end: number): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let i = start; i < end; i++) {
    const value = x[order[i]];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** Sorts order[start … end) by cell. */
function distribute(x: Float64Array, order: Uint32Array, start: number, end: number, low: number, scale: number): void {
  lowCounts.fill(0);
  highCounts.fill(0);
  for (let i = start; i < end; i++) {
    const place = order[i];
    const cell = ((x[place] - low) * scale) | 0;
    cells[place] = cell;
    lowCounts[cell & MASK]++;
    highCounts[cell >>> BITS]++;
  }
  placesOf(lowCounts, start);
  placesOf(highCounts, start);
  for (let i = start; i < end; i++) places[lowCounts[cells[order[i]] & MASK]++] = order[i];
  for (let i = start; i < end; i++) order[highCounts[cells[places[i]] >>> BITS]++] = places[i];
}

/** Replaces the count of each value by the position of its first element. */
function placesOf(counts: Uint32Array, start: number): void {
  let next = start;
  for (let value = 0; value < VALUES; value++) {
    const count = counts[value];
    counts[value] = next;
    next += count;
  }
}

function insert(x: Float64Array, order: Uint32Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const place = order[i];
    const value = x[place];
    let j = i;
    for (; j > start && value < x[order[j - 1]]; j--) order[j] = order[j - 1];
    order[j] = place;
  }
}
