/**
 * Method and workspace of a block-circulant product (kernels/engine/images/circulant.ts).
 *
 * If the block side k is a power of two from CIRCULANT_SHORTEST to CIRCULANT_LONGEST, blocks are multiplied in the
 * frequency domain, a band of rows at a time. Otherwise, about CIRCULANT_DENSE_ROWS rows of the dense matrix at a time
 * are expanded and multiplied by the matrix product.
 */
import { gemmScratchBytes } from "./gemm.ts";

export const CIRCULANT_SHORTEST = 4;
export const CIRCULANT_LONGEST = 4096;
export const CIRCULANT_DENSE_ROWS = 32;
/** Limits of a band. The band's spectra should stay in the second-level cache. More row vectors would not be faster. */
export const CIRCULANT_BAND_BYTES = 262144;
export const CIRCULANT_BAND_VECTORS = 8;
/**
 * Gap between the slots of a band. Without this gap, the distance between slots would often be a power of two, and all
 * slots would map to the same cache set.
 */
export const CIRCULANT_SLOT_GAP_BYTES = 64;

const padded = (bytes: number): number => Math.ceil(bytes / 16) * 16;

function isPowerOfTwo(k: number): boolean {
  let rest = k;
  while (rest > 1) rest /= 2;
  return rest === 1;
}

/**
 * Returns the bytes of scratch, 16-byte aligned, that suffice for all three kernels on `rows` rows and p × q blocks of
 * side k >= 1.
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
