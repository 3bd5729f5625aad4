/**
 * Blocking of matrix products (kernels/engine/arrays/gemm.ts), and the workspace that a product needs.
 *
 * A tile is GEMM_ROWS rows by GEMM_PANEL_BYTES of columns. The sum over k goes in blocks of at most GEMM_DEPTH; of such a block of op(B), at
 * most GEMM_PANELS panels are packed at a time, and of op(A) GEMM_STRIPS strips of GEMM_ROWS rows. Where that would not pay, the tile
 * reads the operand where it lies.
 */
export const GEMM_ROWS = 4;
export const GEMM_PANEL_BYTES = 32;
export const GEMM_DEPTH = 256;
export const GEMM_PANELS = 64;
export const GEMM_STRIPS = 16;
/** Rows of A that fewer panels use are read in place. */
export const GEMM_FEW_PANELS = 8;
/** One tile: what lies at the edge of C goes there first. */
export const GEMM_TILE_BYTES = 128;
/** A block of an operand that spans no more is read in place. */
export const GEMM_DIRECT_BYTES = 32768;

/**
 * Bytes of workspace for C[m,n] = op(A) op(B) over k, 16-byte aligned: below 1 MiB whatever the shape, and whether operands are transposed or not.
 */
export function gemmScratchBytes(m: number, n: number, k: number, elementBytes: number): number {
  const depth = Math.min(k, GEMM_DEPTH);
  const panels = Math.min(Math.ceil((n * elementBytes) / GEMM_PANEL_BYTES), GEMM_PANELS);
  const strips = Math.min(Math.ceil(m / GEMM_ROWS), GEMM_STRIPS);
  return GEMM_TILE_BYTES + depth * (panels * GEMM_PANEL_BYTES + strips * GEMM_ROWS * elementBytes);
}
