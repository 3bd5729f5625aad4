/**
 * Gibbs sampling of 64 replicas of a graph of Booleans simultaneously. A variable's states are the bits of one word,
 * bit r for replica r. Variables are drawn in pairs: positions p and p + 1, with p even, hold two variables of the same
 * colour and kind.
 *
 * graphReplicas(block, from, to, sweep, sweeps, keep): draws positions from … to − 1 (both even), run by run, `sweeps`
 * times. With `keep`, the number of ones among every eight replicas is added to a byte of TALLY, which has room for 31
 * sweeps. block: a REPLICAS block (graphs/fields.ts).
 *
 * A conditional probability depends only on the level. A level consists of one count for each group of equal edges. A
 * group's count is the number of neighbours in the state that the group's edges require. Level l has a 32-bit threshold
 * t(l). A replica's state becomes 1 if its 32-bit random number is below the threshold. Random numbers are compared
 * with thresholds from the top bit down, until the result is known for all 128 replicas. Bit 31 − j of the numbers for
 * p and p + 1 is word j mod 4 of the four Philox blocks with counters [2p + lane, ⌊j/4⌋, sweep]: lanes 0 and 1 for p,
 * lanes 2 and 3 for p + 1. The random numbers do not depend on how the range is split into calls.
 *
 * graphTally(tally, batch, count): batch (u32) += tally (u8), tally = 0; count: a multiple of 16.
 * graphSettleReplicas(batch, totals, squares, count, sweeps): for each of `count` positions with eight groups each,
 * totals (u32) += batch (u32); squares (f64) += the sum of the groups' batch² / sweeps; batch = 0.
 */
import { lanes0, lanes1, lanes2, lanes3, philoxEight, philoxLanes } from "../engine/random/philox-lanes";
import {
  REPLICAS_RUNS, REPLICAS_RUN_COUNT, REPLICAS_STATES, REPLICAS_TALLY, REPLICAS_WORK, REPLICAS_KEY_LOW, REPLICAS_KEY_HIGH, RUN_FROM, RUN_TO, RUN_EDGES,
  RUN_KIND, RUN_BYTES, KIND_EDGES, KIND_LEVELS, KIND_GROUPS, KIND_SIZES, KIND_BYTES, NEIGHBOURS_FIRST, NEIGHBOURS_SECOND, NEIGHBOURS_BYTES,
} from "../../src/graphs/fields";

/** XOR masks for the words of two variables, indexed by whether their edges require state 0. */
const SIGNS: usize = memory.data<i64>([0, 0, -1, 0, 0, -1, -1, -1], 16);
const BITS: u32 = 32;

let states: usize = 0;
let work: usize = 0;
let keyLow: u32 = 0;
let keyHigh: u32 = 0;

/** For each replica of the two variables, returns whether the edge's neighbour has the state that the edge requires. */
function asked(edge: usize): v128 {
  const first = load<u32>(edge, NEIGHBOURS_FIRST);
  const words = v128.load64_lane(states + <usize>load<u32>(edge, NEIGHBOURS_SECOND), v128.load64_zero(states + <usize>(first & ~3)), 1);
  return v128.xor(words, v128.load(SIGNS + (<usize>(first & 3) << 4)));
}

/**
 * Writes one mask per level to `work`. Groups can have any size. Each mask marks the replicas that are at its level.
 * The last group's count varies fastest.
 */
function masksOf(edge: usize, kind: usize): void {
  const groups = load<u32>(kind, KIND_GROUPS);
  const own = work + 256;
  v128.store(work, i64x2.splat(-1));
  let levels: usize = 1;
  for (let group: u32 = 0; group < groups; group++) {
    const size = <usize>load<u8>(kind + <usize>group, KIND_SIZES);
    v128.store(own, i64x2.splat(-1));
    for (let e: usize = 1; e <= size; e++) {
      const y = asked(edge);
      edge += NEIGHBOURS_BYTES;
      let below = v128.load(own + ((e - 1) << 4));
      v128.store(own + (e << 4), v128.and(below, y));
      for (let c = e - 1; c > 0; c--) {
        const mask = below;
        below = v128.load(own + ((c - 1) << 4));
        v128.store(own + (c << 4), v128.or(v128.andnot(mask, y), v128.and(below, y)));
      }
      v128.store(own, v128.andnot(v128.load(own), y));
    }
    for (let level = levels; level > 0; level--) {
      const mask = v128.load(work + ((level - 1) << 4));
      const to = work + ((level - 1) * (size + 1) << 4);
      for (let c: usize = 0; c <= size; c++) v128.store(to + (c << 4), v128.and(mask, v128.load(own + (c << 4))));
    }
    levels *= size + 1;
  }
}

/** Draws new states of two variables from the masks at `work`. */
function drawn(thresholds: usize, levels: usize, position: u32, low: u32, high: u32): v128 {
  let ones = i64x2.splat(0);
  let open = i64x2.splat(-1);
  const random = work + 512;
  for (let four: u32 = 0; four < BITS / 4 && v128.any_true(open); four++) {
    storeWords(random, position, four, low, high);
    for (let j: usize = 0; j < 64; j += 16) {
      let threshold = v128.and(v128.load(work), v128.load(thresholds));
      for (let l: usize = 16; l < levels << 4; l += 16)
        threshold = v128.or(threshold, v128.and(v128.load(work + l), v128.load(thresholds + l)));
      thresholds += levels << 4;
      const differs = v128.xor(threshold, v128.load(random + j));
      ones = v128.or(ones, v128.and(open, v128.and(differs, threshold)));
      open = v128.andnot(open, differs);
    }
  }
  return ones;
}

/**
 * Does the work of `masksOf` and `drawn` for a single group of at most four edges. Such a group has at most five
 * levels. Missing edges read state 0.
 */
function drawnOfFour(edge: usize, thresholds: usize, position: u32, low: u32, high: u32): v128 {
  const random = work + 512;
  philoxEight(random, position << 1, low, high, keyLow, keyHigh);
  const y0 = asked(edge), y1 = asked(edge + NEIGHBOURS_BYTES), y2 = asked(edge + 2 * NEIGHBOURS_BYTES), y3 = asked(edge + 3 * NEIGHBOURS_BYTES);
  const odd0 = v128.xor(y0, y1), both0 = v128.and(y0, y1);
  const odd1 = v128.xor(y2, y3), both1 = v128.and(y2, y3);
  const odd = v128.xor(odd0, odd1);
  const some = v128.or(odd0, odd1);
  // Masks of the replicas in which zero, one, two, three or four of the edges hold.
  const m4 = v128.and(both0, both1);
  const pair = v128.or(both0, both1);
  const m3 = v128.and(pair, odd);
  const m1 = v128.andnot(odd, pair);
  const m0 = v128.not(v128.or(some, pair));
  const m2 = v128.andnot(v128.not(v128.or(odd, m4)), m0);
  let ones = i64x2.splat(0);
  let open = i64x2.splat(-1);
  for (let j: usize = 0, at = thresholds; j < 128; j += 16, at += 80) {
    const t0 = v128.and(m0, v128.load(at)), t1 = v128.and(m1, v128.load(at, 16)), t2 = v128.and(m2, v128.load(at, 32));
    const t3 = v128.and(m3, v128.load(at, 48)), t4 = v128.and(m4, v128.load(at, 64));
    const threshold = v128.or(v128.or(v128.or(t0, t1), v128.or(t2, t3)), t4);
    const differs = v128.xor(threshold, v128.load(random + j));
    ones = v128.or(ones, v128.and(open, v128.and(differs, threshold)));
    open = v128.andnot(open, differs);
  }
  for (let four: u32 = 2; v128.any_true(open) && four < BITS / 4; four++) {
    storeWords(random, position, four, low, high);
    let at = thresholds + <usize>four * 320;
    for (let j: usize = 0; j < 64; j += 16, at += 80) {
      const t0 = v128.and(m0, v128.load(at)), t1 = v128.and(m1, v128.load(at, 16)), t2 = v128.and(m2, v128.load(at, 32));
      const t3 = v128.and(m3, v128.load(at, 48)), t4 = v128.and(m4, v128.load(at, 64));
      const threshold = v128.or(v128.or(v128.or(t0, t1), v128.or(t2, t3)), t4);
      const differs = v128.xor(threshold, v128.load(random + j));
      ones = v128.or(ones, v128.and(open, v128.and(differs, threshold)));
      open = v128.andnot(open, differs);
    }
  }
  return ones;
}

/** Stores four random words of 128 bits. */
function storeWords(to: usize, position: u32, four: u32, low: u32, high: u32): void {
  philoxLanes(position << 1, four, low, high, keyLow, keyHigh);
  v128.store(to, lanes0);
  v128.store(to, lanes1, 16);
  v128.store(to, lanes2, 32);
  v128.store(to, lanes3, 48);
}

export function graphReplicas(block: usize, from: u32, to: u32, sweep: f64, sweeps: u32, keep: u32): void {
  states = <usize>load<u32>(block, REPLICAS_STATES);
  work = <usize>load<u32>(block, REPLICAS_WORK);
  keyLow = load<u32>(block, REPLICAS_KEY_LOW);
  keyHigh = load<u32>(block, REPLICAS_KEY_HIGH);
  const runs = <usize>load<u32>(block, REPLICAS_RUNS);
  const end = runs + <usize>load<u32>(block, REPLICAS_RUN_COUNT) * RUN_BYTES;
  const tally = keep ? <usize>load<u32>(block, REPLICAS_TALLY) : 0;
  for (let k: u32 = 0; k < sweeps; k++, sweep += 1) {
    const low = <u32><u64>sweep, high = <u32>(<u64>sweep >>> 32);
    for (let run = runs; run < end; run += RUN_BYTES) {
      const first = load<u32>(run, RUN_FROM);
      const begin = max(from, first), last = min(to, load<u32>(run, RUN_TO));
      if (begin >= last) continue;
      const kind = <usize>load<u32>(run, RUN_KIND);
      const edges = <usize>load<u32>(kind, KIND_EDGES), levels = <usize>load<u32>(kind, KIND_LEVELS);
      const ofFour = edges == 4 && levels == 5;
      let edge = <usize>load<u32>(run, RUN_EDGES) + (<usize>(begin - first) >>> 1) * (edges * NEIGHBOURS_BYTES);
      for (let position = begin; position < last; position += 2) {
        let now: v128;
        if (ofFour) now = drawnOfFour(edge, kind + KIND_BYTES, position, low, high);
        else {
          masksOf(edge, kind);
          now = drawn(kind + KIND_BYTES, levels, position, low, high);
        }
        edge += edges * NEIGHBOURS_BYTES;
        const offset = <usize>position << 3;
        v128.store(states + offset, now);
        if (tally) v128.store(tally + offset, i8x16.add(v128.load(tally + offset), i8x16.popcnt(now)));
      }
    }
  }
}

export function graphTally(tally: usize, batch: usize, count: u32): void {
  for (const end = tally + <usize>count; tally < end; tally += 16, batch += 64) {
    const bytes = v128.load(tally);
    const low = i16x8.extend_low_i8x16_u(bytes), high = i16x8.extend_high_i8x16_u(bytes);
    v128.store(batch, i32x4.add(v128.load(batch), i32x4.extend_low_i16x8_u(low)));
    v128.store(batch, i32x4.add(v128.load(batch, 16), i32x4.extend_high_i16x8_u(low)), 16);
    v128.store(batch, i32x4.add(v128.load(batch, 32), i32x4.extend_low_i16x8_u(high)), 32);
    v128.store(batch, i32x4.add(v128.load(batch, 48), i32x4.extend_high_i16x8_u(high)), 48);
    v128.store(tally, i64x2.splat(0));
  }
}

export function graphSettleReplicas(batch: usize, totals: usize, squares: usize, count: u32, sweeps: f64): void {
  for (const end = squares + (<usize>count << 3); squares < end; squares += 8, batch += 32, totals += 32) {
    const low = v128.load(batch), high = v128.load(batch, 16);
    v128.store(totals, i32x4.add(v128.load(totals), low));
    v128.store(totals, i32x4.add(v128.load(totals, 16), high), 16);
    // The conversion and the squares are exact, because each number sums eight replicas over fewer than 2^20 sweeps.
    const a = f64x2.convert_low_i32x4_u(low), b = f64x2.convert_low_i32x4_u(v128.shuffle<i64>(low, low, 1, 1));
    const c = f64x2.convert_low_i32x4_u(high), d = f64x2.convert_low_i32x4_u(v128.shuffle<i64>(high, high, 1, 1));
    const sum = f64x2.add(f64x2.add(f64x2.mul(a, a), f64x2.mul(b, b)), f64x2.add(f64x2.mul(c, c), f64x2.mul(d, d)));
    store<f64>(squares, load<f64>(squares) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)) / sweeps);
    v128.store(batch, i64x2.splat(0));
    v128.store(batch, i64x2.splat(0), 16);
  }
}
