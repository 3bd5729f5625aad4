/**
 * Trees with means in their leaves, for forests, extra trees and single trees. A call grows one tree from its own random
 * stream, so trees can grow in several workers, and the result does not depend on which worker grew it.
 *
 * Nodes are divided in the order of their numbers; the children of a node are appended together. A division maximises
 * Σ_k L_k²/W_l + Σ_k R_k²/W_r, where L_k and R_k are weighted sums of the targets of output k on both sides, and W_l and W_r
 * are sums of weights. For one output, this minimises the weighted variance; for classes, the Gini impurity. The first
 * of several equal divisions is taken. Layout of bins: trees.ts. Blocks: learning/fields.ts. Sums are exact to rounding.
 */
import { integer, seek, bits } from "../engine/random/random";
import { treesDivide } from "./trees";
import {
  FOREST_BINS, FOREST_ROWS, FOREST_COLUMNS, FOREST_BIN_COUNTS, FOREST_KINDS, FOREST_TARGETS, FOREST_WEIGHTS, FOREST_OUTPUTS,
  FOREST_PER_SPLIT, FOREST_DRAWS, FOREST_RANDOM, FOREST_DEPTH, FOREST_MIN_ROWS, FOREST_KEY_LOW, FOREST_KEY_HIGH, FOREST_MIN_GAIN_F64,
  GROWING_COUNTS, GROWING_LIST, GROWING_OTHER, GROWING_NODES, GROWING_VALUES, GROWING_SETS, GROWING_HISTOGRAM, GROWING_SUMS,
  GROWING_ORDER, GROWING_SHUFFLED, GROWING_TABLE,
  GROWN_NODE_FEATURE, GROWN_NODE_BIN, GROWN_NODE_MISSING_LEFT, GROWN_NODE_LEFT, GROWN_NODE_FROM, GROWN_NODE_COUNT, GROWN_NODE_DEPTH,
  GROWN_NODE_IS_SET, GROWN_NODE_GAIN_F64, GROWN_NODE_COVER_F64, GROWN_NODE_BYTES,
} from "../../src/learning/fields";

/** Scores that differ by at most this share are equal, because their sums are rounded. */
const TIE: f64 = 1e-12;

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

// The forest and the node that is being divided.
let bins: usize = 0, rowCount: usize = 0, targets: usize = 0, weights: usize = 0, counts: usize = 0;
let outputs: u32 = 0, isRandom: bool = false, minRows: f64 = 0;
let histogram: usize = 0, total: usize = 0, left: usize = 0, table: usize = 0, order: usize = 0;
let nodeWeight: f64 = 0, nodeCount: f64 = 0;

// The best division so far.
let bestScore: f64 = 0, bestColumn: u32 = 0, bestBin: u32 = 0, bestMissingLeft: bool = false, bestIsSet: bool = false;

/** Address of the sums of a bin. */
function sumsAt(bin: u32): usize {
  return histogram + (<usize>(bin * (outputs + 2)) << 3);
}

function weightAt(at: usize): f64 {
  return load<f64>(at + (<usize>outputs << 3));
}

function countAt(at: usize): f64 {
  return load<f64>(at + (<usize>outputs << 3), 8);
}

/** Address of the bin of row 0 in a column. The bins of other rows are eight bytes apart. */
function binsOf(column: u32): usize {
  return bins + <usize>(column >>> 3) * (rowCount << 3) + <usize>(column & 7);
}

/** Adds a row's target to the sums at an address, which hold the weight and the count after them. */
function addRow(at: usize, row: usize): void {
  const w = load<f64>(weights + (row << 3)) * <f64>load<u32>(counts + (row << 2));
  const t = load<f64>(targets + (row << 3));
  const place = outputs > 1 ? at + (<usize>t << 3) : at;
  store<f64>(place, load<f64>(place) + (outputs > 1 ? w : w * t));
  const end = at + (<usize>outputs << 3);
  store<f64>(end, load<f64>(end) + w);
  store<f64>(end, load<f64>(end, 8) + 1, 8);
}

/** Adds `from` to the sums `into`. */
function addSums(into: usize, from: usize): void {
  for (let k: usize = 0; k < <usize>outputs + 2; k++)
    store<f64>(into + (k << 3), load<f64>(into + (k << 3)) + load<f64>(from + (k << 3)));
}

/** Returns the score of a division with the sums `left` plus those at `more`, or −∞ if a side has too few rows. 0: none. */
function scoreOf(more: usize): f64 {
  const count = countAt(left) + (more ? countAt(more) : 0);
  const w = weightAt(left) + (more ? weightAt(more) : 0);
  if (count < minRows || nodeCount - count < minRows) return -Infinity;
  let own: f64 = 0, rest: f64 = 0;
  for (let k: usize = 0; k < <usize>outputs; k++) {
    const l = load<f64>(left + (k << 3)) + (more ? load<f64>(more + (k << 3)) : 0);
    const r = load<f64>(total + (k << 3)) - l;
    own += l * l;
    rest += r * r;
  }
  return own / w + rest / (nodeWeight - w);
}

function keep(score: f64, column: u32, bin: u32, missingLeft: bool, isSet: bool): bool {
  if (!(score > bestScore + TIE * Math.abs(score))) return false;
  bestScore = score;
  bestColumn = column;
  bestBin = bin;
  bestMissingLeft = missingLeft;
  bestIsSet = isSet;
  return true;
}

/**
 * Tries one cut with missing values on both sides. `left` holds the sums of the bins 0 … bin. Returns whether it is the
 * best so far.
 */
function tryCut(column: u32, bin: u32, missing: usize, isLast: bool): bool {
  const hasMissing = countAt(missing) > 0;
  if (isLast && !hasMissing) return false;
  // If no value is missing here, missing values will go where the larger part goes.
  const isBest = keep(scoreOf(0), column, bin, hasMissing ? false : 2 * weightAt(left) >= nodeWeight, false);
  return (hasMissing && !isLast && keep(scoreOf(missing), column, bin, true, false)) || isBest;
}

/** Searches a column of numbers. Returns false if all rows of the node are in one bin. */
function searchNumbers(column: u32, binCount: u32): bool {
  const missing = sumsAt(binCount - 1);
  let first: i32 = -1, last: i32 = -1;
  for (let b: u32 = 0; b + 1 < binCount; b++) {
    if (countAt(sumsAt(b)) == 0) continue;
    if (first < 0) first = b;
    last = b;
  }
  if (first < 0 || (first == last && countAt(missing) == 0)) return false;
  memory.fill(left, 0, <usize>(outputs + 2) << 3);
  const cut: i32 = !isRandom ? last : first == last ? last : first + <i32>integer(<u32>(last - first));
  let best: i32 = -1;
  for (let b = first; b <= cut; b++) {
    const at = sumsAt(<u32>b);
    if (countAt(at) == 0 && !isRandom) continue;
    // Between two bins with rows of the node, every cut divides these rows in the same way. The middle is taken.
    if (best >= 0) bestBin = <u32>(best + ((b - 1 - best) >>> 1));
    best = -1;
    if (countAt(at) > 0) addSums(left, at);
    if ((!isRandom || b == cut) && tryCut(column, <u32>b, missing, b == last) && !isRandom) best = b;
  }
  return true;
}

/** Value by which levels are ordered: their mean or, for several classes, their share of the node's commonest class. */
function ratioOf(at: usize, output: u32): f64 {
  return load<f64>(at + (<usize>output << 3)) / weightAt(at);
}

/** Searches a column of categories. Returns false if all rows of the node have one level. */
function searchLevels(column: u32, binCount: u32): bool {
  let common: u32 = 0;
  for (let k: u32 = 1; k < outputs; k++)
    if (load<f64>(total + (<usize>k << 3)) > load<f64>(total + (<usize>common << 3))) common = k;
  let present: u32 = 0;
  for (let b: u32 = 0; b < binCount; b++) {
    const at = sumsAt(b);
    if (countAt(at) == 0) continue;
    const ratio = ratioOf(at, common);
    let place = present++;
    for (; place > 0 && !isRandom; place--) {
      const before = load<u32>(order + (<usize>(place - 1) << 2));
      if (ratioOf(sumsAt(before), common) <= ratio) break;
      store<u32>(order + (<usize>place << 2), before);
    }
    store<u32>(order + (<usize>place << 2), b);
  }
  if (present < 2) return false;
  memory.fill(left, 0, <usize>(outputs + 2) << 3);
  const other = table + 256;
  if (isRandom) {
    // Each level goes to a random side. If all go to one side, a random level changes sides.
    let right: u32 = 0;
    memory.fill(other, 0, 256);
    for (let k: u32 = 0; k < present; k++) {
      const goesRight = bits() & 1;
      right += goesRight;
      store<u8>(other + u(order, <usize>k << 2), goesRight);
    }
    if (right == 0 || right == present) {
      const at = other + u(order, <usize>integer(present) << 2);
      store<u8>(at, 1 - load<u8>(at));
    }
    for (let k: u32 = 0; k < present; k++) {
      const b = load<u32>(order + (<usize>k << 2));
      if (!load<u8>(other + b)) addSums(left, sumsAt(b));
    }
    if (keep(scoreOf(0), column, 0, false, true)) finishTable(other, present, binCount);
    return true;
  }
  for (let k: u32 = 0; k + 1 < present; k++) {
    addSums(left, sumsAt(load<u32>(order + (<usize>k << 2))));
    if (!keep(scoreOf(0), column, 0, false, true)) continue;
    memory.fill(other, 0, 256);
    for (let n = k + 1; n < present; n++) store<u8>(other + u(order, <usize>n << 2), 1);
    finishTable(other, present, binCount);
  }
  return true;
}

/** Copies the table of the best division. Levels without rows in the node go where the larger part goes. */
function finishTable(from: usize, present: u32, binCount: u32): void {
  const rest: u8 = 2 * weightAt(left) < nodeWeight ? 1 : 0;
  memory.fill(table, rest, 256);
  for (let k: u32 = 0; k < present; k++) {
    const b = u(order, <usize>k << 2);
    store<u8>(table + b, load<u8>(from + b));
  }
  bestMissingLeft = load<u8>(table + <usize>(binCount - 1)) == 0;
}

/** Writes the sums of some rows to the histogram of a column, or to one place for all if `column` is 0. */
function sumRows(into: usize, column: usize, rows: usize, count: u32): void {
  for (const end = rows + (<usize>count << 2); rows < end; rows += 4) {
    const row = <usize>load<u32>(rows);
    addRow(column ? sumsAt(<u32>load<u8>(column + (row << 3))) : into, row);
  }
}

function isPure(rows: usize, count: u32): bool {
  const first = load<f64>(targets + (<usize>load<u32>(rows) << 3));
  for (const end = rows + (<usize>count << 2); rows < end; rows += 4)
    if (load<f64>(targets + (<usize>load<u32>(rows) << 3)) != first) return false;
  return true;
}

/** Draws the rows of a tree and lists them in ascending order. Rows of weight 0 are left out. Returns their number. */
function drawRows(forest: usize, list: usize): u32 {
  const draws = load<u32>(forest + FOREST_DRAWS), rows = <u32>rowCount;
  if (draws) {
    memory.fill(counts, 0, rowCount << 2);
    for (let k: u32 = 0; k < draws; k++) {
      const at = counts + (<usize>integer(rows) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
  } else for (let i: usize = 0; i < rowCount; i++) store<u32>(counts + (i << 2), 1);
  let listed: u32 = 0;
  for (let i: usize = 0; i < rowCount; i++) {
    if (!load<u32>(counts + (i << 2)) || !(load<f64>(weights + (i << 3)) > 0)) continue;
    store<u32>(list + (<usize>listed << 2), <u32>i);
    listed++;
  }
  return listed;
}

/** Searches the columns of a node, in random order unless all are tried. */
function searchColumns(forest: usize, growing: usize, rows: usize, count: u32): void {
  const columns = load<u32>(forest + FOREST_COLUMNS), most = load<u32>(forest + FOREST_PER_SPLIT);
  const binCounts = u(forest, FOREST_BIN_COUNTS), kinds = u(forest, FOREST_KINDS), shuffled = u(growing, GROWING_SHUFFLED);
  let tried: u32 = 0;
  // Columns that are constant in the node do not count.
  for (let k: u32 = 0; k < columns && tried < most; k++) {
    const own = shuffled + (<usize>k << 2);
    if (most < columns) {
      const chosen = shuffled + (<usize>(k + integer(columns - k)) << 2);
      const swapped = load<u32>(own);
      store<u32>(own, load<u32>(chosen));
      store<u32>(chosen, swapped);
    }
    const column = load<u32>(own);
    const binCount = load<u32>(binCounts + (<usize>column << 2));
    memory.fill(histogram, 0, <usize>(binCount * (outputs + 2)) << 3);
    sumRows(0, binsOf(column), rows, count);
    if (load<u8>(kinds + column) ? searchLevels(column, binCount) : searchNumbers(column, binCount)) tried++;
  }
}

/** Grows tree number `tree`. Returns its number of nodes. */
export function forestsGrow(forest: usize, growing: usize, tree: f64): u32 {
  seek(load<u32>(forest + FOREST_KEY_LOW), load<u32>(forest + FOREST_KEY_HIGH), tree);
  bins = u(forest, FOREST_BINS);
  rowCount = u(forest, FOREST_ROWS);
  targets = u(forest, FOREST_TARGETS);
  weights = u(forest, FOREST_WEIGHTS);
  outputs = load<u32>(forest + FOREST_OUTPUTS);
  isRandom = load<u32>(forest + FOREST_RANDOM) == 1;
  minRows = <f64>load<u32>(forest + FOREST_MIN_ROWS);
  counts = u(growing, GROWING_COUNTS);
  histogram = u(growing, GROWING_HISTOGRAM);
  total = u(growing, GROWING_SUMS);
  left = total + (<usize>(outputs + 2) << 3);
  table = u(growing, GROWING_TABLE);
  order = u(growing, GROWING_ORDER);
  const list = u(growing, GROWING_LIST), nodes = u(growing, GROWING_NODES), values = u(growing, GROWING_VALUES);
  const sets = u(growing, GROWING_SETS), shuffled = u(growing, GROWING_SHUFFLED), other = u(growing, GROWING_OTHER);
  const columns = load<u32>(forest + FOREST_COLUMNS), kinds = u(forest, FOREST_KINDS), binCounts = u(forest, FOREST_BIN_COUNTS);
  const depth = load<u32>(forest + FOREST_DEPTH), minGain = load<f64>(forest + FOREST_MIN_GAIN_F64);
  for (let j: u32 = 0; j < columns; j++) store<u32>(shuffled + (<usize>j << 2), j);
  memory.fill(nodes, 0, GROWN_NODE_BYTES);
  store<u32>(nodes + GROWN_NODE_COUNT, drawRows(forest, list));
  let end: u32 = 1;
  for (let n: u32 = 0; n < end; n++) {
    const node = nodes + <usize>n * GROWN_NODE_BYTES;
    const count = load<u32>(node + GROWN_NODE_COUNT);
    const rows = list + (u(node, GROWN_NODE_FROM) << 2);
    memory.fill(total, 0, <usize>(outputs + 2) << 3);
    sumRows(total, 0, rows, count);
    nodeWeight = weightAt(total);
    nodeCount = <f64>count;
    store<f64>(node + GROWN_NODE_COVER_F64, nodeWeight);
    store<i32>(node + GROWN_NODE_FEATURE, -1);
    let own: f64 = 0;
    for (let k: u32 = 0; k < outputs; k++) {
      const sum = load<f64>(total + (<usize>k << 3));
      const value = values + (<usize>(n * outputs + k) << 3);
      store<f64>(value, count == 0 ? 0 : sum / nodeWeight);
      own += sum * sum;
    }
    own /= nodeWeight;
    if (load<u32>(node + GROWN_NODE_DEPTH) >= depth || nodeCount < 2 * minRows || count < 2 || isPure(rows, count)) continue;
    bestScore = -Infinity;
    searchColumns(forest, growing, rows, count);
    const gain = bestScore - own;
    if (bestScore == -Infinity || (minGain > 0 && gain < minGain)) continue;
    if (!bestIsSet) {
      memory.fill(table, 1, 256);
      memory.fill(table, 0, bestBin + 1);
      store<u8>(table + u(binCounts, <usize>bestColumn << 2) - 1, bestMissingLeft ? 0 : 1);
    }
    const split = treesDivide(binsOf(bestColumn), rows, count, table, other);
    store<i32>(node + GROWN_NODE_FEATURE, <i32>bestColumn);
    store<u32>(node + GROWN_NODE_BIN, bestBin);
    store<u32>(node + GROWN_NODE_MISSING_LEFT, bestMissingLeft ? 1 : 0);
    store<u32>(node + GROWN_NODE_LEFT, end);
    store<u32>(node + GROWN_NODE_IS_SET, load<u8>(kinds + bestColumn));
    store<f64>(node + GROWN_NODE_GAIN_F64, Math.max(0, gain));
    if (bestIsSet) {
      const set = sets + (<usize>n << 5);
      memory.fill(set, 0, 32);
      for (let b: usize = 0; b < 256; b++)
        if (load<u8>(table + b)) store<u8>(set + (b >>> 3), load<u8>(set + (b >>> 3)) | (1 << (<u8>b & 7)));
    }
    for (let side: u32 = 0; side < 2; side++) {
      const child = nodes + <usize>end * GROWN_NODE_BYTES;
      end++;
      memory.fill(child, 0, GROWN_NODE_BYTES);
      store<u32>(child + GROWN_NODE_FROM, load<u32>(node + GROWN_NODE_FROM) + (side ? split : 0));
      store<u32>(child + GROWN_NODE_COUNT, side ? count - split : split);
      store<u32>(child + GROWN_NODE_DEPTH, load<u32>(node + GROWN_NODE_DEPTH) + 1);
    }
  }
  return end;
}

/**
 * Adds the values of a tree to z of all rows, f64[rows][outputs]. If `out` is not 0, adds the values of rows that the
 * tree did not draw to `out`, too, and counts these rows in `outCounts`: u32[rows].
 */
export function forestsAdd(forest: usize, growing: usize, z: usize, out: usize, outCounts: usize): void {
  const rows = u(forest, FOREST_ROWS), outputs = u(forest, FOREST_OUTPUTS), binCounts = u(forest, FOREST_BIN_COUNTS);
  const nodes = u(growing, GROWING_NODES), values = u(growing, GROWING_VALUES), sets = u(growing, GROWING_SETS);
  const counts = u(growing, GROWING_COUNTS), bins = u(forest, FOREST_BINS);
  for (let i: usize = 0; i < rows; i++) {
    let n: usize = 0;
    for (;;) {
      const node = nodes + n * GROWN_NODE_BYTES;
      const feature = load<i32>(node + GROWN_NODE_FEATURE);
      if (feature < 0) break;
      const bin = <u32>load<u8>(bins + <usize>(feature >>> 3) * (rows << 3) + (i << 3) + <usize>(feature & 7));
      let right: bool;
      if (load<u32>(node + GROWN_NODE_IS_SET)) right = ((load<u8>(sets + (n << 5) + <usize>(bin >>> 3)) >>> (<u8>bin & 7)) & 1) == 1;
      else if (bin + 1 == load<u32>(binCounts + (<usize>feature << 2))) right = load<u32>(node + GROWN_NODE_MISSING_LEFT) == 0;
      else right = bin > load<u32>(node + GROWN_NODE_BIN);
      n = u(node, GROWN_NODE_LEFT) + (right ? 1 : 0);
    }
    const isOut = out != 0 && load<u32>(counts + (i << 2)) == 0;
    if (isOut) store<u32>(outCounts + (i << 2), load<u32>(outCounts + (i << 2)) + 1);
    for (let k: usize = 0; k < outputs; k++) {
      const value = load<f64>(values + ((n * outputs + k) << 3));
      const at = (i * outputs + k) << 3;
      store<f64>(z + at, load<f64>(z + at) + value);
      if (isOut) store<f64>(out + at, load<f64>(out + at) + value);
    }
  }
}
