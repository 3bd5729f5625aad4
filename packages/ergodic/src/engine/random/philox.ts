/**
 * Philox4x32-10: computes four random u32 from a counter (u32[4]) and a key (u32[2]), by ten rounds of two 32 × 32 → 64
 * bit products.
 *
 * Any two (counter, key) pairs give independent-looking blocks; there is no state between draws. Source: Salmon,
 * Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"; constants of Random123.
 */

const MULTIPLY_0 = 0xd2511f53;
const MULTIPLY_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Writes the block of counter (c0, c1, c2, c3) under key (k0, k1) to `out`. */
export function philox(out: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLY_0, c0);
    const high1 = multiplyHigh(MULTIPLY_1, c2);
    const low0 = Math.imul(MULTIPLY_0, c0);
    const low1 = Math.imul(MULTIPLY_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Returns the upper 32 bits of the 64-bit product of two u32, as an i32. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  // aLow × bHigh + the low half of middle stays below 2^32.
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) | 0;
}
