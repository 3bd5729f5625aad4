/**
 * Random streams inside WebAssembly, with the same bits as src/engine/random/stream.ts: Philox4x32-10 with counter
 * [block, 0, update low, update high] and the stream's key. Exact.
 *
 * A kernel calls `seek` and then draws; The position is stored in globals, and each thread has its own globals. Only
 * one stream is open at a time: If a kernel calls another kernel that draws, it must call `seek` again afterwards. A
 * direct call of `philox` overwrites the words of an open stream.
 *
 * fill: out holds `count` f64 (kinds: 0 uniform, 1 normal, 2 exponential) drawn in order from the start of update
 * `counter`. drawRows: out holds `count` u32, each first + integer(rowCount), with replacement.
 */
import { log } from "../numbers/log";
import { normalQuantile } from "../numbers/normal-quantile";

const MULTIPLY_0: u64 = 0xd2511f53;
const MULTIPLY_1: u64 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;
/** 2^-53. */
const TO_UNIT: f64 = 1.1102230246251565e-16;

// The words of the last block.
let word0: u32 = 0;
let word1: u32 = 0;
let word2: u32 = 0;
let word3: u32 = 0;

let keyLow: u32 = 0;
let keyHigh: u32 = 0;
let updateLow: u32 = 0;
let updateHigh: u32 = 0;
let nextBlock: u32 = 0;
let nextWord: u32 = 4;

/** Computes the block of counter (c0, c1, c2, c3) under key (k0, k1) and stores it in the words. */
export function philox(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const product0 = MULTIPLY_0 * <u64>c0;
    const product1 = MULTIPLY_1 * <u64>c2;
    c0 = <u32>(product1 >>> 32) ^ c1 ^ k0;
    c1 = <u32>product1;
    c2 = <u32>(product0 >>> 32) ^ c3 ^ k1;
    c3 = <u32>product0;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  word0 = c0;
  word1 = c1;
  word2 = c2;
  word3 = c3;
}

/** Returns word i (0 … 3) of the last block. */
export function philoxWord(i: u32): u32 {
  return i == 0 ? word0 : i == 1 ? word1 : i == 2 ? word2 : word3;
}

/** Opens a stream at the start of update `counter`, an integer in [0, 2^53). */
export function seek(low: u32, high: u32, counter: f64): void {
  keyLow = low;
  keyHigh = high;
  const update = <u64>counter;
  updateLow = <u32>update;
  updateHigh = <u32>(update >>> 32);
  nextBlock = 0;
  nextWord = 4;
}

/** Returns 32 random bits. */
export function bits(): u32 {
  if (nextWord == 4) {
    philox(nextBlock++, 0, updateLow, updateHigh, keyLow, keyHigh);
    nextWord = 0;
  }
  return philoxWord(nextWord++);
}

/** Returns a uniform number in [0, 1) with 53 bits. */
export function uniform(): f64 {
  const upper = bits();
  return fraction53(upper, bits()) * TO_UNIT;
}

/** Returns a uniform integer in 0 … n − 1, without bias; n ≥ 1. */
export function integer(n: u32): u32 {
  let product = <u64>bits() * <u64>n;
  if (<u32>product < n) {
    const refused: u32 = (<u32>0 - n) % n;
    while (<u32>product < refused) product = <u64>bits() * <u64>n;
  }
  return <u32>(product >>> 32);
}

/** Returns a draw from the standard normal distribution. */
export function normal(): f64 {
  const upper = bits();
  return normalQuantile(midpoint52(upper, bits()));
}

/** Returns a draw from the exponential distribution with mean 1. */
export function exponential(): f64 {
  const upper = bits();
  return 0 - log((fraction53(upper, bits()) + 1) * TO_UNIT);
}

/** Combines two words into a 53-bit integer. */
function fraction53(upper: u32, lower: u32): f64 {
  return <f64>(upper >>> 5) * 67108864 + <f64>(lower >>> 6);
}

/** Returns the midpoint of one of 2^52 equal parts of (0, 1). */
function midpoint52(upper: u32, lower: u32): f64 {
  return (<f64>(upper >>> 6) * 67108864 + <f64>(lower >>> 6) + 0.5) * 2.220446049250313e-16;
}

export function fill(out: usize, count: u32, kind: i32, low: u32, high: u32, counter: f64): void {
  // A draw takes eight bytes and uses two words. Both words are therefore written to the draw's memory first.
  const end = out + (<usize>count << 3);
  fillWords(out, end, low, high, counter);
  if (kind == 0) for (; out < end; out += 8) store<f64>(out, fraction53(load<u32>(out), load<u32>(out, 4)) * TO_UNIT);
  else if (kind == 1) for (; out < end; out += 8) store<f64>(out, normalQuantile(midpoint52(load<u32>(out), load<u32>(out, 4))));
  else for (; out < end; out += 8) store<f64>(out, 0 - log((fraction53(load<u32>(out), load<u32>(out, 4)) + 1) * TO_UNIT));
}

/** Writes the words of update `counter` from out to end (a multiple of 8 bytes): sixteen at a time, then one by one. */
function fillWords(out: usize, end: usize, low: u32, high: u32, counter: f64): void {
  seek(low, high, counter);
  for (; out + 64 <= end; out += 64) {
    fourBlocks(out);
    nextBlock += 4;
  }
  for (; out < end; out += 4) store<u32>(out, bits());
}

/** Stores blocks nextBlock … nextBlock + 3 of the open stream in order, one per lane. */
function fourBlocks(out: usize): void {
  const multiply0 = i32x4.splat(<i32>MULTIPLY_0), multiply1 = i32x4.splat(<i32>MULTIPLY_1);
  let c0 = i32x4.add(i32x4.splat(nextBlock), i32x4(0, 1, 2, 3));
  let c1 = i32x4.splat(0);
  let c2 = i32x4.splat(updateLow);
  let c3 = i32x4.splat(updateHigh);
  let k0 = keyLow, k1 = keyHigh;
  for (let round = 0; round < 10; round++) {
    const first0 = i64x2.extmul_low_i32x4_u(multiply0, c0), last0 = i64x2.extmul_high_i32x4_u(multiply0, c0);
    const first1 = i64x2.extmul_low_i32x4_u(multiply1, c2), last1 = i64x2.extmul_high_i32x4_u(multiply1, c2);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(first1, last1, 1, 3, 5, 7), c1), i32x4.splat(k0));
    c1 = v128.shuffle<i32>(first1, last1, 0, 2, 4, 6);
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(first0, last0, 1, 3, 5, 7), c3), i32x4.splat(k1));
    c3 = v128.shuffle<i32>(first0, last0, 0, 2, 4, 6);
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  const low01 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5), high01 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
  const low23 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5), high23 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(low01, low23, 0, 2));
  v128.store(out, v128.shuffle<i64>(low01, low23, 1, 3), 16);
  v128.store(out, v128.shuffle<i64>(high01, high23, 0, 2), 32);
  v128.store(out, v128.shuffle<i64>(high01, high23, 1, 3), 48);
}

export function drawRows(out: usize, count: u32, first: u32, rowCount: u32, low: u32, high: u32, counter: f64): void {
  seek(low, high, counter);
  let i: u32 = count < 16 ? 0 : drawEagerly(out, count, first, rowCount);
  for (; i < count; i++) store<u32>(out + (<usize>i << 2), first + integer(rowCount));
}

/**
 * Draws rows in place, sixteen words at a time. Stops at the first rejected word, so that this word is the next to be
 * read from the stream. Returns the number of rows drawn.
 */
function drawEagerly(out: usize, count: u32, first: u32, rowCount: u32): u32 {
  const refused: u32 = (<u32>0 - rowCount) % rowCount;
  let i: u32 = 0;
  while (i + 16 <= count) {
    fourBlocks(out + (<usize>i << 2));
    nextBlock += 4;
    for (const end = i + 16; i < end; i++) {
      const at = out + (<usize>i << 2);
      const product = <u64>load<u32>(at) * <u64>rowCount;
      if (<u32>product < refused) {
        // Until now, row i came from word i.
        nextBlock = i >>> 2;
        philox(nextBlock++, 0, updateLow, updateHigh, keyLow, keyHigh);
        nextWord = i & 3;
        return i;
      }
      store<u32>(at, first + <u32>(product >>> 32));
    }
  }
  return i;
}
