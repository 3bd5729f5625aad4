/**
 * Blocked Gibbs sampling. The variables of a block are drawn jointly from their distribution given all others. The draw
 * uses a junction tree of the block.
 *
 * Forward pass, in elimination order: a bucket's table combines its variable's terms from outside the block
 * (graph-gibbs.ts), the factors whose first variable is that variable, and the messages of earlier buckets. The
 * bucket's message is ln Σ_x e^table per state of the separator, up to a constant. Backward pass: each variable is
 * drawn from its table given its separator. The separator has been drawn before. All terms are multiplied by POWER.
 *
 * graphBlocks(chain, from, to, sweep, sweeps, keep): draws blocks from … to − 1 in this order, `sweeps` times. Position
 * i uses the i-th uniform number of update `sweep`. In a block of several variables, each variable takes the first
 * state at which the cumulative probability exceeds its uniform number. States of probability 0 are never drawn. If all
 * probabilities are 0, the state does not change. With `keep`, each variable's marginal probabilities given everything
 * outside the block are added to BATCH. For a Boolean with finite terms, only the probability of state 1 is added. The
 * backward pass turns tables into joint probabilities, and messages into joint probabilities of their separators.
 * Without `keep`, tables hold probabilities given the separator. Blocks of one variable are drawn as by graphSweep.
 * Relative error of the probabilities: about 1e-15 per bucket.
 */
import { exp } from "../engine/numbers/exp";
import { after, counted, counts, draw, edgesOf, LITERAL, open, power, recount, states, storeUnits, termsOfEdges, work } from "./graph-gibbs";
import { log } from "../engine/numbers/log";
import { philoxLanes } from "../engine/random/philox-lanes";
import {
  BLOCK_BUCKETS, BLOCK_BYTES, BLOCK_FIRST, BLOCK_SIZE, BUCKET_BEFORE, BUCKET_BYTES, BUCKET_LENGTH, BUCKET_MESSAGE, BUCKET_MESSAGES, BUCKET_SEPARATORS,
  BUCKET_STATES, BUCKET_TABLE, BUCKET_TERMS, COUNTED_BYTES, COUNTED_EDGE, COUNTED_HEAD, COUNTED_ROW, COUNTED_STATE, COUNTED_TERMS, GRAPH_BATCH,
  GRAPH_BEGINS, GRAPH_BLOCKS, GRAPH_CHANGED, GRAPH_KEY_HIGH, GRAPH_KEY_LOW, GRAPH_RECORDS, GRAPH_TABLES, HEAD_EDGE, INBOX_BYTES, INBOX_LENGTH,
  INBOX_MAP, INBOX_MESSAGE, PAIR_BYTES, PAIR_POSITION, PAIR_TERMS, RECORD_BYTES, RECORD_EDGES, RECORD_PAIRS, RECORD_SLOT, RECORD_STATES,
  SEPARATOR_BYTES, TERM_BYTES, TERM_FROM, TERM_KIND, TERM_MAP, OTHER_POSITION, OTHER_STRIDE, OTHER_BYTES, LITERAL_POSITION, LITERAL_STATE,
  LITERAL_BYTES, SEPARATOR_POSITION, SEPARATOR_STRIDE,
} from "../../src/graphs/fields";

let records: usize = 0;
let begins: usize = 0;
let tables: usize = 0;
let batch: usize = 0;
let changed: usize = 0;
let keyLow: u32 = 0;
let keyHigh: u32 = 0;
let updateLow: u32 = 0;
let updateHigh: u32 = 0;
/** First of the eight positions whose uniform numbers are currently in memory. */
let eight: u32 = 0;

export function graphBlocks(chain: usize, from: u32, to: u32, sweep: f64, sweeps: u32, keep: u32): void {
  open(chain);
  records = <usize>load<u32>(chain, GRAPH_RECORDS);
  begins = <usize>load<u32>(chain, GRAPH_BEGINS);
  tables = <usize>load<u32>(chain, GRAPH_TABLES);
  batch = keep ? <usize>load<u32>(chain, GRAPH_BATCH) : 0;
  changed = keep ? <usize>load<u32>(chain, GRAPH_CHANGED) : 0;
  keyLow = load<u32>(chain, GRAPH_KEY_LOW);
  keyHigh = load<u32>(chain, GRAPH_KEY_HIGH);
  const blocks = <usize>load<u32>(chain, GRAPH_BLOCKS);
  for (let k: u32 = 0; k < sweeps; k++, sweep += 1) {
    const update = <u64>sweep;
    updateLow = <u32>update;
    updateHigh = <u32>(update >>> 32);
    eight = 0xffffffff;
    for (let at = blocks + <usize>from * BLOCK_BYTES, end = blocks + <usize>to * BLOCK_BYTES; at < end; at += BLOCK_BYTES) {
      const first = load<u32>(at, BLOCK_FIRST);
      const buckets = <usize>load<u32>(at, BLOCK_BUCKETS);
      if (buckets) backward(forward(buckets, first, load<u32>(at, BLOCK_SIZE)), first, load<u32>(at, BLOCK_SIZE));
      else draw(recordAt(first), first, uniformAt(first), batch, changed);
    }
  }
}

function recordAt(position: u32): usize {
  return records + <usize>load<u32>(begins + (<usize>position << 2));
}

function uniformAt(position: u32): f64 {
  const first: u32 = position & ~7;
  if (first != eight) {
    eight = first;
    philoxLanes(first >>> 1, 0, updateLow, updateHigh, keyLow, keyHigh);
    storeUnits(work - 64);
  }
  return load<f64>(work - 64 + (<usize>(position & 7) << 3));
}

/**
 * Writes the terms that a variable's states receive from outside the block to the work array. Returns the end of its
 * record.
 */
function termsOutside(record: usize, old: u32, first: u32, size: u32): usize {
  const count = load<u32>(record, RECORD_STATES);
  const pairs = <usize>load<u32>(record, RECORD_PAIRS);
  let at = record + RECORD_BYTES;
  let edge: usize;
  if (count == 0) {
    let z = load<f64>(at);
    at += 8;
    for (edge = at + pairs * PAIR_BYTES; at < edge; at += PAIR_BYTES) {
      const other = load<u32>(at, PAIR_POSITION);
      if (other - first >= size) z += load<f64>(<usize>load<u32>(at, PAIR_TERMS) + (<usize>load<u8>(states + <usize>other) << 3));
    }
    store<f64>(work, 0);
    store<f64>(work, z, 8);
  } else {
    const bytes = <usize>count << 3;
    memory.copy(work, at, bytes);
    at += bytes;
    for (edge = at + pairs * PAIR_BYTES; at < edge; at += PAIR_BYTES) {
      const other = load<u32>(at, PAIR_POSITION);
      if (other - first < size) continue;
      let term = <usize>load<u32>(at, PAIR_TERMS) + <usize>load<u8>(states + <usize>other) * bytes;
      for (let to = work, end = work + bytes; to < end; to += 8) {
        store<f64>(to, load<f64>(to) + load<f64>(term));
        term += 8;
      }
    }
  }
  const edges = load<u32>(record, RECORD_EDGES);
  if (!edges) return edge;
  termsOfEdges(edge, edges, old, count ? count : 2);
  return after;
}

/** Adds a value to each entry of a table. The table's map gives the address of each value. */
function addMapped(table: usize, end: usize, from: usize, map: usize): void {
  for (; table < end; table += 8) {
    store<f64>(table, load<f64>(table) + load<f64>(from + <usize>load<u32>(map)));
    map += 4;
  }
}

/** Returns the address of a factor's terms. The terms are selected by the states of variables outside the block. */
function termsFrom(term: usize, kind: u32): usize {
  let other = term + TERM_BYTES;
  // OTHER and LITERAL records have the same size.
  const end = other + <usize>(kind & LITERAL) * OTHER_BYTES;
  let from = <usize>load<u32>(term, TERM_FROM);
  if ((kind & COUNTED_EDGE) == 0) {
    for (; other < end; other += OTHER_BYTES)
      from += <usize>load<u8>(states + <usize>load<u32>(other, OTHER_POSITION)) * <usize>load<u32>(other, OTHER_STRIDE);
    return from;
  }
  const factor = counted + from * COUNTED_BYTES;
  let holding = load<i32>(counts + (from << 2));
  for (; other < end; other += LITERAL_BYTES)
    if (<u32>load<u8>(states + <usize>load<u32>(other, LITERAL_POSITION)) == load<u32>(other, LITERAL_STATE)) holding--;
  from = <usize>load<u32>(factor, COUNTED_TERMS) + (<usize>holding << 3);
  if (kind & HEAD_EDGE && <u32>load<u8>(states + <usize>load<u32>(factor, COUNTED_HEAD)) == load<u32>(factor, COUNTED_STATE))
    from += <usize>load<u32>(factor, COUNTED_ROW);
  return from;
}

/** Fills all tables of a block with probabilities given the separators. Returns the last bucket. */
function forward(bucket: usize, first: u32, size: u32): usize {
  let record = recordAt(first);
  let last = bucket;
  for (let position = first; position < first + size; position++) {
    last = bucket;
    const count = load<u32>(record, RECORD_STATES);
    const bytes = <usize>(count ? count : 2) << 3;
    record = termsOutside(record, <u32>load<u8>(states + <usize>position), first, size);
    const table = tables + <usize>load<u32>(bucket, BUCKET_TABLE);
    const end = table + <usize>load<u32>(bucket, BUCKET_STATES) * bytes;
    if (bytes == 16) for (let to = table, own = v128.load(work); to < end; to += 16) v128.store(to, own);
    else for (let to = table; to < end; to += bytes) memory.copy(to, work, bytes);
    let term = bucket + BUCKET_BYTES + <usize>load<u32>(bucket, BUCKET_SEPARATORS) * SEPARATOR_BYTES;
    for (let i = load<u32>(bucket, BUCKET_TERMS); i > 0; i--) {
      const kind = load<u32>(term, TERM_KIND);
      addMapped(table, end, termsFrom(term, kind), <usize>load<u32>(term, TERM_MAP));
      // OTHER and LITERAL records have the same size.
      term += TERM_BYTES + <usize>(kind & LITERAL) * OTHER_BYTES;
    }
    if (power != 1) for (let to = table; to < end; to += 8) store<f64>(to, power * load<f64>(to));
    for (let i = load<u32>(bucket, BUCKET_MESSAGES); i > 0; i--) {
      addMapped(table, end, tables + <usize>load<u32>(term, INBOX_MESSAGE), <usize>load<u32>(term, INBOX_MAP));
      term += INBOX_BYTES;
    }
    const message = tables + <usize>load<u32>(bucket, BUCKET_MESSAGE);
    if (bytes == 16) sumOutPairs(table, end, message);
    else sumOut(table, end, bytes, message);
    bucket = term;
  }
  return last;
}

/**
 * Same as sumOut for rows of two entries, but computes only one exponential per row. Sums are divided by the first sum
 * above 0, so that the logarithm of this sum is not needed.
 */
function sumOutPairs(table: usize, end: usize, message: usize): void {
  let first: f64 = -Infinity;
  let scale: f64 = 0;
  for (; table < end; table += 16, message += 8) {
    const high = pairOf(table);
    if (high == -Infinity) store<f64>(message, high);
    else if (first == -Infinity) {
      store<f64>(message, 0);
      first = high;
      scale = 1 / total;
    } else store<f64>(message, high - first + log(total * scale));
  }
}

/** 1 + e^−|difference| of the last pair. */
let total: f64 = 1;

/** Turns two terms into probabilities. Returns the larger term. */
function pairOf(at: usize): f64 {
  const zero = load<f64>(at), one = load<f64>(at, 8);
  const high = max(zero, one);
  if (high == -Infinity) {
    store<f64>(at, 0);
    store<f64>(at, 0, 8);
    return high;
  }
  const less = exp(min(zero, one) - high);
  total = 1 + less;
  const scale = 1 / total;
  const first = one > zero ? less : 1;
  store<f64>(at, first * scale);
  store<f64>(at, (one > zero ? 1 : less) * scale, 8);
  return high;
}

/** Turns the rows of a table into probabilities, and their sums into a message. */
function sumOut(table: usize, end: usize, bytes: usize, message: usize): void {
  let largest: f64 = -Infinity;
  const begin = message;
  for (; table < end; table += bytes, message += 8) {
    let high: f64 = -Infinity;
    for (let at = table; at < table + bytes; at += 8) high = max(high, load<f64>(at));
    let total: f64 = 0;
    for (let at = table; at < table + bytes; at += 8) {
      // The largest term gets weight 1 without a subtraction, because −∞ − (−∞) would be NaN.
      const term = load<f64>(at);
      const weight: f64 = term == high ? (high == -Infinity ? 0 : 1) : exp(term - high);
      store<f64>(at, weight);
      total += weight;
    }
    if (total > 0) {
      const scale = 1 / total;
      for (let at = table; at < table + bytes; at += 8) store<f64>(at, load<f64>(at) * scale);
      high += log(total);
    }
    store<f64>(message, high);
    largest = max(largest, high);
  }
  if (largest == -Infinity) return;
  for (let at = begin; at < message; at += 8) store<f64>(at, load<f64>(at) - largest);
}

/** Draws a block's variables, starting with the last. */
function backward(bucket: usize, first: u32, size: u32): void {
  for (let position = first + size - 1; ; position--) {
    const record = recordAt(position);
    const count = load<u32>(record, RECORD_STATES);
    const bytes = <usize>(count ? count : 2) << 3;
    const table = tables + <usize>load<u32>(bucket, BUCKET_TABLE);
    let row = table;
    let at = bucket + BUCKET_BYTES;
    for (let i = load<u32>(bucket, BUCKET_SEPARATORS); i > 0; i--, at += SEPARATOR_BYTES)
      row += <usize>load<u8>(states + <usize>load<u32>(at, SEPARATOR_POSITION)) * <usize>load<u32>(at, SEPARATOR_STRIDE);
    const old = <u32>load<u8>(states + <usize>position);
    let now = old;
    let left = uniformAt(position);
    for (let s: u32 = 0, to = row; to < row + bytes; to += 8, s++) {
      const p = load<f64>(to);
      if (p == 0) continue;
      // If rounding leaves a remainder, it goes to the last state with a positive weight.
      now = s;
      if (left < p) break;
      left -= p;
    }
    store<u8>(states + <usize>position, <u8>now);
    if (changed) store<u8>(changed + <usize>position, load<u8>(changed + <usize>position) | <u8>(now != old));
    const edges = load<u32>(record, RECORD_EDGES);
    if (edges && now != old) recount(edgesOf(record, count), edges, old, now);
    if (batch) keepMarginal(bucket, table, bytes, batch + (<usize>load<u32>(record, RECORD_SLOT) << 3), count);
    if (position == first) return;
    bucket -= <usize>load<u32>(bucket, BUCKET_BEFORE);
  }
}

/**
 * Adds a variable's marginal to the running sums, and passes marginals on to the separators of earlier buckets. The
 * message already holds the marginal of the bucket's own separator.
 */
function keepMarginal(bucket: usize, table: usize, bytes: usize, sums: usize, count: u32): void {
  const end = table + <usize>load<u32>(bucket, BUCKET_STATES) * bytes;
  let message = tables + <usize>load<u32>(bucket, BUCKET_MESSAGE);
  if (load<u32>(bucket, BUCKET_SEPARATORS) == 0) store<f64>(message, 1);
  for (let row = table; row < end; row += bytes, message += 8) {
    const share = load<f64>(message);
    for (let at = row; at < row + bytes; at += 8) {
      const p = share * load<f64>(at);
      store<f64>(at, p);
      if (count) store<f64>(sums + (at - row), load<f64>(sums + (at - row)) + p);
      else if (at > row) store<f64>(sums, load<f64>(sums) + p);
    }
  }
  let inbox = bucket + <usize>load<u32>(bucket, BUCKET_LENGTH);
  for (let i = load<u32>(bucket, BUCKET_MESSAGES); i > 0; i--, inbox += INBOX_BYTES) {
    const to = tables + <usize>load<u32>(inbox, INBOX_MESSAGE);
    let map = <usize>load<u32>(inbox, INBOX_MAP);
    for (let at = to, last = to + <usize>load<u32>(inbox, INBOX_LENGTH); at < last; at += 8) store<f64>(at, 0);
    for (let at = table; at < end; at += 8, map += 4) {
      const entry = to + <usize>load<u32>(map);
      store<f64>(entry, load<f64>(entry) + load<f64>(at));
    }
  }
}
