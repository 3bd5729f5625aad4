/**
 * Gibbs sampling over discrete variables: each variable in turn is drawn from its conditional distribution. A position
 * is a variable's record in the layout (src/graphs/sampling/gibbs/layout.ts).
 *
 * graphSweep(chain, from, to, sweep, sweeps, keep): draws positions from … to − 1 in this order, `sweeps` times.
 * Position i uses the i-th uniform number of update `sweep` of the chain's stream, however the range is split into
 * calls. With `keep`, the conditional probabilities are added to BATCH, and changed variables are marked in CHANGED.
 * For a Boolean with finite terms, only the probability of state 1 is added. graphScan(chain, count, sweep, sweeps,
 * keep): each sweep draws `count` positions with replacement, each followed by the uniform number for its state; With
 * `keep`, the probabilities of all positions at the end of the sweep are added.
 *
 * A Boolean with finite terms has log odds z; its state becomes 1 if the uniform number is below 1/(1 + e^(−POWER z)).
 * For all other variables, state weights are e^(POWER (term − largest)). The variable takes the first state at which
 * the cumulative weight exceeds the uniform number times the total weight. States with a term of −∞ are never drawn. If
 * all terms are −∞, the state does not change.
 *
 * graphScore(chain, from, to, keep) → Σ ln p(x_i | x_−i) over these positions; with `keep`, their conditional
 * probabilities are added to BATCH.
 *
 * graphSettle(batch, totals, squares, count, scale): totals += batch, squares += batch² × scale, batch = 0. chain: a
 * GRAPH block (graphs/fields.ts).
 */
import { exp } from "../engine/numbers/exp";
import { log } from "../engine/numbers/log";
import { lanes0, lanes1, lanes2, lanes3, philoxLanes } from "../engine/random/philox-lanes";
import { integer, seek, uniform } from "../engine/random/random";
import {
  GRAPH_BEGINS, GRAPH_RECORDS, GRAPH_STATES, GRAPH_COUNTS, GRAPH_COUNTED, GRAPH_BATCH, GRAPH_CHANGED, GRAPH_WORK, GRAPH_KEY_LOW, GRAPH_KEY_HIGH,
  GRAPH_POWER_F64, RECORD_STATES, RECORD_SLOT, RECORD_PAIRS, RECORD_EDGES, RECORD_BYTES, PAIR_POSITION, PAIR_TERMS, PAIR_BYTES, EDGE_KIND, EDGE_TERMS,
  EDGE_BYTES, TABLE_EDGE_STRIDE, COUNTED_EDGE, HEAD_EDGE, BLOCK_EDGE, TABLE_EDGE_OTHERS, OTHER_BYTES, COUNTED_TERMS, COUNTED_ROW, COUNTED_HEAD,
  COUNTED_STATE, COUNTED_BYTES, OTHER_POSITION, OTHER_STRIDE,
} from "../../src/graphs/fields";

/** 2^-53. */
const TO_UNIT: f64 = 1.1102230246251565e-16;
export const LITERAL: u32 = 0x1fffffff;

export let states: usize = 0;
export let counts: usize = 0;
export let counted: usize = 0;
export let work: usize = 0;
export let power: f64 = 1;
/** End of the record that was read last. */
export let after: usize = 0;

export function open(chain: usize): void {
  states = <usize>load<u32>(chain, GRAPH_STATES);
  counts = <usize>load<u32>(chain, GRAPH_COUNTS);
  counted = <usize>load<u32>(chain, GRAPH_COUNTED);
  work = <usize>load<u32>(chain, GRAPH_WORK) + 64;
  power = load<f64>(chain, GRAPH_POWER_F64);
}

function unit(upper: u32, lower: u32): f64 {
  return (<f64>(upper >>> 5) * 67108864 + <f64>(lower >>> 6)) * TO_UNIT;
}

/** Returns one row of the terms of a counted factor. The state of the factor's head selects the row. */
function rowOf(factor: usize): usize {
  const head = <u32>load<u8>(states + <usize>load<u32>(factor, COUNTED_HEAD)) == load<u32>(factor, COUNTED_STATE);
  return <usize>load<u32>(factor, COUNTED_TERMS) + (head ? <usize>load<u32>(factor, COUNTED_ROW) : 0);
}

/**
 * Returns the address of the table entry selected by the other variables' states. Sets `after` to the end of the edge.
 */
function entryOf(edge: usize, others: u32): usize {
  let at = <usize>load<u32>(edge, EDGE_TERMS);
  let other = edge + TABLE_EDGE_OTHERS;
  for (let k: u32 = 0; k < others; k++) {
    at += <usize>load<u8>(states + <usize>load<u32>(other, OTHER_POSITION)) * <usize>load<u32>(other, OTHER_STRIDE);
    other += OTHER_BYTES;
  }
  after = other;
  return at;
}

/** Returns the log odds of state 1 from the edges of wider factors, when the variable's state is `old`. */
function oddsOfEdges(edge: usize, edges: u32, old: u32): f64 {
  let z: f64 = 0;
  for (let e: u32 = 0; e < edges; e++) {
    const kind = load<u32>(edge, EDGE_KIND);
    if ((kind & COUNTED_EDGE) == 0) {
      const at = entryOf(edge, kind);
      z += load<f64>(at + <usize>load<u32>(edge, TABLE_EDGE_STRIDE)) - load<f64>(at);
      edge = after;
      continue;
    }
    const literal = kind & LITERAL;
    const number = <usize>load<u32>(edge, EDGE_TERMS);
    const factor = counted + number * COUNTED_BYTES;
    const count = <usize>load<i32>(counts + (number << 2));
    let term: f64;
    if (kind & HEAD_EDGE) {
      const at = <usize>load<u32>(factor, COUNTED_TERMS) + (count << 3);
      term = load<f64>(at + <usize>load<u32>(factor, COUNTED_ROW)) - load<f64>(at);
    } else {
      const at = rowOf(factor) + ((count - (old == literal ? 1 : 0)) << 3);
      term = load<f64>(at, 8) - load<f64>(at);
    }
    z += literal == 1 ? term : -term;
    edge += EDGE_BYTES;
  }
  after = edge;
  return z;
}

/** Adds each state's terms from the edges of wider factors to the work array. Edges inside a block are skipped. */
export function termsOfEdges(edge: usize, edges: u32, old: u32, count: u32): void {
  const end = work + (<usize>count << 3);
  for (let e: u32 = 0; e < edges; e++) {
    const kind = load<u32>(edge, EDGE_KIND);
    if (kind & BLOCK_EDGE) {
      edge += (kind & COUNTED_EDGE) == 0 ? TABLE_EDGE_OTHERS + (<usize>(kind & LITERAL)) * OTHER_BYTES : EDGE_BYTES;
      continue;
    }
    if ((kind & COUNTED_EDGE) == 0) {
      let at = entryOf(edge, kind);
      const stride = <usize>load<u32>(edge, TABLE_EDGE_STRIDE);
      for (let to = work; to < end; to += 8) {
        store<f64>(to, load<f64>(to) + load<f64>(at));
        at += stride;
      }
      edge = after;
      continue;
    }
    const literal = kind & LITERAL;
    const number = <usize>load<u32>(edge, EDGE_TERMS);
    const factor = counted + number * COUNTED_BYTES;
    const holding = <usize>load<i32>(counts + (number << 2));
    let holds: f64, fails: f64;
    if (kind & HEAD_EDGE) {
      const at = <usize>load<u32>(factor, COUNTED_TERMS) + (holding << 3);
      fails = load<f64>(at);
      holds = load<f64>(at + <usize>load<u32>(factor, COUNTED_ROW));
    } else {
      const at = rowOf(factor) + ((holding - (old == literal ? 1 : 0)) << 3);
      fails = load<f64>(at);
      holds = load<f64>(at, 8);
    }
    for (let s: u32 = 0, to = work; to < end; s++, to += 8) store<f64>(to, load<f64>(to) + (s == literal ? holds : fails));
    edge += EDGE_BYTES;
  }
  after = edge;
}

/** Updates the counts of the factors whose body contains the variable. */
export function recount(edge: usize, edges: u32, old: u32, now: u32): void {
  for (let e: u32 = 0; e < edges; e++) {
    const kind = load<u32>(edge, EDGE_KIND);
    if ((kind & COUNTED_EDGE) == 0) {
      edge += TABLE_EDGE_OTHERS + <usize>(kind & LITERAL) * OTHER_BYTES;
      continue;
    }
    if ((kind & HEAD_EDGE) == 0) {
      const literal = kind & LITERAL;
      const change = (now == literal ? 1 : 0) - (old == literal ? 1 : 0);
      const at = counts + (<usize>load<u32>(edge, EDGE_TERMS) << 2);
      // The update is atomic, because racing workers must not lose a change. Otherwise counts would stay wrong forever.
      if (change) atomic.add<i32>(at, change);
    }
    edge += EDGE_BYTES;
  }
}

/** Returns the address of a variable's first edge to a wider factor. */
export function edgesOf(record: usize, count: u32): usize {
  return record + RECORD_BYTES + (<usize>max(count, 1) << 3) + <usize>load<u32>(record, RECORD_PAIRS) * PAIR_BYTES;
}

/**
 * Returns the log odds of state 1 of a Boolean with finite terms whose state is `old`. Sets `after` to the end of its
 * record.
 */
function oddsOf(record: usize, old: u32): f64 {
  let at = record + RECORD_BYTES;
  let z = load<f64>(at);
  at += 8;
  const edge = at + <usize>load<u32>(record, RECORD_PAIRS) * PAIR_BYTES;
  for (; at < edge; at += PAIR_BYTES)
    z += load<f64>(<usize>load<u32>(at, PAIR_TERMS) + (<usize>load<u8>(states + <usize>load<u32>(at, PAIR_POSITION)) << 3));
  const edges = load<u32>(record, RECORD_EDGES);
  if (edges) z += oddsOfEdges(edge, edges, old);
  else after = edge;
  return z;
}

/** Writes the terms of a variable's states to the work array. Sets `after` to the end of its record. */
function termsOf(record: usize, count: u32, old: u32): void {
  const bytes = <usize>count << 3;
  let at = record + RECORD_BYTES;
  memory.copy(work, at, bytes);
  at += bytes;
  const edge = at + <usize>load<u32>(record, RECORD_PAIRS) * PAIR_BYTES;
  for (; at < edge; at += PAIR_BYTES) {
    let term = <usize>load<u32>(at, PAIR_TERMS) + <usize>load<u8>(states + <usize>load<u32>(at, PAIR_POSITION)) * bytes;
    for (let to = work, end = work + bytes; to < end; to += 8) {
      store<f64>(to, load<f64>(to) + load<f64>(term));
      term += 8;
    }
  }
  const edges = load<u32>(record, RECORD_EDGES);
  if (edges) termsOfEdges(edge, edges, old, count);
  else after = edge;
}

/**
 * Draws the variable at a position with the uniform number u. If u < 0, the variable's state does not change. Sets
 * `after` to the end of its record.
 */
export function draw(record: usize, position: usize, u: f64, batch: usize, changed: usize): void {
  const count = load<u32>(record, RECORD_STATES);
  const old = <u32>load<u8>(states + position);
  let now: u32;
  if (count == 0) {
    const p = 1 / (1 + exp(-power * oddsOf(record, old)));
    now = u < p ? 1 : 0;
    if (batch) {
      const to = batch + (<usize>load<u32>(record, RECORD_SLOT) << 3);
      store<f64>(to, load<f64>(to) + p);
    }
  } else {
    termsOf(record, count, old);
    now = chosen(count, u, old, batch == 0 ? 0 : batch + (<usize>load<u32>(record, RECORD_SLOT) << 3));
  }
  if (u < 0) return;
  // No branch on the change, because the processor cannot predict whether a state changes. Without the branch, it can
  // already start on the next variables.
  store<u8>(states + position, <u8>now);
  if (changed) store<u8>(changed + position, load<u8>(changed + position) | <u8>(now != old));
  const edges = load<u32>(record, RECORD_EDGES);
  if (edges && now != old) recount(edgesOf(record, count), edges, old, now);
}

/**
 * Product of sums of e^(term − largest). The logarithm of this product has not yet been subtracted from ln p.
 * Multiplying the sums first saves logarithms: many variables share a single logarithm.
 */
let product: f64 = 1;
const MOST_PRODUCT: f64 = 1e200;

/**
 * Returns ln p(state | others) of the variable at a position, without the factor that was multiplied into `product`.
 * Sets `after` to the end of its record.
 */
function logConditional(record: usize, position: usize): f64 {
  const count = load<u32>(record, RECORD_STATES);
  const old = <u32>load<u8>(states + position);
  if (count == 0) {
    const z = oddsOf(record, old);
    product *= 1 + exp(-abs(z));
    return min<f64>(0, old ? z : -z);
  }
  termsOf(record, count, old);
  let high: f64 = -Infinity;
  const end = work + (<usize>count << 3);
  for (let at = work; at < end; at += 8) high = max(high, load<f64>(at));
  let total: f64 = 0;
  for (let at = work; at < end; at += 8) total += exp(load<f64>(at) - high);
  product *= total;
  return load<f64>(work + (<usize>old << 3)) - high;
}

/**
 * Returns the state that u selects according to the terms in the work array. Adds the probabilities of all states to
 * `sums`.
 */
function chosen(count: u32, u: f64, old: u32, sums: usize): u32 {
  let high: f64 = -Infinity;
  const end = work + (<usize>count << 3);
  for (let at = work; at < end; at += 8) high = max(high, load<f64>(at));
  if (high == -Infinity) return old;
  let total: f64 = 0;
  for (let at = work; at < end; at += 8) {
    const weight = exp(power * (load<f64>(at) - high));
    store<f64>(at, weight);
    total += weight;
  }
  let left = u * total;
  let now: u32 = old;
  let found = false;
  const scale = 1 / total;
  for (let s: u32 = 0; s < count; s++) {
    const weight = load<f64>(work + (<usize>s << 3));
    if (sums) store<f64>(sums + (<usize>s << 3), load<f64>(sums + (<usize>s << 3)) + weight * scale);
    if (found || weight == 0) continue;
    // If rounding leaves a remainder, it goes to the last state with a positive weight.
    now = s;
    if (left < weight) found = true;
    left -= weight;
  }
  return now;
}

export function graphSweep(chain: usize, from: u32, to: u32, sweep: f64, sweeps: u32, keep: u32): void {
  open(chain);
  const records = <usize>load<u32>(chain, GRAPH_RECORDS);
  const first = records + <usize>load<u32>(<usize>load<u32>(chain, GRAPH_BEGINS) + (<usize>from << 2));
  const batch = keep ? <usize>load<u32>(chain, GRAPH_BATCH) : 0;
  const changed = keep ? <usize>load<u32>(chain, GRAPH_CHANGED) : 0;
  const keyLow = load<u32>(chain, GRAPH_KEY_LOW), keyHigh = load<u32>(chain, GRAPH_KEY_HIGH);
  const random = work - 64;
  for (let k: u32 = 0; k < sweeps; k++, sweep += 1) {
    const update = <u64>sweep;
    const low = <u32>update, high = <u32>(update >>> 32);
    let record = first;
    for (let position = from; position < to; position++) {
      // Four blocks of the stream at a time give eight uniform numbers.
      const lane = position & 7;
      if (lane == 0 || position == from) {
        philoxLanes((position & ~7) >>> 1, 0, low, high, keyLow, keyHigh);
        storeUnits(random);
      }
      draw(record, position, load<f64>(random + (<usize>lane << 3)), batch, changed);
      record = after;
    }
  }
}

/** Converts the lanes' words to uniform numbers, in the order of the stream. */
export function storeUnits(to: usize): void {
  store<f64>(to, unit(i32x4.extract_lane(lanes0, 0), i32x4.extract_lane(lanes1, 0)), 0);
  store<f64>(to, unit(i32x4.extract_lane(lanes2, 0), i32x4.extract_lane(lanes3, 0)), 8);
  store<f64>(to, unit(i32x4.extract_lane(lanes0, 1), i32x4.extract_lane(lanes1, 1)), 16);
  store<f64>(to, unit(i32x4.extract_lane(lanes2, 1), i32x4.extract_lane(lanes3, 1)), 24);
  store<f64>(to, unit(i32x4.extract_lane(lanes0, 2), i32x4.extract_lane(lanes1, 2)), 32);
  store<f64>(to, unit(i32x4.extract_lane(lanes2, 2), i32x4.extract_lane(lanes3, 2)), 40);
  store<f64>(to, unit(i32x4.extract_lane(lanes0, 3), i32x4.extract_lane(lanes1, 3)), 48);
  store<f64>(to, unit(i32x4.extract_lane(lanes2, 3), i32x4.extract_lane(lanes3, 3)), 56);
}

export function graphScan(chain: usize, count: u32, sweep: f64, sweeps: u32, keep: u32): void {
  open(chain);
  const records = <usize>load<u32>(chain, GRAPH_RECORDS);
  const begins = <usize>load<u32>(chain, GRAPH_BEGINS);
  const changed = keep ? <usize>load<u32>(chain, GRAPH_CHANGED) : 0;
  for (let k: u32 = 0; k < sweeps; k++, sweep += 1) {
    seek(load<u32>(chain, GRAPH_KEY_LOW), load<u32>(chain, GRAPH_KEY_HIGH), sweep);
    for (let i: u32 = 0; i < count; i++) {
      const position = <usize>integer(count);
      draw(records + <usize>load<u32>(begins + (position << 2)), position, uniform(), 0, changed);
    }
    if (!keep) continue;
    after = records;
    for (let i: u32 = 0; i < count; i++) draw(after, i, -1, <usize>load<u32>(chain, GRAPH_BATCH), 0);
  }
}

export function graphSettle(batch: usize, totals: usize, squares: usize, count: u32, scale: f64): void {
  for (const end = batch + (<usize>count << 3); batch < end; batch += 8) {
    const sum = load<f64>(batch);
    store<f64>(totals, load<f64>(totals) + sum);
    store<f64>(squares, load<f64>(squares) + sum * sum * scale);
    store<f64>(batch, 0);
    totals += 8;
    squares += 8;
  }
}

export function graphScore(chain: usize, from: u32, to: u32, keep: u32): f64 {
  open(chain);
  after = <usize>load<u32>(chain, GRAPH_RECORDS) + <usize>load<u32>(<usize>load<u32>(chain, GRAPH_BEGINS) + (<usize>from << 2));
  const batch = <usize>load<u32>(chain, GRAPH_BATCH);
  let sum: f64 = 0;
  product = 1;
  for (let position = from; position < to; position++) {
    const record = after;
    sum += logConditional(record, position);
    if (product > MOST_PRODUCT) {
      sum -= log(product);
      product = 1;
    }
    if (keep) draw(record, position, -1, batch, 0);
  }
  return sum - log(product);
}
