/**
 * Plain gradient descent on 16-bit fixed-point parameters, with unbiased random rounding (Buckwild, De Sa et al. 2015):
 * v ← v − round(c x).
 *
 * x: `count` integers of 8 or 16 bits; v: i16, saturating; c: steps of v per unit of x. The product c x is computed in
 * fixed point with f fraction bits, where 1 ≤ f ≤ 14 is as large as the row permits: y = x m / 2^15 with |y| < 2^14,
 * then (y + r) >> f, r uniform in [0, 2^f). The bias of an update is therefore at most 2^-15 times the larger of two
 * values: the step of v and the row's largest update. r: for each of eight lanes and each row, a random start, followed
 * by a Weyl sequence along the row. Neighbouring elements of the Weyl sequence differ as much as possible. The tail
 * runs the same arithmetic in scalars.
 */
import { DECAY_RANDOM } from "../../../src/engine/memory/fields";

const WEYL: i16 = 25717; // The odd number nearest to 2^16 / golden ratio², so that multiples of it spread evenly.

function times(a: v128, b: v128): v128 {
  // The two instructions differ only for −32768 × −32768, and m is never −32768.
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_q15mulr_s(a, b);
  return i16x8.q15mulr_sat_s(a, b);
}

/** Advances four xorshift32 generators by one step. Returns the old state as the random numbers. */
function nextRandom(at: usize): v128 {
  let x = v128.load(at);
  const now = x;
  x = v128.xor(x, i32x4.shl(x, 13));
  x = v128.xor(x, i32x4.shr_u(x, 17));
  x = v128.xor(x, i32x4.shl(x, 5));
  v128.store(at, x);
  return now;
}

/**
 * Computes (y + r) >> f without a shift, because a shift by a variable costs several instructions here. The same number
 * is (a·2^(15−f) + 2^14) >> 15 with a = y + r − 2^(f−1).
 */
function step8(v: usize, x: v128, m: v128, r: v128, mask: v128, half: v128, power: v128): void {
  const y = i16x8.add(times(x, m), i16x8.sub(v128.and(r, mask), half));
  v128.store(v, i16x8.sub_sat_s(v128.load(v), times(y, power)));
}

function stepOne(v: usize, x: i32, m: i32, r: i32, fraction: i32): void {
  const y = ((x * m + 0x4000) >> 15) + r;
  store<i16>(v, <i16>max(-32768, min(32767, <i32>load<i16>(v) - (y >> fraction))));
}

/** `bytes`: size of an element of x. `decay`: block that holds the random state. */
export function fixedStep(decay: usize, v: usize, x: usize, count: i32, bytes: i32, c: f64): void {
  // Rows of 8 bits are shifted up by 8 bits when they are loaded. The largest |x| of a row is then close to 2^15 for
  // both element types.
  const unit = bytes == 1 ? c / 256 : c;
  const size = Math.abs(unit) * 32768;
  if (!(size > 0)) return;
  // Largest f ≤ 14 for which |x| unit 2^f < 2^14.
  let fraction = 14;
  let bound: f64 = size * 16384;
  while (bound >= 16383 && fraction > 1) {
    bound *= 0.5;
    fraction--;
  }
  // Saturates if the step is too large for 14 bits.
  const m = <i32>max<f64>(-32767, min<f64>(32767, nearest(unit * <f64>(1 << fraction) * 32768)));
  const ms = i16x8.splat(<i16>m);
  const mask = (1 << fraction) - 1;
  const masks = i16x8.splat(<i16>mask), half = i16x8.splat(<i16>(<i32>1 << (fraction - 1))), power = i16x8.splat(<i16>(<i32>1 << (15 - fraction)));
  let r = nextRandom(decay + DECAY_RANDOM);
  const weyl = i16x8.splat(WEYL);
  let left = count;
  if (bytes == 1) {
    const zero = i8x16.splat(0);
    for (; left >= 16; left -= 16) {
      const row = v128.load(x);
      step8(v, v128.shuffle<i8>(zero, row, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), ms, r, masks, half, power);
      r = i16x8.add(r, weyl);
      step8(v + 16, v128.shuffle<i8>(zero, row, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), ms, r, masks, half, power);
      r = i16x8.add(r, weyl);
      x += 16;
      v += 32;
    }
  } else {
    for (; left >= 8; left -= 8) {
      step8(v, v128.load(x), ms, r, masks, half, power);
      r = i16x8.add(r, weyl);
      x += 16;
      v += 16;
    }
  }
  let scalar = <u32>i16x8.extract_lane_u(r, 0);
  for (; left > 0; left--) {
    stepOne(v, bytes == 1 ? <i32>load<i8>(x) << 8 : <i32>load<i16>(x), m, <i32>scalar & mask, fraction);
    scalar += <u32>WEYL;
    x += bytes;
    v += 2;
  }
}

/** Multiplies a parameter by `factor` with random rounding. */
export function scaleOne(decay: usize, v: usize, factor: f64): void {
  const wanted = <f64>load<i16>(v) * factor;
  const below = Math.floor(wanted);
  const u = <f64>i32x4.extract_lane(nextRandom(decay + DECAY_RANDOM), 0) * 2.3283064365386963e-10 + 0.5;
  store<i16>(v, <i16>max<f64>(-32768, min<f64>(32767, below + (u < wanted - below ? 1 : 0))));
}
