/**
 * Method and scratch memory of a block-circulant product (kernels/engine/images/circulant.ts).
 *
 * If the block side k is a power of two from CIRCULANT_SHORTEST to CIRCULANT_LONGEST, blocks are multiplied in the
 * frequency domain, a band of rows at a time. For other sides, about CIRCULANT_DENSE_ROWS rows of the dense matrix are
 * expanded at a time and multiplied as an ordinary matrix.
 */
import { gemmScratchBytes } from "./gemm.ts";

export const CIRCULANT_SHORTEST = 4;
export const CIRCULANT_LONGEST = 4096;
export const CIRCULANT_DENSE_ROWS = 32;
/**
 * Limits of a band. The spectra of a band should stay in the second-level cache. More row vectors would not be faster.
 */
export const CIRCULANT_BAND_BYTES = 262144;
export const CIRCULANT_BAND_VECTORS = 8;
/**
 * Gap between the slots of a band. Without the gap, slots would often be a power of two apart, and would all map to the
 * same cache set.
 */
export const CIRCULANT_SLOT_GAP_BYTES = 64;

const padded = (bytes: number): number => Math.ceil(bytes / 16) * 16;

function isPowerOfTwo(k: number): boolean {
  let rest = k;
  while (rest > 1) rest /= 2;
  return rest === 1;
}

/**
 * Returns the number of bytes of scratch memory, which must be 16-byte aligned, for all three kernels on `rows` rows
 * and p × q blocks of side k >= 1.
 */
export function circulantScratchBytes(rows: number, p: number, q: number, k: number, elementBytes: number): number {
  if (isPowerOfTwo(k) && k >= CIRCULANT_SHORTEST && k <= CIRCULANT_LONGEST) {
    const lanes = 16 / elementBytes;
    const fitting = Math.floor(CIRCULANT_BAND_BYTES / (16 * k * Math.max(p + q, 1)));
    const vectors = Math.min(Math.max(fitting, 1), CIRCULANT_BAND_VECTORS, Math.ceil(rows / lanes));
    const tables = padded((k / 2) * elementBytes) + 2 * k * elementBytes;
    return tables + k * (16 * (1 + Math.ceil((p * q) / lanes) + vectors * (p + q)) + CIRCULANT_SLOT_GAP_BYTES);
  }
  const height = k === 1 ? p : Math.ceil(CIRCULANT_DENSE_ROWS / k) * k;
  const width = q * k;
  const products = [
    gemmScratchBytes(rows, height, width, elementBytes),
    gemmScratchBytes(rows, width, height, elementBytes),
    gemmScratchBytes(height, width, rows, elementBytes),
  ];
  return padded(height * width * elementBytes) + padded(2 * k * elementBytes) + Math.max(...products);
}
