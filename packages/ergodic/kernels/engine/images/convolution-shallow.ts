/**
 * Convolution that reads the image directly, and its adjoint with respect to the weights. Used if the weights fit into
 * the first-level cache. Making patches (kernels/engine/images/convolution.ts) would take up to twice as long as the
 * products. The contracts are those of convolution.ts, restricted to the cases that isShallow accepts: one group,
 * contiguous taps per row, whole panels.
 *
 * The part of an image row that one cell uses is a run of kernelWidth · inChannels contiguous numbers. Each number is
 * multiplied by a row of W, in the tiles of kernels/engine/arrays/gemm-tile.ts. Each sum runs over the rows of taps and
 * over the numbers of the run. Only numbers inside the image are included. In the adjoint, each sum runs over output
 * cells, and numbers outside the image count as zeros.
 */
import {
  CONV_BATCH, CONV_DILATION_HEIGHT, CONV_DILATION_WIDTH, CONV_GROUPS, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT,
  CONV_KERNEL_WIDTH, CONV_OUT_CHANNELS, CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH,
} from "../../../src/engine/memory/fields";
import { GEMM_DIRECT_BYTES } from "../../../src/engine/memory/gemm";
import { endTap, firstTap } from "./convolution-axis";
import { madd } from "../arrays/gemm-tile";

/**
 * Number of bytes of dy that are processed at a time. This part of dy should stay in the first-level cache while all
 * taps are applied.
 */
const ROWS_BYTES = 16384;

/**
 * Whether this file can compute the convolution. `weight`: whether to check for the adjoint in the weights, which
 * processes three numbers of a run at a time.
 */
export function isShallow<T>(spec: usize, weight: bool): bool {
  const run = <i64>load<i32>(spec, CONV_KERNEL_WIDTH) * load<i32>(spec, CONV_IN_CHANNELS), step = <i64>load<i32>(spec, CONV_OUT_CHANNELS) * sizeof<T>();
  const alone = load<i32>(spec, CONV_GROUPS) == 1 && (load<i32>(spec, CONV_DILATION_WIDTH) == 1 || load<i32>(spec, CONV_KERNEL_WIDTH) == 1);
  const near = <i64>load<i32>(spec, CONV_KERNEL_HEIGHT) * run * step <= GEMM_DIRECT_BYTES;
  return alone && near && step % 32 == 0 && (!weight || run % 3 == 0);
}

/** Computes four cells and one panel. */
function fourCells<T>(x: usize, pixel: usize, rows: i32, rowStep: usize, run: i32, w: usize, wRow: usize, wStep: usize, y: usize): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0);
  let c20 = i32x4.splat(0), c21 = i32x4.splat(0), c30 = i32x4.splat(0), c31 = i32x4.splat(0);
  for (; rows > 0; rows--) {
    let p0 = x, p1 = x + pixel, v = w;
    let p2 = p1 + pixel;
    let p3 = p2 + pixel;
    for (let p = run; p > 0; p--) {
      const w0 = v128.load(v), w1 = v128.load(v, 16);
      const x0 = v128.load_splat<T>(p0), x1 = v128.load_splat<T>(p1), x2 = v128.load_splat<T>(p2), x3 = v128.load_splat<T>(p3);
      c00 = madd<T>(x0, w0, c00);
      c01 = madd<T>(x0, w1, c01);
      c10 = madd<T>(x1, w0, c10);
      c11 = madd<T>(x1, w1, c11);
      c20 = madd<T>(x2, w0, c20);
      c21 = madd<T>(x2, w1, c21);
      c30 = madd<T>(x3, w0, c30);
      c31 = madd<T>(x3, w1, c31);
      p0 += sizeof<T>();
      p1 += sizeof<T>();
      p2 += sizeof<T>();
      p3 += sizeof<T>();
      v += wStep;
    }
    x += rowStep;
    w += wRow;
  }
  v128.store(y, c00);
  v128.store(y, c01, 16);
  y += wStep;
  v128.store(y, c10);
  v128.store(y, c11, 16);
  y += wStep;
  v128.store(y, c20);
  v128.store(y, c21, 16);
  y += wStep;
  v128.store(y, c30);
  v128.store(y, c31, 16);
}

function oneCell<T>(x: usize, rows: i32, rowStep: usize, run: i32, w: usize, wRow: usize, wStep: usize, y: usize): void {
  for (let o: usize = 0; o < wStep; o += 32) {
    let left = i32x4.splat(0), right = i32x4.splat(0);
    for (let i = 0, row = x, wAt = w + o; i < rows; i++) {
      for (let p = 0, at = row, v = wAt; p < run; p++) {
        const value = v128.load_splat<T>(at);
        left = madd<T>(value, v128.load(v), left);
        right = madd<T>(value, v128.load(v, 16), right);
        at += sizeof<T>();
        v += wStep;
      }
      row += rowStep;
      wAt += wRow;
    }
    v128.store(y + o, left);
    v128.store(y + o, right, 16);
  }
}

/** Computes one row of y from the rows of x that contribute to it. */
function line<T>(spec: usize, x: usize, rows: i32, rowStep: usize, w: usize, wRow: usize, wStep: usize, y: usize): void {
  const channels = load<i32>(spec, CONV_IN_CHANNELS), taps = load<i32>(spec, CONV_KERNEL_WIDTH), width = load<i32>(spec, CONV_IN_WIDTH);
  const cells = load<i32>(spec, CONV_OUT_WIDTH), stride = load<i32>(spec, CONV_STRIDE_WIDTH), pad = load<i32>(spec, CONV_PAD_LEFT);
  const step = <usize>channels * sizeof<T>(), pixel = <usize>stride * step;
  const low = min(firstTap(-pad, stride), cells), high = max(endTap(taps - 1 - pad, stride, width, cells), low);
  const whole = high - low < 4 ? low : high;
  // The last group overlaps its neighbours and recomputes some cells.
  for (let done = low; done < whole; done += 4) {
    const q = <usize>min(done, high - 4);
    const from = x + q * pixel - <usize>pad * step, to = y + q * wStep;
    for (let o: usize = 0; o < wStep; o += 32) fourCells<T>(from, pixel, rows, rowStep, taps * channels, w + o, wRow, wStep, to + o);
  }
  for (let q = low ? 0 : whole; q < cells; q = q + 1 == low ? whole : q + 1) {
    const left = q * stride - pad;
    const first = firstTap(left, 1);
    const run = (endTap(left, 1, width, taps) - first) * channels;
    oneCell<T>(x + <usize>(left + first) * step, rows, rowStep, run, w + <usize>(first * channels) * wStep, wRow, wStep, y + <usize>q * wStep);
  }
}

export function shallow<T>(spec: usize, x: usize, w: usize, y: usize): void {
  const height = load<i32>(spec, CONV_IN_HEIGHT), yHeight = load<i32>(spec, CONV_OUT_HEIGHT), taps = load<i32>(spec, CONV_KERNEL_HEIGHT);
  const channels = load<i32>(spec, CONV_IN_CHANNELS), dilation = load<i32>(spec, CONV_DILATION_HEIGHT);
  const rowBytes = <usize>(load<i32>(spec, CONV_IN_WIDTH) * channels) * sizeof<T>();
  const wStep = <usize>load<i32>(spec, CONV_OUT_CHANNELS) * sizeof<T>();
  const wRow = <usize>(load<i32>(spec, CONV_KERNEL_WIDTH) * channels) * wStep;
  for (let n = load<i32>(spec, CONV_BATCH); n > 0; n--) {
    for (let h = 0; h < yHeight; h++) {
      const top = h * load<i32>(spec, CONV_STRIDE_HEIGHT) - load<i32>(spec, CONV_PAD_TOP);
      const first = firstTap(top, dilation);
      const rows = endTap(top, dilation, height, taps) - first;
      line<T>(
        spec, x + <usize>(top + first * dilation) * rowBytes, rows, <usize>dilation * rowBytes, w + <usize>first * wRow, wRow, wStep, y,
      );
      y += <usize>load<i32>(spec, CONV_OUT_WIDTH) * wStep;
    }
    x += <usize>height * rowBytes;
  }
}

function add<T>(at: usize, left: v128, right: v128): void {
  v128.store(at, v128.add<T>(v128.load(at), left));
  v128.store(at, v128.add<T>(v128.load(at, 16), right), 16);
}

/**
 * Computes the weights' derivatives for three numbers of a run and one panel, over `rows` rows of `cells` cells. The
 * first cell's run starts at `x`. The number at `x` has index `column` among the `size` numbers of its row. For cells
 * [low, high), all three numbers lie inside the row.
 */
function threeNumbers<T>(
  rows: i32, cells: i32, low: i32, high: i32, x: usize, xRow: usize, stride: i32, column: i32, size: i32, zeros: usize, dy: usize, dyRow: usize, step: usize,
  dw: usize,
): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0), c20 = i32x4.splat(0), c21 = i32x4.splat(0);
  const pixel = <usize>stride * sizeof<T>();
  for (; rows > 0; rows--) {
    let at = x + <usize>low * pixel, d = dy + <usize>low * step;
    for (let q = high - low; q > 0; q--) {
      const d0 = v128.load(d), d1 = v128.load(d, 16);
      const x0 = v128.load_splat<T>(at), x1 = v128.load_splat<T>(at, sizeof<T>()), x2 = v128.load_splat<T>(at, 2 * sizeof<T>());
      c00 = madd<T>(x0, d0, c00);
      c01 = madd<T>(x0, d1, c01);
      c10 = madd<T>(x1, d0, c10);
      c11 = madd<T>(x1, d1, c11);
      c20 = madd<T>(x2, d0, c20);
      c21 = madd<T>(x2, d1, c21);
      at += pixel;
      d += step;
    }
    for (let q = low ? 0 : high; q < cells; q = q + 1 == low ? high : q + 1) {
      const k = column + q * stride, from = x + <usize>q * pixel, cell = dy + <usize>q * step;
      const d0 = v128.load(cell), d1 = v128.load(cell, 16);
      const x0 = v128.load_splat<T>(<u32>k < <u32>size ? from : zeros);
      const x1 = v128.load_splat<T>(<u32>(k + 1) < <u32>size ? from + sizeof<T>() : zeros);
      const x2 = v128.load_splat<T>(<u32>(k + 2) < <u32>size ? from + 2 * sizeof<T>() : zeros);
      c00 = madd<T>(x0, d0, c00);
      c01 = madd<T>(x0, d1, c01);
      c10 = madd<T>(x1, d0, c10);
      c11 = madd<T>(x1, d1, c11);
      c20 = madd<T>(x2, d0, c20);
      c21 = madd<T>(x2, d1, c21);
    }
    x += xRow;
    dy += dyRow;
  }
  add<T>(dw, c00, c01);
  add<T>(dw + step, c10, c11);
  add<T>(dw + 2 * step, c20, c21);
}

export function shallowWeight<T>(spec: usize, x: usize, dy: usize, dw: usize, zeros: usize): void {
  const height = load<i32>(spec, CONV_IN_HEIGHT), yHeight = load<i32>(spec, CONV_OUT_HEIGHT), cells = load<i32>(spec, CONV_OUT_WIDTH);
  const channels = load<i32>(spec, CONV_IN_CHANNELS), size = load<i32>(spec, CONV_IN_WIDTH) * channels;
  const taps = load<i32>(spec, CONV_KERNEL_HEIGHT), run = load<i32>(spec, CONV_KERNEL_WIDTH) * channels;
  const rowStride = load<i32>(spec, CONV_STRIDE_HEIGHT), dilation = load<i32>(spec, CONV_DILATION_HEIGHT), pad = load<i32>(spec, CONV_PAD_TOP);
  const stride = load<i32>(spec, CONV_STRIDE_WIDTH) * channels, start = -load<i32>(spec, CONV_PAD_LEFT) * channels;
  const step = <usize>load<i32>(spec, CONV_OUT_CHANNELS) * sizeof<T>();
  const rowBytes = <usize>size * sizeof<T>(), dyRow = <usize>cells * step;
  const band = max(ROWS_BYTES / max(<i32>dyRow, 1), 1);
  memory.fill(dw, 0, <usize>(taps * run) * step);
  memory.fill(zeros, 0, 16);
  for (let n = load<i32>(spec, CONV_BATCH); n > 0; n--) {
    for (let h = 0; h < yHeight; h += band) {
      for (let i = 0; i < taps; i++) {
        const top = i * dilation - pad;
        const first = max(firstTap(top, rowStride), h), rows = endTap(top, rowStride, height, min(h + band, yHeight)) - first;
        const row = x + <usize>(top + first * rowStride) * rowBytes;
        for (let p = 0; rows > 0 && p < run; p += 3) {
          const column = start + p, low = min(firstTap(column, stride), cells), high = max(endTap(column + 2, stride, size, cells), low);
          const from = row + <usize>column * sizeof<T>(), to = dw + <usize>(i * run + p) * step;
          for (let o: usize = 0; o < step; o += 32) {
            threeNumbers<T>(
              rows, cells, low, high, from, <usize>rowStride * rowBytes, stride, column, size, zeros, dy + <usize>first * dyRow + o, dyRow, step, to + o,
            );
          }
        }
      }
    }
    x += <usize>height * rowBytes;
    dy += <usize>yHeight * dyRow;
  }
}
