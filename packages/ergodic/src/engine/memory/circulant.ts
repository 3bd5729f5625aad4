/**
 * Which form a block-circulant product takes (kernels/engine/images/circulant.ts), and the workspace that it needs.
 *
 * Blocks whose side k is a power of two from CIRCULANT_SHORTEST to CIRCULANT_LONGEST are multiplied in the frequency domain, a band of rows at a
 * time; those of another side are written out, CIRCULANT_DENSE_ROWS rows of the dense matrix (or a little more) at a time, and go to the matrix
 * product.
 */
import { gemmScratchBytes } from "./gemm.ts";

export const CIRCULANT_SHORTEST = 4;
export const CIRCULANT_LONGEST = 4096;
export const CIRCULANT_DENSE_ROWS = 32;
/** A band's spectra shall stay in the second cache; beyond so many vectors of rows nothing is gained. */
export const CIRCULANT_BAND_BYTES = 262144;
export const CIRCULANT_BAND_VECTORS = 8;
/** Between the slots of a band, whose distance were often a power of two else: one set of a cache would have to hold them all. */
export const CIRCULANT_SLOT_GAP_BYTES = 64;

const padded = (bytes: number): number => Math.ceil(bytes / 16) * 16;

function isPowerOfTwo(k: number): boolean {
  let rest = k;
  while (rest > 1) rest /= 2;
  return rest === 1;
}

/** Bytes of scratch, 16-byte aligned, that suffice for all three kernels on `rows` rows and p × q blocks of side k >= 1. */
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
