/**
 * Sparse sweeps over a clique. A sparse sweep visits only the outer states that can be nonzero. On each axis, a sweep
 * follows only the states that every support allows after the states already chosen on earlier axes.
 *
 * A support of some axes is a tree. Level l has one node for each combination of states on the earlier axes that leads
 * to a table entry. For every 32 states of its axis, a node holds a u32 whose bits mark the allowed states. The node
 * also holds the index of a node on the next level, which belongs to the first allowed state. The next-level nodes for
 * the other allowed states follow in order. Below the last level, the nodes are the blocks of a table.
 *
 * cliqueSparseSum, …Max, …LogSum(clique, steps): same as cliqueSum, cliqueMax and cliqueLogSum in clique.ts, but only
 * for the outer states that are reached. cliqueSupportCount(clique, steps): COUNTS[k] receives the number of distinct
 * states of the first k axes, and LEAVES the number of leaves reached. cliqueSupportBuild(clique, steps): builds the
 * support of the first KEPT axes in LEVELS, which must be zero and large enough. Each call takes at most `steps` steps
 * and returns the number of steps taken. The returned number is smaller than `steps` only if the sweep has ended.
 * clique: a CLIQUE block (graphs/fields.ts) with a SUPPORT block.
 */
import { addTo, join, loadTable, LogSum, Max, Sum } from "./clique";
import {
  CLIQUE_AXES, CLIQUE_DIGITS, CLIQUE_INNER, CLIQUE_OUTPUTS, CLIQUE_OUTPUT_COUNT, CLIQUE_PRODUCT, CLIQUE_SUPPORT, CLIQUE_TABLES, CLIQUE_TABLE_COUNT,
  LINK_BYTES, LINK_LEVEL, LINK_NEXT, LINK_NODE, PATTERN_BASE, PATTERN_BLOCK, PATTERN_BYTES, PATTERN_NODE, PATTERN_STRIDES, SUPPORT_ALLOWED,
  SUPPORT_AT, SUPPORT_BASES, SUPPORT_BEGUN, SUPPORT_CHANGED, SUPPORT_COUNTS, SUPPORT_KEPT, SUPPORT_LEAVES_F64, SUPPORT_LEVELS, SUPPORT_LINKS,
  SUPPORT_LINK_STARTS, SUPPORT_REST, SUPPORT_STARTS, LEVEL_BYTES, LEVEL_STATES, LEVEL_BEFORE,
} from "../../src/graphs/fields";

// Further modes of a sweep, which differ in the work at a leaf.
type Count = u64;
type Build = f32;

function isBits<Mode>(): bool {
  return isFloat<Mode>() || sizeof<Mode>() == sizeof<Count>();
}

/** Enters axis `k`: computes the states that all supports allow. */
function enter(support: usize, k: i32): void {
  const starts = <usize>load<u32>(support, SUPPORT_STARTS) + (<usize>k << 2);
  const first = load<u32>(starts), words = load<u32>(starts, 4) - first;
  const linkStarts = <usize>load<u32>(support, SUPPORT_LINK_STARTS) + (<usize>k << 2);
  const links = <usize>load<u32>(support, SUPPORT_LINKS);
  const linksEnd = links + <usize>load<u32>(linkStarts, 4) * LINK_BYTES;
  const linksFirst = links + <usize>load<u32>(linkStarts) * LINK_BYTES;
  for (let word: u32 = 0; word < words; word++) {
    const at = <usize>(first + word) << 2;
    let states = load<u32>(<usize>load<u32>(support, SUPPORT_ALLOWED) + at);
    for (let link = linksFirst; link < linksEnd; link += LINK_BYTES) {
      const node = load<u32>(<usize>load<u32>(link, LINK_NODE)) * words + word;
      states &= load<u32>(<usize>load<u32>(link, LINK_LEVEL) + <usize>node * LEVEL_BYTES, LEVEL_STATES);
    }
    store<u32>(<usize>load<u32>(support, SUPPORT_REST) + at, states);
  }
}

/** Adds a leaf's states to the support that is being built. */
function append(support: usize, digits: usize): void {
  const kept = load<u32>(support, SUPPORT_KEPT);
  const counts = <usize>load<u32>(support, SUPPORT_COUNTS);
  const starts = <usize>load<u32>(support, SUPPORT_STARTS);
  for (let k = load<u32>(support, SUPPORT_CHANGED), changed = k; k < kept; k++) {
    const count = counts + (<usize>k << 3);
    // All nodes above the first axis with a changed state exist already, and so does the node at that axis, except at
    // the first leaf.
    if (k > changed || load<f64>(count) == 0) store<f64>(count, load<f64>(count) + 1);
    const digit = load<u32>(digits + (<usize>k << 2));
    const words = load<u32>(starts + (<usize>k << 2), 4) - load<u32>(starts + (<usize>k << 2));
    const place = <usize>((<u32>load<f64>(count) - 1) * words + (digit >> 5)) * LEVEL_BYTES;
    const node = <usize>load<u32>(<usize>load<u32>(support, SUPPORT_LEVELS) + (<usize>k << 2)) + place;
    const states = load<u32>(node, LEVEL_STATES);
    if (states == 0) store<u32>(node, <u32>load<f64>(count, 8), LEVEL_BEFORE);
    store<u32>(node, states | (1 << (digit & 31)), LEVEL_STATES);
  }
  const blocks = counts + (<usize>kept << 3);
  store<f64>(blocks, load<f64>(blocks) + 1);
}

/** Work at a leaf: multiplies table entries and adds the products, for all inner states. */
function multiply<Mode>(clique: usize, bases: usize): void {
  const inner = load<u32>(clique, CLIQUE_INNER);
  const tables = <usize>load<u32>(clique, CLIQUE_TABLES);
  const tableCount = load<u32>(clique, CLIQUE_TABLE_COUNT);
  const outputs = <usize>load<u32>(clique, CLIQUE_OUTPUTS);
  const outputCount = load<u32>(clique, CLIQUE_OUTPUT_COUNT);
  const product = <usize>load<u32>(clique, CLIQUE_PRODUCT);
  for (let p: u32 = 0, count = tableCount + outputCount; p < count; p++) {
    const pattern = tables + <usize>p * PATTERN_BYTES;
    const node = <usize>load<u32>(pattern, PATTERN_NODE);
    const block: u32 = node == 0 ? 0 : load<u32>(node) * load<u32>(pattern, PATTERN_BLOCK);
    store<u32>(pattern, load<u32>(bases + (<usize>p << 2)) + block, PATTERN_BASE);
  }
  loadTable(tables, product, inner);
  for (let t: u32 = 1; t < tableCount; t++) join<Mode>(tables + <usize>t * PATTERN_BYTES, product, inner);
  for (let o: u32 = 0; o < outputCount; o++) addTo<Mode>(outputs + <usize>o * PATTERN_BYTES, product, inner);
}

/**
 * Counts the new prefixes of the current states. A prefix is new if it includes the first axis whose state changed
 * since the previous leaf.
 */
function countPrefixes(support: usize, to: i32): void {
  const counts = <usize>load<u32>(support, SUPPORT_COUNTS);
  for (let k = load<i32>(support, SUPPORT_CHANGED); k < to; k++) {
    const count = counts + (<usize>k << 3);
    store<f64>(count, load<f64>(count, 8) + 1, 8);
  }
}

/** Counts the leaves below the current states. These leaves are the remaining states of the last axis. */
function countLast(support: usize, k: i32): void {
  const starts = <usize>load<u32>(support, SUPPORT_STARTS) + (<usize>k << 2);
  let states: u32 = 0;
  for (let word = load<u32>(starts), end = load<u32>(starts, 4); word < end; word++)
    states += popcnt(load<u32>(<usize>load<u32>(support, SUPPORT_REST) + (<usize>word << 2)));
  if (states == 0) return;
  const count = <usize>load<u32>(support, SUPPORT_COUNTS) + (<usize>k << 3);
  store<f64>(count, load<f64>(count, 8) + <f64>states, 8);
  store<f64>(support, load<f64>(support, SUPPORT_LEAVES_F64) + <f64>states, SUPPORT_LEAVES_F64);
  countPrefixes(support, k);
  store<u32>(support, k, SUPPORT_CHANGED);
}

function walk<Mode>(clique: usize, steps: f64): f64 {
  const support = <usize>load<u32>(clique, CLIQUE_SUPPORT);
  const axes = load<i32>(clique, CLIQUE_AXES);
  const digits = <usize>load<u32>(clique, CLIQUE_DIGITS);
  const kept = load<i32>(support, SUPPORT_KEPT);
  const starts = <usize>load<u32>(support, SUPPORT_STARTS);
  const rest = <usize>load<u32>(support, SUPPORT_REST);
  const linkStarts = <usize>load<u32>(support, SUPPORT_LINK_STARTS);
  const links = <usize>load<u32>(support, SUPPORT_LINKS);
  const patterns = <usize>load<u32>(clique, CLIQUE_TABLES);
  const count: u32 = isBits<Mode>() ? 0 : load<u32>(clique, CLIQUE_TABLE_COUNT) + load<u32>(clique, CLIQUE_OUTPUT_COUNT);
  let bases = <usize>load<u32>(support, SUPPORT_BASES);
  let k = load<i32>(support, SUPPORT_AT);
  if (axes > 0 && load<u32>(support, SUPPORT_BEGUN) == 0) enter(support, 0);
  store<u32>(support, 1, SUPPORT_BEGUN);
  let done: f64 = 0;
  for (; k >= 0 && done < steps; done++) {
    if (axes > 0) {
      const first = load<u32>(starts + (<usize>k << 2)), end = load<u32>(starts + (<usize>k << 2), 4);
      if (!isFloat<Mode>() && sizeof<Mode>() == sizeof<Count>() && k == axes - 1) {
        countLast(support, k--);
        continue;
      }
      let word = first;
      while (word < end && load<u32>(rest + (<usize>word << 2)) == 0) word++;
      if (word == end) {
        k--;
        continue;
      }
      const states = load<u32>(rest + (<usize>word << 2));
      const bit = states & (0 - states);
      store<u32>(rest + (<usize>word << 2), states ^ bit);
      const digit = ((word - first) << 5) + ctz(bit);
      store<u32>(digits + (<usize>k << 2), digit);
      if (k < load<i32>(support, SUPPORT_CHANGED)) store<u32>(support, k, SUPPORT_CHANGED);
      const words = end - first;
      const linksEnd = links + <usize>load<u32>(linkStarts + (<usize>k << 2), 4) * LINK_BYTES;
      for (let link = links + <usize>load<u32>(linkStarts + (<usize>k << 2)) * LINK_BYTES; link < linksEnd; link += LINK_BYTES) {
        const node = load<u32>(<usize>load<u32>(link, LINK_NODE)) * words + (word - first);
        const at = <usize>load<u32>(link, LINK_LEVEL) + <usize>node * LEVEL_BYTES;
        store<u32>(<usize>load<u32>(link, LINK_NEXT), load<u32>(at, LEVEL_BEFORE) + popcnt(load<u32>(at, LEVEL_STATES) & (bit - 1)));
      }
      for (let p: u32 = 0; p < count; p++) {
        const stride = load<u32>(<usize>load<u32>(patterns + <usize>p * PATTERN_BYTES, PATTERN_STRIDES) + (<usize>k << 2));
        const base = bases + (<usize>(<u32>k * count + p) << 2);
        store<u32>(base + (<usize>count << 2), load<u32>(base) + digit * stride);
      }
      if (++k < axes) {
        enter(support, k);
        continue;
      }
    }
    if (isFloat<Mode>()) append(support, digits);
    else if (sizeof<Mode>() == sizeof<Count>()) countPrefixes(support, axes);
    else multiply<Mode>(clique, bases + (<usize>(<u32>axes * count) << 2));
    store<f64>(support, load<f64>(support, SUPPORT_LEAVES_F64) + 1, SUPPORT_LEAVES_F64);
    // A support records only the states of the KEPT axes, so one leaf per combination of these states is enough.
    k = (isFloat<Mode>() ? kept : axes) - 1;
    store<u32>(support, axes, SUPPORT_CHANGED);
  }
  store<i32>(support, k, SUPPORT_AT);
  return done;
}

export function cliqueSparseSum(clique: usize, steps: f64): f64 {
  return walk<Sum>(clique, steps);
}

export function cliqueSparseMax(clique: usize, steps: f64): f64 {
  return walk<Max>(clique, steps);
}

export function cliqueSparseLogSum(clique: usize, steps: f64): f64 {
  return walk<LogSum>(clique, steps);
}

export function cliqueSupportCount(clique: usize, steps: f64): f64 {
  return walk<Count>(clique, steps);
}

export function cliqueSupportBuild(clique: usize, steps: f64): f64 {
  return walk<Build>(clique, steps);
}
