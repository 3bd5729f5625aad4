/**
 * Matrix product C[m,n] = op(A) op(B) (+ C if `accumulate` is not 0), with op(A)[m,k] and op(B)[k,n], for f32 and f64.
 *
 * Matrices are row-major. lda, ldb, ldc: elements between stored rows, at least the row length. transA ≠ 0: A is stored
 * as [k,m]; transB ≠ 0: B is stored as [n,k]. Any of m, n, k can be 0; with k = 0, C becomes 0 or, with `accumulate`,
 * stays unchanged. C overlaps nothing. Nothing beyond the operands is read, and nothing but C and scratch is written.
 * `scratch`: gemmScratchBytes(m, n, k, bytes per element) of memory/gemm.ts, 16-byte aligned; operands need only the
 * alignment of their elements.
 *
 * |error| <= k ε Σ_p |a_p b_p|, plus one rounding with `accumulate`. NaN and infinity propagate, because no product is
 * skipped. For m, n > 1, the sum of an element runs over p in order, in blocks of GEMM_DEPTH that are added to C one
 * after another. Vector shapes (m = 1 or n = 1) use the order of kernels/engine/arrays/gemm-vector.ts. With m, n > 1,
 * the bits of an element therefore depend only on its row of op(A), its column of op(B), and k.
 *
 * Blocking follows Goto and van de Geijn 2008: a packed block of op(B) stays in the second-level cache, a strip of
 * op(A) in the first-level cache, and tiles of C in registers. An operand is not packed if a tile can read it in place
 * about as fast. Such operands are a transposed A, a plain B whose block spans at most GEMM_DIRECT_BYTES, and any
 * operand that only a few tiles use. Plain A is packed. Without packing, each tile would need four addresses of A
 * instead of one, which costs a tenth of the tile's time.
 */
import { GEMM_DEPTH, GEMM_DIRECT_BYTES, GEMM_FEW_PANELS, GEMM_PANELS, GEMM_PANEL_BYTES, GEMM_ROWS, GEMM_STRIPS, GEMM_TILE_BYTES } from "../../../src/engine/memory/gemm";
import { packAcross, packAlong } from "./gemm-pack";
import { tileColumns, tileRows } from "./gemm-tile";
import { vectorDots, vectorSums } from "./gemm-vector";

function zero<T>(m: i32, n: i32, c: usize, cRow: usize): void {
  for (; m > 0; m--) {
    memory.fill(c, 0, <usize>n * sizeof<T>());
    c += cRow;
  }
}

/** Writes the part of a tile that lies inside C. */
function putEdge<T>(tile: usize, c: usize, cRow: usize, rows: i32, columns: i32, accumulate: i32): void {
  for (; rows > 0; rows--) {
    for (let j: usize = 0; j < <usize>columns * sizeof<T>(); j += sizeof<T>()) {
      const value = load<T>(tile + j);
      store<T>(c + j, accumulate ? load<T>(c + j) + value : value);
    }
    tile += GEMM_PANEL_BYTES;
    c += cRow;
  }
}

/**
 * Computes y = op(M) x (+ y), with elements of y `yStep` bytes apart; if `transposed`, M is stored as [k, rows]. x is
 * gathered first if its elements are not contiguous and M's rows are used in inner products.
 */
function vector<T>(
  transposed: i32, rows: i32, k: i32, matrix: usize, step: usize, x: usize, xStep: usize, y: usize, yStep: usize, accumulate: i32, scratch: usize,
): void {
  if (transposed) {
    vectorSums<T>(matrix, step, k, rows, x, xStep, y, yStep, accumulate);
  } else if (xStep == sizeof<T>()) {
    vectorDots<T>(matrix, step, rows, k, x, y, yStep, accumulate);
  } else {
    for (let from = 0; from < k; from += GEMM_DEPTH) {
      const depth = min(k - from, GEMM_DEPTH);
      for (let p = 0; p < depth; p++) store<T>(scratch + <usize>p * sizeof<T>(), load<T>(x + <usize>(from + p) * xStep));
      vectorDots<T>(matrix + <usize>from * sizeof<T>(), step, rows, depth, scratch, y, yStep, accumulate);
      accumulate = 1;
    }
  }
}

function gemm<T>(
  transA: i32, transB: i32, m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  const aStep = <usize>lda * sizeof<T>(), bStep = <usize>ldb * sizeof<T>(), cRow = <usize>ldc * sizeof<T>();
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    if (!accumulate) zero<T>(m, n, c, cRow);
    return;
  }
  if (n == 1) {
    vector<T>(transA, m, k, a, aStep, b, transB ? sizeof<T>() : bStep, c, cRow, accumulate, scratch);
    return;
  }
  if (m == 1) {
    vector<T>(transB ? 0 : 1, n, k, b, bStep, a, transA ? aStep : sizeof<T>(), c, sizeof<T>(), accumulate, scratch);
    return;
  }
  const blocks = (k + GEMM_DEPTH - 1) / GEMM_DEPTH;
  const depthOfBlock = min(((k + blocks - 1) / blocks + 3) & ~3, GEMM_DEPTH);
  const columnsOfBlock = GEMM_PANELS * GEMM_PANEL_BYTES / <i32>sizeof<T>();
  for (let j = 0; j < n; j += columnsOfBlock) {
    const columns = min(n - j, columnsOfBlock);
    for (let p = 0; p < k; p += depthOfBlock) {
      const depth = min(k - p, depthOfBlock);
      block<T>(
        transA, transB, m, columns, depth,
        a + (transA ? <usize>p * aStep : <usize>p * sizeof<T>()), aStep,
        b + (transB ? <usize>j * bStep + <usize>p * sizeof<T>() : <usize>p * bStep + <usize>j * sizeof<T>()), bStep,
        c + <usize>j * sizeof<T>(), cRow, accumulate || p > 0 ? 1 : 0, scratch,
      );
    }
  }
}

/** Computes all rows of C for at most GEMM_PANELS panels, over a depth of at most GEMM_DEPTH. */
function block<T>(
  transA: i32, transB: i32, m: i32, n: i32, k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cRow: usize, accumulate: i32, scratch: usize,
): void {
  const lanes = GEMM_PANEL_BYTES / <i32>sizeof<T>();
  const packedA = scratch + GEMM_TILE_BYTES;
  const strips = min((m + GEMM_ROWS - 1) / GEMM_ROWS, GEMM_STRIPS);
  const packedB = packedA + <usize>(strips * GEMM_ROWS * k) * sizeof<T>();
  const span = <usize>k * bStep;
  const direct = !transB && (m <= 3 * GEMM_ROWS || span <= <usize>GEMM_DIRECT_BYTES);
  const edge = n % lanes;
  let panels = b, panelStep: usize = GEMM_PANEL_BYTES, depthStep = bStep;
  let lastPanel = packedB;
  if (transB) packAlong<T>(b, bStep, k, n, lanes, packedB);
  else if (!direct) packAcross<T>(b, bStep, k, n, lanes, packedB);
  else if (edge) packAcross<T>(b + <usize>(n - edge) * sizeof<T>(), bStep, k, edge, lanes, packedB);
  if (!direct) {
    panels = packedB;
    panelStep = <usize>k * GEMM_PANEL_BYTES;
    depthStep = GEMM_PANEL_BYTES;
    lastPanel = packedB + <usize>(n / lanes) * panelStep;
  }
  const directA = transA ? n <= 3 * lanes || <usize>k * aStep <= <usize>GEMM_DIRECT_BYTES : n < GEMM_FEW_PANELS * lanes;
  if (!transA && directA) {
    for (let i = 0; i < m; i += GEMM_ROWS) {
      stripRows<T>(a + <usize>i * aStep, aStep, min(m - i, GEMM_ROWS), panels, panelStep, depthStep, lastPanel, n, k, c + <usize>i * cRow, cRow, accumulate, scratch);
    }
    return;
  }
  for (let i = 0; i < m; i += GEMM_STRIPS * GEMM_ROWS) {
    const rows = min(m - i, GEMM_STRIPS * GEMM_ROWS);
    const whole = rows & ~(GEMM_ROWS - 1);
    const from = a + <usize>i * (transA ? sizeof<T>() : aStep);
    if (!transA) packAlong<T>(from, aStep, k, rows, GEMM_ROWS, packedA);
    else if (!directA) packAcross<T>(from, aStep, k, rows, GEMM_ROWS, packedA);
    else if (whole < rows) packAcross<T>(from + <usize>whole * sizeof<T>(), aStep, k, rows - whole, GEMM_ROWS, packedA);
    const stripStep = <usize>(k * GEMM_ROWS) * sizeof<T>();
    for (let r = 0; r < rows; r += GEMM_ROWS) {
      let strip = from + <usize>r * sizeof<T>(), step = aStep;
      if (!directA || r == whole) {
        strip = directA ? packedA : packedA + <usize>(r / GEMM_ROWS) * stripStep;
        step = GEMM_ROWS * sizeof<T>();
      }
      stripColumns<T>(strip, step, min(rows - r, GEMM_ROWS), panels, panelStep, depthStep, lastPanel, n, k, c + <usize>(i + r) * cRow, cRow, accumulate, scratch);
    }
  }
}

/** Computes four rows of C, or fewer at the end. */
function stripRows<T>(
  a: usize, aStep: usize, rows: i32, panel: usize, panelStep: usize, depthStep: usize, lastPanel: usize, n: i32, k: i32, c: usize, cRow: usize,
  accumulate: i32, tile: usize,
): void {
  const lanes = GEMM_PANEL_BYTES / <i32>sizeof<T>();
  for (; n >= lanes; n -= lanes) {
    if (rows == GEMM_ROWS) {
      tileRows<T>(a, aStep, rows, panel, depthStep, k, c, cRow, accumulate);
    } else {
      tileRows<T>(a, aStep, rows, panel, depthStep, k, tile, GEMM_PANEL_BYTES, 0);
      putEdge<T>(tile, c, cRow, rows, lanes, accumulate);
    }
    panel += panelStep;
    c += GEMM_PANEL_BYTES;
  }
  if (n == 0) return;
  tileRows<T>(a, aStep, rows, lastPanel, GEMM_PANEL_BYTES, k, tile, GEMM_PANEL_BYTES, 0);
  putEdge<T>(tile, c, cRow, rows, n, accumulate);
}

function stripColumns<T>(
  a: usize, aStep: usize, rows: i32, panel: usize, panelStep: usize, depthStep: usize, lastPanel: usize, n: i32, k: i32, c: usize, cRow: usize,
  accumulate: i32, tile: usize,
): void {
  const lanes = GEMM_PANEL_BYTES / <i32>sizeof<T>();
  for (; n >= lanes; n -= lanes) {
    if (rows == GEMM_ROWS) {
      tileColumns<T>(a, aStep, panel, depthStep, k, c, cRow, accumulate);
    } else {
      tileColumns<T>(a, aStep, panel, depthStep, k, tile, GEMM_PANEL_BYTES, 0);
      putEdge<T>(tile, c, cRow, rows, lanes, accumulate);
    }
    panel += panelStep;
    c += GEMM_PANEL_BYTES;
  }
  if (n == 0) return;
  tileColumns<T>(a, aStep, lastPanel, GEMM_PANEL_BYTES, k, tile, GEMM_PANEL_BYTES, 0);
  putEdge<T>(tile, c, cRow, rows, n, accumulate);
}

export function gemmF32(
  transA: i32, transB: i32, m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  gemm<f32>(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, accumulate, scratch);
}

export function gemmF64(
  transA: i32, transB: i32, m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  gemm<f64>(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, accumulate, scratch);
}
