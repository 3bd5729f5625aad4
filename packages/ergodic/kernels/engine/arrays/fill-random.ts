/**
 * Fills arrays with random numbers. Each number depends only on (key, update, stream, index i), so a longer array
 * starts with the same numbers as a shorter one.
 *
 * Word w is word w mod 4 of the Philox block with counter [⌊w/4⌋, stream, update low, update high]; stream 0 is the
 * stream of random/stream.ts. update: an integer in [0, 2^53). out: `count` numbers, any alignment.
 *
 * fillUniformF32: the upper 24 bits of word i, divided by 2^24. fillUniformF64: 53 bits of words 2i and 2i + 1, like
 * `uniform` of random/stream.ts. Both lie in [0, 1). fillNormal: `normal` of random/stream.ts from words 2i and 2i + 1,
 * rounded to the type: mean 0, variance 1, |z| < 8.3. Exact: all builds give the same bits. Does not overwrite the
 * words of an open stream in random.ts.
 */
import { normalQuantile } from "../numbers/normal-quantile";
import { lanes0, lanes1, lanes2, lanes3, philoxLanes } from "../random/philox-lanes";

/** 2^-53, 2^-52, 2^-24. */
const TO_UNIT_53: f64 = 1.1102230246251565e-16;
const TO_UNIT_52: f64 = 2.220446049250313e-16;
const TO_UNIT_24: f32 = 5.9604644775390625e-8;

/**
 * Combines lanes 0 and 1 of two words into integers of 52 + extra bits, stored in f64x2. For the upper word, `shift` is
 * 6 − extra.
 */
function integers(upper: v128, lower: v128, shift: i32): v128 {
  const high = f64x2.convert_low_i32x4_u(i32x4.shr_u(upper, shift));
  return f64x2.add(f64x2.mul(high, f64x2.splat(67108864)), f64x2.convert_low_i32x4_u(i32x4.shr_u(lower, 6)));
}

function uniforms(upper: v128, lower: v128): v128 {
  return f64x2.mul(integers(upper, lower, 5), f64x2.splat(TO_UNIT_53));
}

function midpoints(upper: v128, lower: v128): v128 {
  return f64x2.mul(f64x2.add(integers(upper, lower, 6), f64x2.splat(0.5)), f64x2.splat(TO_UNIT_52));
}

function last(lanes: v128): v128 {
  return v128.shuffle<i64>(lanes, lanes, 1, 1);
}

/**
 * Interleaves the elements of `even` and `odd`, and stores the first `count` of them as T. With `normal`, stores the
 * normal quantile of each element.
 */
function storePairs<T>(out: usize, even: v128, odd: v128, normal: bool, count: i32): void {
  storeOne<T>(out, f64x2.extract_lane(even, 0), normal);
  if (count > 1) storeOne<T>(out + sizeof<T>(), f64x2.extract_lane(odd, 0), normal);
  if (count > 2) storeOne<T>(out + 2 * sizeof<T>(), f64x2.extract_lane(even, 1), normal);
  if (count > 3) storeOne<T>(out + 3 * sizeof<T>(), f64x2.extract_lane(odd, 1), normal);
}

function storeOne<T>(out: usize, u: f64, normal: bool): void {
  store<T>(out, <T>(normal ? normalQuantile(u) : u));
}

function fillTwoWords<T>(out: usize, count: i32, keyLow: u32, keyHigh: u32, update: u64, stream: u32, normal: bool): void {
  let block: u32 = 0;
  for (let left = count; left > 0; left -= 8) {
    philoxLanes(block, stream, <u32>update, <u32>(update >>> 32), keyLow, keyHigh);
    block += 4;
    const a = lanes0, b = lanes1, c = lanes2, d = lanes3;
    if (normal) storePairs<T>(out, midpoints(a, b), midpoints(c, d), true, left);
    else storePairs<T>(out, uniforms(a, b), uniforms(c, d), false, left);
    if (left <= 4) return;
    out += 4 * sizeof<T>();
    if (normal) storePairs<T>(out, midpoints(last(a), last(b)), midpoints(last(c), last(d)), true, left - 4);
    else storePairs<T>(out, uniforms(last(a), last(b)), uniforms(last(c), last(d)), false, left - 4);
    out += 4 * sizeof<T>();
  }
}

function unit24(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(words, 8)), f32x4.splat(TO_UNIT_24));
}

/** Stores the first `count` lanes. */
function storeLanes(out: usize, lanes: v128, count: i32): void {
  if (count >= 4) {
    v128.store(out, lanes);
    return;
  }
  if (count > 0) store<f32>(out, f32x4.extract_lane(lanes, 0));
  if (count > 1) store<f32>(out, f32x4.extract_lane(lanes, 1), 4);
  if (count > 2) store<f32>(out, f32x4.extract_lane(lanes, 2), 8);
}

export function fillUniformF32(out: usize, count: i32, keyLow: u32, keyHigh: u32, update: f64, stream: u32): void {
  const whole = <u64>update;
  let block: u32 = 0;
  for (let left = count; left > 0; left -= 16) {
    philoxLanes(block, stream, <u32>whole, <u32>(whole >>> 32), keyLow, keyHigh);
    block += 4;
    const a = unit24(lanes0), b = unit24(lanes1), c = unit24(lanes2), d = unit24(lanes3);
    const low01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), high01 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const low23 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), high23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    storeLanes(out, v128.shuffle<i64>(low01, low23, 0, 2), left);
    storeLanes(out + 16, v128.shuffle<i64>(low01, low23, 1, 3), left - 4);
    storeLanes(out + 32, v128.shuffle<i64>(high01, high23, 0, 2), left - 8);
    storeLanes(out + 48, v128.shuffle<i64>(high01, high23, 1, 3), left - 12);
    out += 64;
  }
}

export function fillUniformF64(out: usize, count: i32, keyLow: u32, keyHigh: u32, update: f64, stream: u32): void {
  fillTwoWords<f64>(out, count, keyLow, keyHigh, <u64>update, stream, false);
}

export function fillNormalF32(out: usize, count: i32, keyLow: u32, keyHigh: u32, update: f64, stream: u32): void {
  fillTwoWords<f32>(out, count, keyLow, keyHigh, <u64>update, stream, true);
}

export function fillNormalF64(out: usize, count: i32, keyLow: u32, keyHigh: u32, update: f64, stream: u32): void {
  fillTwoWords<f64>(out, count, keyLow, keyHigh, <u64>update, stream, true);
}
