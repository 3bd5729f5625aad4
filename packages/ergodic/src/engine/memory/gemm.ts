/**
 * Block sizes of matrix products (kernels/engine/arrays/gemm.ts), and the workspace of a product.
 *
 * A tile is GEMM_ROWS rows by GEMM_PANEL_BYTES of columns. The sum over k is split into blocks of at most GEMM_DEPTH.
 * Packing is done in blocks of at most GEMM_PANELS panels of op(B) and GEMM_STRIPS strips of op(A), where a strip has
 * GEMM_ROWS rows. If packing an operand would not save time, tiles read the operand in place.
 */
export const GEMM_ROWS = 4;
export const GEMM_PANEL_BYTES = 32;
export const GEMM_DEPTH = 256;
export const GEMM_PANELS = 64;
export const GEMM_STRIPS = 16;
/** If fewer panels than this use the rows of A, these rows are read in place. */
export const GEMM_FEW_PANELS = 8;
/** Size of one tile. Results at the edges of C are first computed in a tile of scratch memory. */
export const GEMM_TILE_BYTES = 128;
/** An operand block that spans at most this many bytes is read in place. */
export const GEMM_DIRECT_BYTES = 32768;

/**
 * Returns the number of bytes of workspace for C[m,n] = op(A) op(B) over k. The workspace must be 16-byte aligned. The
 * workspace is smaller than 1 MiB for any shape. This workspace suffices for all combinations of transposed operands.
 */
export function gemmScratchBytes(m: number, n: number, k: number, elementBytes: number): number {
  const depth = Math.min(k, GEMM_DEPTH);
  const panels = Math.min(Math.ceil((n * elementBytes) / GEMM_PANEL_BYTES), GEMM_PANELS);
  const strips = Math.min(Math.ceil(m / GEMM_ROWS), GEMM_STRIPS);
  return GEMM_TILE_BYTES + depth * (panels * GEMM_PANEL_BYTES + strips * GEMM_ROWS * elementBytes);
}
