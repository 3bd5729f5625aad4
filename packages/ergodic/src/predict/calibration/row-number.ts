import type { RowVector } from "../../engine/data/rows.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Returns a number in (0, 1) for a row and a seed. The numbers of different rows are uniformly distributed. The random
 * part of a set is therefore reproducible: the number depends only on the row and the seed, not on the machine or the
 * other rows of a batch. Equal rows have equal numbers.
 *
 * It is a 32-bit hash of the non-zero columns and their float32 values, in any order, so that dense and sparse rows
 * agree.
 */
export function rowNumber({ count, columns, values }: RowVector, seed: number): number {
  let sum = mixed(seed);
  for (let k = 0; k < count; k++) {
    float[0] = values[k];
    if (float[0] !== 0) sum = (sum + mixed(mixed((columns ? columns[k] : k) + 1) ^ bits[0])) | 0;
  }
  return ((mixed(sum) >>> 0) + 0.5) / 2 ** 32;
}

/** The final mix of murmur3: every bit of the result depends on every bit of the input. */
function mixed(h: number): number {
  let mixing = h | 0;
  mixing = Math.imul(mixing ^ (mixing >>> 16), 0x85ebca6b);
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35);
  return mixing ^ (mixing >>> 16);
}
