/**
 * Block-circulant products computed on the dense matrix, for any side k >= 1. The contract and the results are the same
 * as in circulant.ts.
 *
 * With k = 1 the blocks are the matrix itself. For larger k, several block rows are expanded at a time, so that the
 * matrix product works on about CIRCULANT_DENSE_ROWS rows or more. |error| is as in gemm.ts; each element of dw
 * additionally sums k elements of its product, in T.
 */
import { CIRCULANT_DENSE_ROWS } from "../../../src/engine/memory/circulant";
import { gemmF32, gemmF64 } from "../arrays/gemm";

function product<T>(
  transA: i32, transB: i32, m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  if (sizeof<T>() == 8) gemmF64(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, accumulate, scratch);
  else gemmF32(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, accumulate, scratch);
}

function blockRows(p: i32, k: i32): i32 {
  return min((CIRCULANT_DENSE_ROWS - 1) / k + 1, p);
}

function denseBytes<T>(rows: i32, q: i32, k: i32): usize {
  return (<usize>rows * <usize>q * <usize>(k * k) * sizeof<T>() + 15) & ~15;
}

/** Copies `bytes` bytes, a multiple of 4. */
function copyRow(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < end; to += 4, from += 4) store<u32>(to, load<u32>(from));
}

function addRow<T>(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, v128.add<T>(v128.load(to), v128.load(from)));
  for (; to < end; to += sizeof<T>(), from += sizeof<T>()) store<T>(to, load<T>(to) + load<T>(from));
}

/**
 * dense[i k + a, j k + b] = w[i, j, (a − b) mod k]. `twice` (2 k elements) holds two copies of the reversed w, one
 * after the other. Row a of a block is a contiguous part of `twice`.
 */
function writeOut<T>(rows: i32, q: i32, k: i32, w: usize, dense: usize, twice: usize): void {
  const side = <usize>k * sizeof<T>(), pitch = <usize>q * side;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < q; j++) {
      for (let c: usize = 0; c < side; c += sizeof<T>()) {
        const value = load<T>(w + c);
        store<T>(twice + side - c, value);
        if (c) store<T>(twice + 2 * side - c, value);
      }
      let row = dense + <usize>j * side;
      for (let a: usize = 0; a < side; a += sizeof<T>()) {
        copyRow(row, twice + side - a, side);
        row += pitch;
      }
      w += side;
    }
    dense += <usize>k * pitch;
  }
}

/**
 * w[i, j, c] = Σ_b dense[i k + (b + c) mod k, j k + b]: sums along diagonals. Element 0 of w is the sum of a single
 * diagonal; every other element sums two diagonals.
 */
function sumDiagonals<T>(rows: i32, q: i32, k: i32, dense: usize, w: usize, twice: usize): void {
  const side = <usize>k * sizeof<T>(), pitch = <usize>q * side;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < q; j++) {
      memory.fill(twice, 0, 2 * side);
      let row = dense + <usize>j * side;
      for (let a: usize = 0; a < side; a += sizeof<T>()) {
        addRow<T>(twice + side - a, row, side);
        row += pitch;
      }
      store<T>(w, load<T>(twice + side));
      for (let c: usize = sizeof<T>(); c < side; c += sizeof<T>()) {
        const at = twice + side - c;
        store<T>(w + c, load<T>(at) + load<T>(at + side));
      }
      w += side;
    }
    dense += <usize>k * pitch;
  }
}

export function denseForward<T>(rows: i32, p: i32, q: i32, k: i32, x: usize, w: usize, y: usize, scratch: usize): void {
  if (k == 1) {
    product<T>(0, 1, rows, p, q, x, q, w, q, y, p, 0, scratch);
    return;
  }
  const most = blockRows(p, k);
  const twice = scratch + denseBytes<T>(most, q, k);
  const workspace = twice + ((<usize>(2 * k) * sizeof<T>() + 15) & ~15);
  for (let i = 0; i < p; i += most) {
    const height = min(most, p - i);
    const at = <usize>i * <usize>k * sizeof<T>();
    writeOut<T>(height, q, k, w + <usize>q * at, scratch, twice);
    product<T>(0, 1, rows, height * k, q * k, x, q * k, scratch, q * k, y + at, p * k, 0, workspace);
  }
}

export function denseInput<T>(rows: i32, p: i32, q: i32, k: i32, dy: usize, w: usize, dx: usize, scratch: usize): void {
  if (k == 1) {
    product<T>(0, 0, rows, q, p, dy, p, w, q, dx, q, 0, scratch);
    return;
  }
  if (p <= 0) memory.fill(dx, 0, <usize>rows * <usize>(q * k) * sizeof<T>());
  const most = blockRows(p, k);
  const twice = scratch + denseBytes<T>(most, q, k);
  const workspace = twice + ((<usize>(2 * k) * sizeof<T>() + 15) & ~15);
  for (let i = 0; i < p; i += most) {
    const height = min(most, p - i);
    const at = <usize>i * <usize>k * sizeof<T>();
    writeOut<T>(height, q, k, w + <usize>q * at, scratch, twice);
    product<T>(0, 0, rows, q * k, height * k, dy + at, p * k, scratch, q * k, dx, q * k, i > 0 ? 1 : 0, workspace);
  }
}

export function denseWeight<T>(rows: i32, p: i32, q: i32, k: i32, x: usize, dy: usize, dw: usize, scratch: usize): void {
  if (k == 1) {
    product<T>(1, 0, p, q, rows, dy, p, x, q, dw, q, 0, scratch);
    return;
  }
  const most = blockRows(p, k);
  const twice = scratch + denseBytes<T>(most, q, k);
  const workspace = twice + ((<usize>(2 * k) * sizeof<T>() + 15) & ~15);
  for (let i = 0; i < p; i += most) {
    const height = min(most, p - i);
    const at = <usize>i * <usize>k * sizeof<T>();
    product<T>(1, 0, height * k, q * k, rows, dy + at, p * k, x, q * k, scratch, q * k, 0, workspace);
    sumDiagonals<T>(height, q, k, scratch, dw + <usize>q * at, twice);
  }
}
