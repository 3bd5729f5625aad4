/**
 * Four Philox blocks simultaneously: counters [block + lane, stream, update low, update high]. With stream 0, the words
 * are the same as in kernels/engine/random/random.ts. Exact. Results are stored in globals, one vector per word of the
 * block. Each thread has its own globals.
 */

const MULTIPLY_0: i32 = 0xd2511f53;
const MULTIPLY_1: i32 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;

export let lanes0: v128 = i32x4(0, 0, 0, 0);
export let lanes1: v128 = i32x4(0, 0, 0, 0);
export let lanes2: v128 = i32x4(0, 0, 0, 0);
export let lanes3: v128 = i32x4(0, 0, 0, 0);

export function philoxLanes(block: u32, stream: u32, updateLow: u32, updateHigh: u32, keyLow: u32, keyHigh: u32): void {
  const multiply0 = i32x4.splat(MULTIPLY_0), multiply1 = i32x4.splat(MULTIPLY_1);
  let c0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let c1 = i32x4.splat(stream);
  let c2 = i32x4.splat(updateLow);
  let c3 = i32x4.splat(updateHigh);
  for (let round = 0; round < 10; round++) {
    const first0 = i64x2.extmul_low_i32x4_u(multiply0, c0), last0 = i64x2.extmul_high_i32x4_u(multiply0, c0);
    const first1 = i64x2.extmul_low_i32x4_u(multiply1, c2), last1 = i64x2.extmul_high_i32x4_u(multiply1, c2);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(first1, last1, 1, 3, 5, 7), c1), i32x4.splat(keyLow));
    c1 = v128.shuffle<i32>(first1, last1, 0, 2, 4, 6);
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(first0, last0, 1, 3, 5, 7), c3), i32x4.splat(keyHigh));
    c3 = v128.shuffle<i32>(first0, last0, 0, 2, 4, 6);
    keyLow += WEYL_0;
    keyHigh += WEYL_1;
  }
  lanes0 = c0;
  lanes1 = c1;
  lanes2 = c2;
  lanes3 = c3;
}

/**
 * Writes eight vectors of words to `to`: four of stream 0, followed by four of stream 1. Computing both streams
 * together hides the latency of the multiplications.
 */
export function philoxEight(to: usize, block: u32, updateLow: u32, updateHigh: u32, keyLow: u32, keyHigh: u32): void {
  const multiply0 = i32x4.splat(MULTIPLY_0), multiply1 = i32x4.splat(MULTIPLY_1);
  let a0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3)), b0 = a0;
  let a1 = i32x4.splat(0), b1 = i32x4.splat(1);
  let a2 = i32x4.splat(updateLow), b2 = a2;
  let a3 = i32x4.splat(updateHigh), b3 = a3;
  let key0 = i32x4.splat(keyLow), key1 = i32x4.splat(keyHigh);
  const weyl0 = i32x4.splat(WEYL_0), weyl1 = i32x4.splat(WEYL_1);
  for (let round = 0; round < 10; round++) {
    const aFirst0 = i64x2.extmul_low_i32x4_u(multiply0, a0), aLast0 = i64x2.extmul_high_i32x4_u(multiply0, a0);
    const bFirst0 = i64x2.extmul_low_i32x4_u(multiply0, b0), bLast0 = i64x2.extmul_high_i32x4_u(multiply0, b0);
    const aFirst1 = i64x2.extmul_low_i32x4_u(multiply1, a2), aLast1 = i64x2.extmul_high_i32x4_u(multiply1, a2);
    const bFirst1 = i64x2.extmul_low_i32x4_u(multiply1, b2), bLast1 = i64x2.extmul_high_i32x4_u(multiply1, b2);
    a0 = v128.xor(v128.shuffle<i32>(aFirst1, aLast1, 1, 3, 5, 7), v128.xor(a1, key0));
    b0 = v128.xor(v128.shuffle<i32>(bFirst1, bLast1, 1, 3, 5, 7), v128.xor(b1, key0));
    a1 = v128.shuffle<i32>(aFirst1, aLast1, 0, 2, 4, 6);
    b1 = v128.shuffle<i32>(bFirst1, bLast1, 0, 2, 4, 6);
    a2 = v128.xor(v128.shuffle<i32>(aFirst0, aLast0, 1, 3, 5, 7), v128.xor(a3, key1));
    b2 = v128.xor(v128.shuffle<i32>(bFirst0, bLast0, 1, 3, 5, 7), v128.xor(b3, key1));
    a3 = v128.shuffle<i32>(aFirst0, aLast0, 0, 2, 4, 6);
    b3 = v128.shuffle<i32>(bFirst0, bLast0, 0, 2, 4, 6);
    key0 = i32x4.add(key0, weyl0);
    key1 = i32x4.add(key1, weyl1);
  }
  v128.store(to, a0);
  v128.store(to, a1, 16);
  v128.store(to, a2, 32);
  v128.store(to, a3, 48);
  v128.store(to, b0, 64);
  v128.store(to, b1, 80);
  v128.store(to, b2, 96);
  v128.store(to, b3, 112);
}
