/**
 * Trees on binned columns: bins, histograms, the best split of a node, and the division of its rows.
 *
 * BINS: u8, in blocks of eight columns. Block b holds eight bytes per row: the bins of columns 8b … 8b + 7. The bins of a
 * number are 0 … CUTS for its values, in order, and the last bin of a column holds missing values. The bins of a category
 * are the indices of its levels.
 * GRADIENTS: i64[rows][2], the first and second derivatives of the loss as whole multiples of a power of two. Sums of
 * whole numbers do not depend on their order, so every number of workers gives the same bits, and the histogram of a
 * child is exactly the difference of two others.
 * A histogram has one pair of sums, i64[2], per bin of every column. STARTS: u32[columns of all blocks], the address of
 * each column's first pair, from the beginning of the histogram. Columns that only fill the last block share one pair.
 * TREES block: learning/fields.ts.
 */
import {
  TREES_BINS, TREES_STARTS, TREES_ROWS, TREES_COLUMNS, TREES_BIN_COUNTS, TREES_KINDS, TREES_ACTIVE, TREES_ORDER,
  TREES_UNIT_G_F64, TREES_UNIT_H_F64, TREES_L1_F64, TREES_L2_F64, TREES_MIN_HESSIAN_F64, TREES_MONOTONE, TREES_COUNT_UNIT_F64,
  TREES_MIN_ROWS_F64, TREES_CATEGORY_L2_F64, TREES_MOST_ONE_VS_REST, TREES_SMOOTH_F64,
  SPLIT_GAIN_F64, SPLIT_COLUMN, SPLIT_BIN, SPLIT_MISSING_LEFT, SPLIT_LEFT_G, SPLIT_LEFT_H, SPLIT_TABLE, SPLIT_LOW_F64, SPLIT_HIGH_F64,
  SPLIT_LEFT_WEIGHT_F64, SPLIT_RIGHT_WEIGHT_F64, SPLIT_LEFT_ROWS_F64,
} from "../../src/learning/fields";

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

/** Returns the position of x's bits in the order of floats. NaN comes last. */
function keyOf(x: f32): u32 {
  if (x != x) return 0xffffffff;
  // Without this addition, −0 would come before 0.
  const bits = reinterpret<u32>(x + 0);
  return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}

function valueAt(from: usize, isF64: bool): f32 {
  return isF64 ? <f32>load<f64>(from) : load<f32>(from);
}

/**
 * Writes (key, row) of each present value of a column to `keys`: u32[rows][2], sorted by key. Returns the number of
 * present values. `other` and `counts` are buffers: u32[rows][2] and u32[2048].
 */
export function treesSort(values: usize, stride: usize, isF64: bool, rows: u32, keys: usize, other: usize, counts: usize): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < rows; i++, values += stride) {
    const key = keyOf(valueAt(values, isF64));
    if (key == 0xffffffff) continue;
    store<u32>(keys + (<usize>count << 3), key);
    store<u32>(keys + (<usize>count << 3), i, 4);
    count++;
  }
  let from = keys, to = other;
  for (let shift: u32 = 0; shift < 33; shift += 11) {
    memory.fill(counts, 0, 8192);
    const end = from + (<usize>count << 3);
    for (let p = from; p < end; p += 8) {
      const at = counts + (<usize>((load<u32>(p) >>> shift) & 2047) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
    let sum: u32 = 0;
    for (let p = counts; p < counts + 8192; p += 4) {
      const own = load<u32>(p);
      store<u32>(p, sum);
      sum += own;
    }
    for (let p = from; p < end; p += 8) {
      const pair = load<u64>(p);
      const at = counts + (<usize>((<u32>pair >>> shift) & 2047) << 2);
      const place = load<u32>(at);
      store<u32>(at, place + 1);
      store<u64>(to + (<usize>place << 3), pair);
    }
    const swapped = from;
    from = to;
    to = swapped;
  }
  // After three passes, the sorted pairs are in the other buffer.
  memory.copy(keys, from, <usize>count << 3);
  return count;
}

/**
 * Writes the bins of one column. `cuts`: f32[count], ascending. The bin of x is the number of cuts <= x. A missing value
 * gets bin count + 1. `bins`: address of the byte of row 0; rows are eight bytes apart.
 */
export function treesBin(values: usize, stride: usize, isF64: bool, rows: u32, cuts: usize, count: u32, bins: usize): void {
  for (let i: u32 = 0; i < rows; i++, values += stride, bins += 8) {
    const x = valueAt(values, isF64);
    if (x != x) {
      store<u8>(bins, count + 1);
      continue;
    }
    let first: u32 = 0, left = count;
    while (left > 0) {
      const half = left >>> 1;
      const isLess = load<f32>(cuts + (<usize>(first + half) << 2)) <= x;
      first = isLess ? first + half + 1 : first;
      left = isLess ? left - half - 1 : half;
    }
    store<u8>(bins, first);
  }
}

/**
 * Writes the bins of a category: the index of its level through `places`: u8[levels]. A missing value, or an index
 * outside of the levels, gets `missing`.
 */
export function treesBinCategory(values: usize, stride: usize, isF64: bool, rows: u32, places: usize, levels: u32, missing: u32, bins: usize): void {
  for (let i: u32 = 0; i < rows; i++, values += stride, bins += 8) {
    const x = valueAt(values, isF64);
    store<u8>(bins, x >= 0 && x < <f32>levels ? load<u8>(places + <usize><u32>x) : missing);
  }
}

/** Returns the largest absolute value of f64[count], or NaN if a value is NaN. */
export function treesLargest(values: usize, count: u32): f64 {
  let largest: f64 = 0;
  for (const end = values + (<usize>count << 3); values < end; values += 8) {
    const size = Math.abs(load<f64>(values));
    if (size != size) return size;
    largest = Math.max(largest, size);
  }
  return largest;
}

/** Returns the smallest value of f64[count]. */
export function treesSmallest(values: usize, count: u32): f64 {
  let smallest = Infinity;
  for (const end = values + (<usize>count << 3); values < end; values += 8) smallest = Math.min(smallest, load<f64>(values));
  return smallest;
}

/** Writes the pairs (g × scaleG, h × scaleH), rounded to whole numbers. */
export function treesRound(g: usize, h: usize, rows: u32, scaleG: f64, scaleH: f64, gradients: usize): void {
  for (const end = g + (<usize>rows << 3); g < end; g += 8, h += 8, gradients += 16) {
    store<i64>(gradients, <i64>nearest(load<f64>(g) * scaleG));
    store<i64>(gradients, <i64>nearest(load<f64>(h) * scaleH), 8);
  }
}

/** Adds up the pairs of the rows to `sums`: i64[2]. */
export function treesSums(gradients: usize, rows: usize, count: u32, sums: usize): void {
  let sum = i64x2.splat(0);
  for (const end = rows + (<usize>count << 2); rows < end; rows += 4)
    sum = i64x2.add(sum, v128.load(gradients + (<usize>load<u32>(rows) << 4)));
  v128.store(sums, sum);
}

function add(at: usize, pair: v128): void {
  v128.store(at, i64x2.add(v128.load(at), pair));
}

/** Computes the part of a node's histogram that belongs to the blocks [from, to). `gradients`: the pairs to sum. */
export function treesHistogram(trees: usize, gradients: usize, rows: usize, count: u32, histogram: usize, from: u32, to: u32): void {
  const starts = u(trees, TREES_STARTS);
  const rowCount = u(trees, TREES_ROWS);
  for (let b = from; b < to; b++) {
    const own = starts + (<usize>b << 5);
    const first = load<u32>(own);
    // The next block begins where this one ends. The last entry is the size of the histogram.
    memory.fill(histogram + first, 0, load<u32>(own, 32) - first);
    const h0 = histogram + first, h1 = histogram + load<u32>(own, 4), h2 = histogram + load<u32>(own, 8), h3 = histogram + load<u32>(own, 12);
    const h4 = histogram + load<u32>(own, 16), h5 = histogram + load<u32>(own, 20), h6 = histogram + load<u32>(own, 24), h7 = histogram + load<u32>(own, 28);
    const bins = u(trees, TREES_BINS) + <usize>b * (rowCount << 3);
    for (let p = rows, end = rows + (<usize>count << 2); p < end; p += 4) {
      const row = <usize>load<u32>(p);
      const pair = v128.load(gradients + (row << 4));
      const low = load<u32>(bins + (row << 3)), high = load<u32>(bins + (row << 3), 4);
      add(h0 + ((low << 4) & 0xff0), pair);
      add(h1 + ((low >>> 4) & 0xff0), pair);
      add(h2 + ((low >>> 12) & 0xff0), pair);
      add(h3 + ((low >>> 20) & 0xff0), pair);
      add(h4 + ((high << 4) & 0xff0), pair);
      add(h5 + ((high >>> 4) & 0xff0), pair);
      add(h6 + ((high >>> 12) & 0xff0), pair);
      add(h7 + ((high >>> 20) & 0xff0), pair);
    }
  }
}

/** Subtracts a histogram of `bytes` bytes: into −= other. */
export function treesSubtract(into: usize, other: usize, bytes: usize): void {
  for (const end = into + bytes; into < end; into += 16, other += 16)
    v128.store(into, i64x2.sub(v128.load(into), v128.load(other)));
}

/** Sum of gradients after L1: towards 0 by l1. */
function shrunk(g: f64, l1: f64): f64 {
  return Math.abs(g) > l1 ? g - copysign<f64>(l1, g) : 0;
}

/** The value that minimises g w + (h + l2) w²/2 + l1 |w| within [low, high]. */
function weightOf(g: f64, h: f64, l1: f64, l2: f64, low: f64, high: f64): f64 {
  const w = -shrunk(g, l1) / (h + l2);
  return Math.min(high, Math.max(low, w));
}

/** Twice the reduction of the objective by the value w. */
function scoreAt(w: f64, g: f64, h: f64, l1: f64, l2: f64): f64 {
  return -(2 * (g * w + l1 * Math.abs(w)) + (h + l2) * w * w);
}

// State of the search, set by treesSplit before the columns are scanned.
let best: usize = 0;
let unitG: f64 = 0, unitH: f64 = 0, lambda1: f64 = 0, lambda2: f64 = 0, minHessian: f64 = 0, minCount: f64 = 0, countUnit: f64 = 0;
let low: f64 = 0, high: f64 = 0;
let nodeG: i64 = 0, nodeH: i64 = 0, nodeCount: f64 = 0;

/**
 * Returns twice the score of a division into left sums (g, h) and the rest, or −1 if it is not allowed. `count`: number
 * of rows on the left. `way`: −1, 0 or 1, the direction in which the values must not fall.
 */
function scoreOf(g: i64, h: i64, count: f64, way: i32, l2: f64): f64 {
  const hl = <f64>h * unitH, hr = <f64>(nodeH - h) * unitH;
  if (hl < minHessian || hr < minHessian || count < minCount || nodeCount - count < minCount) return -1;
  const gl = <f64>g * unitG, gr = <f64>(nodeG - g) * unitG;
  if (way == 0 && low == -Infinity && high == Infinity) {
    const sl = shrunk(gl, lambda1), sr = shrunk(gr, lambda1);
    return (sl * sl) / (hl + l2) + (sr * sr) / (hr + l2);
  }
  const wl = weightOf(gl, hl, lambda1, l2, low, high), wr = weightOf(gr, hr, lambda1, l2, low, high);
  if (<f64>way * (wr - wl) < 0) return -1;
  return scoreAt(wl, gl, hl, lambda1, l2) + scoreAt(wr, gr, hr, lambda1, l2);
}

function keep(score: f64, column: u32, bin: u32, missingLeft: bool, g: i64, h: i64, count: f64): void {
  store<f64>(best + SPLIT_GAIN_F64, score);
  store<u32>(best + SPLIT_COLUMN, column);
  store<u32>(best + SPLIT_BIN, bin);
  store<u32>(best + SPLIT_MISSING_LEFT, missingLeft ? 1 : 0);
  store<i64>(best + SPLIT_LEFT_G, g);
  store<i64>(best + SPLIT_LEFT_H, h);
  store<f64>(best + SPLIT_LEFT_ROWS_F64, count);
}

function countAt(counts: usize, at: usize, h: i64): f64 {
  return counts ? <f64>load<i64>(counts + at) : <f64>h * countUnit;
}

/** `scoreOf` without L1, directions and bounds, of sums whose parts are allowed. Both sides are computed as one vector. */
// @ts-ignore: decorator
@inline
function plainScore(g: i64, h: i64, units: v128, hUnits: v128, l2: v128): f64 {
  const slopes = f64x2.mul(f64x2.replace_lane(f64x2.splat(<f64>g), 1, <f64>(nodeG - g)), units);
  const curvatures = f64x2.mul(f64x2.replace_lane(f64x2.splat(<f64>h), 1, <f64>(nodeH - h)), hUnits);
  const scores = f64x2.div(f64x2.mul(slopes, slopes), f64x2.add(curvatures, l2));
  const allowed = f64x2.ge(curvatures, f64x2.splat(minHessian));
  return i64x2.all_true(allowed) ? f64x2.extract_lane(scores, 0) + f64x2.extract_lane(scores, 1) : -1;
}

/** `scanNumbers` without L1, directions, bounds and a smallest number of rows. It finds the same divisions. */
function scanPlainly(column: u32, histogram: usize, bins: u32): void {
  const missing = <usize>(bins - 1) << 4;
  const gm = load<i64>(histogram + missing), hm = load<i64>(histogram + missing, 8);
  const hasMissing = gm != 0 || hm != 0;
  const units = f64x2.splat(unitG), hUnits = f64x2.splat(unitH), l2 = f64x2.splat(lambda2);
  let g: i64 = 0, h: i64 = 0;
  let top = load<f64>(best + SPLIT_GAIN_F64);
  const end = histogram + (<usize>(hasMissing ? bins - 1 : bins - 2) << 4);
  for (let at = histogram; at < end; at += 16) {
    const ownG = load<i64>(at), ownH = load<i64>(at, 8);
    if (ownG == 0 && ownH == 0) continue;
    g += ownG;
    h += ownH;
    const score = plainScore(g, h, units, hUnits, l2);
    if (score > top) {
      top = score;
      keep(score, column, <u32>((at - histogram) >>> 4), false, g, h, 0);
    }
    if (!hasMissing) continue;
    const other = plainScore(g + gm, h + hm, units, hUnits, l2);
    if (other > top) {
      top = other;
      keep(other, column, <u32>((at - histogram) >>> 4), true, g + gm, h + hm, 0);
    }
  }
}

/** Scans the cuts of a column of numbers. A cut after an empty bin is the same division as the cut before it. */
function scanNumbers(column: u32, histogram: usize, counts: usize, bins: u32, way: i32): void {
  if (way == 0 && low == -Infinity && high == Infinity && lambda1 == 0 && !counts && countUnit == 0) {
    scanPlainly(column, histogram, bins);
    return;
  }
  const missing = <usize>(bins - 1) << 4;
  const gm = load<i64>(histogram + missing), hm = load<i64>(histogram + missing, 8);
  const cm = countAt(counts, missing, hm);
  const hasMissing = gm != 0 || hm != 0;
  let g: i64 = 0, h: i64 = 0, count: f64 = 0;
  let top = load<f64>(best + SPLIT_GAIN_F64);
  const end = hasMissing ? bins - 1 : bins - 2;
  for (let b: u32 = 0; b < end; b++) {
    const at = <usize>b << 4;
    const ownG = load<i64>(histogram + at), ownH = load<i64>(histogram + at, 8);
    if (ownG == 0 && ownH == 0) continue;
    g += ownG;
    h += ownH;
    count += countAt(counts, at, ownH);
    const score = scoreOf(g, h, count, way, lambda2);
    if (score > top) {
      top = score;
      keep(score, column, b, false, g, h, count);
    }
    if (!hasMissing) continue;
    const other = scoreOf(g + gm, h + hm, count + cm, way, lambda2);
    if (other > top) {
      top = other;
      keep(other, column, b, true, g + gm, h + hm, count + cm);
    }
  }
}

/**
 * Scans the divisions of a column of categories. With few levels, one level against the rest. Otherwise, the levels are
 * ordered by their value g/(h + smooth), and all divisions of this order are tried. `order`: u32[256].
 */
function scanCategories(trees: usize, column: u32, histogram: usize, counts: usize, bins: u32): void {
  const order = u(trees, TREES_ORDER), table = best + SPLIT_TABLE;
  const smooth = load<f64>(trees + TREES_SMOOTH_F64), l2 = lambda2 + load<f64>(trees + TREES_CATEGORY_L2_F64);
  let present: u32 = 0;
  for (let b: u32 = 0; b < bins; b++) {
    const at = <usize>b << 4;
    const g = load<i64>(histogram + at), h = load<i64>(histogram + at, 8);
    if (g == 0 && h == 0) continue;
    const ratio = (<f64>g * unitG) / (<f64>h * unitH + smooth);
    let place = present++;
    for (; place > 0; place--) {
      const before = load<u32>(order + (<usize>(place - 1) << 2));
      const old = <usize>before << 4;
      const other = (<f64>load<i64>(histogram + old) * unitG) / (<f64>load<i64>(histogram + old, 8) * unitH + smooth);
      if (other <= ratio) break;
      store<u32>(order + (<usize>place << 2), before);
    }
    store<u32>(order + (<usize>place << 2), b);
  }
  const single = bins - 1 <= load<u32>(trees + TREES_MOST_ONE_VS_REST);
  let g: i64 = 0, h: i64 = 0, count: f64 = 0;
  let found: i32 = -1;
  for (let k: u32 = 0; k + (single ? 0 : 1) < present; k++) {
    const at = <usize>load<u32>(order + (<usize>k << 2)) << 4;
    if (single) {
      g = 0;
      h = 0;
      count = 0;
    }
    g += load<i64>(histogram + at);
    h += load<i64>(histogram + at, 8);
    count += countAt(counts, at, load<i64>(histogram + at, 8));
    const score = scoreOf(g, h, count, 0, single ? lambda2 : l2);
    if (score <= load<f64>(best + SPLIT_GAIN_F64)) continue;
    found = k;
    keep(score, column, 0, false, g, h, count);
  }
  if (found < 0) return;
  // Levels without rows in this node go where the larger part goes.
  const rest: u8 = <f64>load<i64>(best + SPLIT_LEFT_H) * 2 < <f64>nodeH ? 1 : 0;
  memory.fill(table, rest, 256);
  for (let k: u32 = 0; k < present; k++) {
    const isLeft = single ? k == <u32>found : k <= <u32>found;
    store<u8>(table + <usize>load<u32>(order + (<usize>k << 2)), isLeft ? 0 : 1);
  }
  store<u32>(best + SPLIT_MISSING_LEFT, load<u8>(table + bins - 1) ? 0 : 1);
}

/**
 * Finds the best division of a node with the sums (g, h) at `sums` and `count` rows, and writes it to the SPLIT block.
 * `counts`: histogram of row counts in its first numbers, or 0 if rows follow from h. The gain is the reduction of
 * Σ g w + h w²/2 + penalties, and it is 0 or less if no division is allowed. TABLE[bin] is 1 for bins that go right.
 */
export function treesSplit(trees: usize, histogram: usize, counts: usize, sums: usize, count: f64, split: usize): void {
  best = split;
  unitG = load<f64>(trees + TREES_UNIT_G_F64);
  unitH = load<f64>(trees + TREES_UNIT_H_F64);
  lambda1 = load<f64>(trees + TREES_L1_F64);
  lambda2 = load<f64>(trees + TREES_L2_F64);
  minHessian = load<f64>(trees + TREES_MIN_HESSIAN_F64);
  minCount = load<f64>(trees + TREES_MIN_ROWS_F64);
  countUnit = load<f64>(trees + TREES_COUNT_UNIT_F64);
  low = load<f64>(split + SPLIT_LOW_F64);
  high = load<f64>(split + SPLIT_HIGH_F64);
  nodeG = load<i64>(sums);
  nodeH = load<i64>(sums, 8);
  nodeCount = count;
  const g = <f64>nodeG * unitG, h = <f64>nodeH * unitH;
  const own = scoreAt(weightOf(g, h, lambda1, lambda2, low, high), g, h, lambda1, lambda2);
  store<f64>(split + SPLIT_GAIN_F64, own);
  const columns = load<u32>(trees + TREES_COLUMNS);
  const binCounts = u(trees, TREES_BIN_COUNTS), starts = u(trees, TREES_STARTS), kinds = u(trees, TREES_KINDS);
  const active = u(trees, TREES_ACTIVE), monotone = u(trees, TREES_MONOTONE);
  for (let j: u32 = 0; j < columns; j++) {
    if (!load<u8>(active + j)) continue;
    const start = load<u32>(starts + (<usize>j << 2));
    const bins = load<u32>(binCounts + (<usize>j << 2));
    const own = counts ? counts + start : 0;
    if (load<u8>(kinds + j)) scanCategories(trees, j, histogram + start, own, bins);
    else scanNumbers(j, histogram + start, own, bins, <i32>load<i8>(monotone + j));
  }
  const gain = (load<f64>(split + SPLIT_GAIN_F64) - own) / 2;
  store<f64>(split + SPLIT_GAIN_F64, gain);
  if (gain <= 0) return;
  const column = load<u32>(split + SPLIT_COLUMN);
  const lg = <f64>load<i64>(split + SPLIT_LEFT_G) * unitG, lh = <f64>load<i64>(split + SPLIT_LEFT_H) * unitH;
  store<f64>(split + SPLIT_LEFT_WEIGHT_F64, weightOf(lg, lh, lambda1, lambda2, low, high));
  store<f64>(split + SPLIT_RIGHT_WEIGHT_F64, weightOf(g - lg, h - lh, lambda1, lambda2, low, high));
  if (load<u8>(kinds + column)) return;
  const table = split + SPLIT_TABLE;
  const bin = load<u32>(split + SPLIT_BIN), bins = load<u32>(binCounts + (<usize>column << 2));
  // If no value was missing here, missing values will go where the larger part goes.
  const missing = histogram + load<u32>(starts + (<usize>column << 2)) + (<usize>(bins - 1) << 4);
  if (load<i64>(missing) == 0 && load<i64>(missing, 8) == 0) store<u32>(split + SPLIT_MISSING_LEFT, 2 * lh >= h ? 1 : 0);
  memory.fill(table, 1, 256);
  memory.fill(table, 0, bin + 1);
  store<u8>(table + bins - 1, load<u32>(split + SPLIT_MISSING_LEFT) ? 0 : 1);
}

/**
 * Divides the rows of a node in place, without changing their order: those whose bin has table 0 first. `bins`: address
 * of the byte of row 0; `other`: buffer of as many rows. Returns the number of rows on the left.
 */
export function treesDivide(bins: usize, rows: usize, count: u32, table: usize, other: usize): u32 {
  let left = rows, right = other;
  for (let p = rows, end = rows + (<usize>count << 2); p < end; p += 4) {
    const row = load<u32>(p);
    const goesRight = <usize>load<u8>(table + <usize>load<u8>(bins + (<usize>row << 3)));
    store<u32>(left, row);
    store<u32>(right, row);
    left += (1 - goesRight) << 2;
    right += goesRight << 2;
  }
  memory.copy(left, other, right - other);
  return <u32>((left - rows) >>> 2);
}

/** Adds a value to z of some rows: f64[rows]. */
export function treesAdd(z: usize, rows: usize, count: u32, value: f64): void {
  for (const end = rows + (<usize>count << 2); rows < end; rows += 4) {
    const at = z + (<usize>load<u32>(rows) << 3);
    store<f64>(at, load<f64>(at) + value);
  }
}
