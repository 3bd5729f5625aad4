/**
 * Sweeps over the joint states of a clique, for junction trees.
 *
 * cliqueSum(clique, from, to): visits blocks from … to − 1 of the clique's outer states (the last outer axis varies
 * fastest). For each of the INNER states in a block, the entries of all tables are multiplied, and the product is added
 * to one entry of each output. cliqueMax: adds the entries instead of multiplying them. Each output keeps the largest
 * sum. cliqueLogSum: the sum of the entries is x, and each output o becomes log(eᵒ + eˣ). clique: a CLIQUE block
 * (graphs/fields.ts), with at least one table. Outputs must not alias tables or each other. Each output receives its
 * terms in the order of the states, regardless of how the range is split into calls.
 *
 * cliqueExtremes(values, count, clique, logs) → the largest entry. LOW receives the smallest positive entry, or ∞ if
 * there is no such entry. With `logs`, LOW receives the smallest entry above −∞. cliqueScale(values, count, by):
 * multiplies. cliqueDivide(values, by, count): divides; gives 0 where the divisor is 0. cliqueSubtract(values, by,
 * count): subtracts; gives −∞ where the subtrahend is −∞.
 */
import { exp } from "../engine/numbers/exp";
import { log } from "../engine/numbers/log";
import {
  CLIQUE_AXES, CLIQUE_SHAPE, CLIQUE_INNER, CLIQUE_TABLE_COUNT, CLIQUE_TABLES, CLIQUE_OUTPUT_COUNT, CLIQUE_OUTPUTS, CLIQUE_PRODUCT, CLIQUE_DIGITS,
  CLIQUE_LOW_F64, PATTERN_VALUES, PATTERN_RUN, PATTERN_OFFSETS, PATTERN_STRIDES, PATTERN_BASE, PATTERN_BYTES,
} from "../../src/graphs/fields";

// Mode of a sweep, as a type, so that each mode is compiled to its own loops.
export type Sum = u8;
export type Max = u16;
export type LogSum = u32;

/** product[j] = entry(j). */
export function loadTable(pattern: usize, product: usize, inner: u32): void {
  const values = <usize>load<u32>(pattern, PATTERN_VALUES) + (<usize>load<u32>(pattern, PATTERN_BASE) << 3);
  const run = load<u32>(pattern, PATTERN_RUN);
  if (run == 0) {
    memory.copy(product, values, <usize>inner << 3);
    return;
  }
  const offsets = <usize>load<u32>(pattern, PATTERN_OFFSETS);
  if (run == inner) {
    const value = f64x2.splat(load<f64>(values));
    for (let j: u32 = 0; j < inner; j += 2) v128.store(product + (<usize>j << 3), value);
    return;
  }
  if (run == 1) {
    for (let j: u32 = 0; j < inner; j++)
      store<f64>(product + (<usize>j << 3), load<f64>(values + (<usize>load<u32>(offsets + (<usize>j << 2)) << 3)));
    return;
  }
  let at = product;
  for (let i: u32 = 0, count = inner / run; i < count; i++) {
    const value = load<f64>(values + (<usize>load<u32>(offsets + (<usize>i << 2)) << 3));
    for (const end = at + (<usize>run << 3); at < end; at += 8) store<f64>(at, value);
  }
}

/**
 * Multiplies product[j] by entry(j). In logarithmic modes, adds entry(j) instead. If `inner` is odd, this function can
 * write one state beyond the end.
 */
export function join<Mode>(pattern: usize, product: usize, inner: u32): void {
  const logs = sizeof<Mode>() != sizeof<Sum>();
  const values = <usize>load<u32>(pattern, PATTERN_VALUES) + (<usize>load<u32>(pattern, PATTERN_BASE) << 3);
  const run = load<u32>(pattern, PATTERN_RUN);
  if (run == 0) {
    const even = inner & ~1;
    let j: u32 = 0;
    for (; j < even; j += 2) {
      const at = product + (<usize>j << 3);
      const a = v128.load(at), b = v128.load(values + (<usize>j << 3));
      v128.store(at, logs ? f64x2.add(a, b) : f64x2.mul(a, b));
    }
    if (j < inner) {
      const at = product + (<usize>j << 3);
      const a = load<f64>(at), b = load<f64>(values + (<usize>j << 3));
      store<f64>(at, logs ? a + b : a * b);
    }
    return;
  }
  if (run == inner) {
    const b = f64x2.splat(load<f64>(values));
    for (let j: u32 = 0; j < inner; j += 2) {
      const at = product + (<usize>j << 3);
      const a = v128.load(at);
      v128.store(at, logs ? f64x2.add(a, b) : f64x2.mul(a, b));
    }
    return;
  }
  const offsets = <usize>load<u32>(pattern, PATTERN_OFFSETS);
  if (run == 1) {
    const even = inner & ~1;
    let j: u32 = 0;
    for (; j < even; j += 2) {
      const at = product + (<usize>j << 3);
      const place = offsets + (<usize>j << 2);
      const a = v128.load(at);
      const low = f64x2.splat(load<f64>(values + (<usize>load<u32>(place) << 3)));
      const b = f64x2.replace_lane(low, 1, load<f64>(values + (<usize>load<u32>(place, 4) << 3)));
      v128.store(at, logs ? f64x2.add(a, b) : f64x2.mul(a, b));
    }
    if (j < inner) {
      const at = product + (<usize>j << 3);
      const a = load<f64>(at), b = load<f64>(values + (<usize>load<u32>(offsets + (<usize>j << 2)) << 3));
      store<f64>(at, logs ? a + b : a * b);
    }
    return;
  }
  if ((run & 1) == 0) {
    let at = product;
    for (let i: u32 = 0, count = inner / run; i < count; i++) {
      const b = f64x2.splat(load<f64>(values + (<usize>load<u32>(offsets + (<usize>i << 2)) << 3)));
      for (const end = at + (<usize>run << 3); at < end; at += 16) {
        const a = v128.load(at);
        v128.store(at, logs ? f64x2.add(a, b) : f64x2.mul(a, b));
      }
    }
    return;
  }
  let at = product;
  for (let i: u32 = 0, count = inner / run; i < count; i++) {
    const b = load<f64>(values + (<usize>load<u32>(offsets + (<usize>i << 2)) << 3));
    for (const end = at + (<usize>run << 3); at < end; at += 8) {
      const a = load<f64>(at);
      store<f64>(at, logs ? a + b : a * b);
    }
  }
}

/** log(eᵃ + eᵇ). */
function logAdd(a: f64, b: f64): f64 {
  const high = max(a, b), low = min(a, b);
  return low == -Infinity ? high : high + log(1 + exp(low - high));
}

function plus<Mode>(a: f64, b: f64): f64 {
  return sizeof<Mode>() == sizeof<Sum>() ? a + b : sizeof<Mode>() == sizeof<Max>() ? (a < b ? b : a) : logAdd(a, b);
}

export function addTo<Mode>(pattern: usize, product: usize, inner: u32): void {
  const values = <usize>load<u32>(pattern, PATTERN_VALUES) + (<usize>load<u32>(pattern, PATTERN_BASE) << 3);
  const run = load<u32>(pattern, PATTERN_RUN);
  if (run == 0) {
    if (sizeof<Mode>() == sizeof<LogSum>()) {
      for (let j: u32 = 0; j < inner; j++) {
        const at = values + (<usize>j << 3);
        store<f64>(at, logAdd(load<f64>(at), load<f64>(product + (<usize>j << 3))));
      }
      return;
    }
    const even = inner & ~1;
    let j: u32 = 0;
    for (; j < even; j += 2) {
      const at = values + (<usize>j << 3);
      const a = v128.load(at), b = v128.load(product + (<usize>j << 3));
      v128.store(at, sizeof<Mode>() == sizeof<Sum>() ? f64x2.add(a, b) : f64x2.pmax(a, b));
    }
    if (j < inner) {
      const at = values + (<usize>j << 3);
      store<f64>(at, plus<Mode>(load<f64>(at), load<f64>(product + (<usize>j << 3))));
    }
    return;
  }
  if (run == inner) {
    let total = load<f64>(product);
    for (let j: u32 = 1; j < inner; j++) total = plus<Mode>(total, load<f64>(product + (<usize>j << 3)));
    store<f64>(values, plus<Mode>(load<f64>(values), total));
    return;
  }
  const offsets = <usize>load<u32>(pattern, PATTERN_OFFSETS);
  if (run == 1) {
    for (let j: u32 = 0; j < inner; j++) {
      const at = values + (<usize>load<u32>(offsets + (<usize>j << 2)) << 3);
      store<f64>(at, plus<Mode>(load<f64>(at), load<f64>(product + (<usize>j << 3))));
    }
    return;
  }
  if (run == 2) {
    let from = product;
    for (let i: u32 = 0, count = inner >> 1; i < count; i++, from += 16) {
      const at = values + (<usize>load<u32>(offsets + (<usize>i << 2)) << 3);
      store<f64>(at, plus<Mode>(load<f64>(at), plus<Mode>(load<f64>(from), load<f64>(from, 8))));
    }
    return;
  }
  let from = product;
  for (let i: u32 = 0, count = inner / run; i < count; i++) {
    const at = values + (<usize>load<u32>(offsets + (<usize>i << 2)) << 3);
    let total = load<f64>(from);
    const end = from + (<usize>run << 3);
    for (from += 8; from < end; from += 8) total = plus<Mode>(total, load<f64>(from));
    store<f64>(at, plus<Mode>(load<f64>(at), total));
  }
}

/** Sets the bases of all patterns to the bases of block `index`. */
function seek(clique: usize, patterns: usize, count: u32, index: u64): void {
  const axes = load<u32>(clique, CLIQUE_AXES);
  const shape = <usize>load<u32>(clique, CLIQUE_SHAPE);
  const digits = <usize>load<u32>(clique, CLIQUE_DIGITS);
  for (let p: u32 = 0; p < count; p++) store<u32>(patterns + <usize>p * PATTERN_BYTES, 0, PATTERN_BASE);
  for (let k: i32 = <i32>axes - 1; k >= 0; k--) {
    const states = <u64>load<u32>(shape + (<usize>k << 2));
    const digit = <u32>(index % states);
    index /= states;
    store<u32>(digits + (<usize>k << 2), digit);
    for (let p: u32 = 0; p < count; p++) {
      const pattern = patterns + <usize>p * PATTERN_BYTES;
      const stride = load<u32>(<usize>load<u32>(pattern, PATTERN_STRIDES) + (<usize>k << 2));
      store<u32>(pattern, load<u32>(pattern, PATTERN_BASE) + digit * stride, PATTERN_BASE);
    }
  }
}

/** Advances to the next block. */
function advance(clique: usize, patterns: usize, count: u32): void {
  const shape = <usize>load<u32>(clique, CLIQUE_SHAPE);
  const digits = <usize>load<u32>(clique, CLIQUE_DIGITS);
  for (let k: i32 = <i32>load<u32>(clique, CLIQUE_AXES) - 1; k >= 0; k--) {
    const at = <usize>k << 2;
    const digit = load<u32>(digits + at) + 1;
    const states = load<u32>(shape + at);
    const rolls = digit == states;
    store<u32>(digits + at, rolls ? 0 : digit);
    for (let p: u32 = 0; p < count; p++) {
      const pattern = patterns + <usize>p * PATTERN_BYTES;
      const stride = load<u32>(<usize>load<u32>(pattern, PATTERN_STRIDES) + at);
      const base = load<u32>(pattern, PATTERN_BASE);
      store<u32>(pattern, rolls ? base - stride * (states - 1) : base + stride, PATTERN_BASE);
    }
    if (!rolls) return;
  }
}

function sweep<Mode>(clique: usize, from: f64, to: f64): void {
  const inner = load<u32>(clique, CLIQUE_INNER);
  const tables = <usize>load<u32>(clique, CLIQUE_TABLES);
  const tableCount = load<u32>(clique, CLIQUE_TABLE_COUNT);
  const outputs = <usize>load<u32>(clique, CLIQUE_OUTPUTS);
  const outputCount = load<u32>(clique, CLIQUE_OUTPUT_COUNT);
  const product = <usize>load<u32>(clique, CLIQUE_PRODUCT);
  // The outputs' patterns are stored after the tables' patterns.
  const count = tableCount + outputCount;
  seek(clique, tables, count, <u64>from);
  for (let block = <u64>from, end = <u64>to; block < end; block++) {
    loadTable(tables, product, inner);
    for (let t: u32 = 1; t < tableCount; t++) join<Mode>(tables + <usize>t * PATTERN_BYTES, product, inner);
    for (let o: u32 = 0; o < outputCount; o++) addTo<Mode>(outputs + <usize>o * PATTERN_BYTES, product, inner);
    advance(clique, tables, count);
  }
}

export function cliqueSum(clique: usize, from: f64, to: f64): f64 {
  sweep<Sum>(clique, from, to);
  return 0;
}

export function cliqueMax(clique: usize, from: f64, to: f64): f64 {
  sweep<Max>(clique, from, to);
  return 0;
}

export function cliqueLogSum(clique: usize, from: f64, to: f64): f64 {
  sweep<LogSum>(clique, from, to);
  return 0;
}

export function cliqueExtremes(values: usize, count: u32, clique: usize, logs: u32): f64 {
  const zero: f64 = logs ? -Infinity : 0;
  const zeros = f64x2.splat(zero), none = f64x2.splat(Infinity);
  let highs = zeros, lows = none;
  const end = values + (<usize>(count & ~1) << 3);
  for (; values < end; values += 16) {
    const pair = v128.load(values);
    highs = f64x2.pmax(highs, pair);
    lows = f64x2.pmin(lows, v128.bitselect(pair, none, f64x2.gt(pair, zeros)));
  }
  let high = max(f64x2.extract_lane(highs, 0), f64x2.extract_lane(highs, 1));
  let low = min(f64x2.extract_lane(lows, 0), f64x2.extract_lane(lows, 1));
  if (count & 1) {
    const value = load<f64>(values);
    high = max(high, value);
    if (value > zero) low = min(low, value);
  }
  store<f64>(clique, low, CLIQUE_LOW_F64);
  return high;
}

export function cliqueScale(values: usize, count: u32, by: f64): f64 {
  const both = f64x2.splat(by);
  const end = values + (<usize>(count & ~1) << 3);
  for (; values < end; values += 16) v128.store(values, f64x2.mul(v128.load(values), both));
  if (count & 1) store<f64>(values, load<f64>(values) * by);
  return 0;
}

export function cliqueDivide(values: usize, by: usize, count: u32): f64 {
  for (const end = values + (<usize>count << 3); values < end; values += 8, by += 8) {
    const divisor = load<f64>(by);
    store<f64>(values, divisor == 0 ? 0 : load<f64>(values) / divisor);
  }
  return 0;
}

export function cliqueSubtract(values: usize, by: usize, count: u32): f64 {
  for (const end = values + (<usize>count << 3); values < end; values += 8, by += 8) {
    const less = load<f64>(by);
    store<f64>(values, less == -Infinity ? -Infinity : load<f64>(values) - less);
  }
  return 0;
}
