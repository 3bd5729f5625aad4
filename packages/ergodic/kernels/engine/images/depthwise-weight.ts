/**
 * The adjoint of kernels/engine/images/depthwise.ts in the weights: dW[i, j, c] = Σ_nhw dy[n, h, w, c] x[n, h sh − pt +
 * i dh, w sw − pl + j dw, c].
 *
 * spec, x, dy, scratch and the shape of W are as in depthwise.ts. dw is fully overwritten and overlaps nothing. The
 * error is at most K ε Σ|dy x|, where K = batch · outHeight · outWidth is the number of terms. Sums over a few rows
 * stay in registers and are added to dw band by band. Cells outside the image count as zeros, so an infinite or NaN dy
 * gives NaN wherever dy is multiplied by such a zero.
 */
import {
  CONV_BATCH, CONV_DILATION_HEIGHT, CONV_DILATION_WIDTH, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT,
  CONV_KERNEL_WIDTH, CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH,
} from "../../../src/engine/memory/fields";
import { endTap, firstTap } from "./convolution-axis";
import { madd } from "../arrays/gemm-tile";

/**
 * Number of bytes of x and dy that are processed at a time. This part of x and dy should stay in the first-level cache
 * while all channels and rows of taps are applied.
 */
const ROWS_BYTES = 16384;

function add<T>(at: usize, sum: v128): void {
  v128.store(at, v128.add<T>(v128.load(at), sum));
}

function addThree<T>(dw: usize, tap: usize, c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128): void {
  add<T>(dw, c00);
  add<T>(dw + 16, c01);
  add<T>(dw + tap, c10);
  add<T>(dw + tap + 16, c11);
  add<T>(dw + 2 * tap, c20);
  add<T>(dw + 2 * tap + 16, c21);
}

/**
 * Computes three neighbouring taps and two vectors of channels, over `rows` rows of `cells` cells. The first cell's
 * first tap is at `x`, in column `column` of the image. For cells [low, high), all three taps lie inside the image.
 * Other cells read their missing taps from `zeros`.
 */
function threeTaps<T>(
  rows: i32, cells: i32, low: i32, high: i32, x: usize, xRow: usize, pixel: usize, tap: usize, column: i32, stride: i32, dilation: i32, size: i32,
  zeros: usize, dy: usize, dyRow: usize, channels: usize, dw: usize,
): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0), c20 = i32x4.splat(0), c21 = i32x4.splat(0);
  for (; rows > 0; rows--) {
    let p0 = x + <usize>low * pixel, d = dy + <usize>low * channels;
    let p1 = p0 + tap;
    let p2 = p1 + tap;
    for (let q = high - low; q > 0; q--) {
      const d0 = v128.load(d), d1 = v128.load(d, 16);
      c00 = madd<T>(v128.load(p0), d0, c00);
      c01 = madd<T>(v128.load(p0, 16), d1, c01);
      c10 = madd<T>(v128.load(p1), d0, c10);
      c11 = madd<T>(v128.load(p1, 16), d1, c11);
      c20 = madd<T>(v128.load(p2), d0, c20);
      c21 = madd<T>(v128.load(p2, 16), d1, c21);
      p0 += pixel;
      p1 += pixel;
      p2 += pixel;
      d += channels;
    }
    for (let q = low ? 0 : high; q < cells; q = q + 1 == low ? high : q + 1) {
      const k = column + q * stride, at = x + <usize>q * pixel;
      const e0 = <u32>k < <u32>size ? at : zeros;
      const e1 = <u32>(k + dilation) < <u32>size ? at + tap : zeros;
      const e2 = <u32>(k + 2 * dilation) < <u32>size ? at + 2 * tap : zeros;
      const cell = dy + <usize>q * channels;
      const d0 = v128.load(cell), d1 = v128.load(cell, 16);
      c00 = madd<T>(v128.load(e0), d0, c00);
      c01 = madd<T>(v128.load(e0, 16), d1, c01);
      c10 = madd<T>(v128.load(e1), d0, c10);
      c11 = madd<T>(v128.load(e1, 16), d1, c11);
      c20 = madd<T>(v128.load(e2), d0, c20);
      c21 = madd<T>(v128.load(e2, 16), d1, c21);
    }
    x += xRow;
    dy += dyRow;
  }
  addThree<T>(dw, channels, c00, c01, c10, c11, c20, c21);
}

/**
 * Same as threeTaps, for taps that are as far apart as neighbouring cells. Each cell then shares two taps with the
 * previous cell and loads only its third tap.
 */
function slidingTaps<T>(
  rows: i32, cells: i32, x: usize, xRow: usize, pixel: usize, column: i32, stride: i32, size: i32, zeros: usize, dy: usize, dyRow: usize, channels: usize,
  dw: usize,
): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0), c20 = i32x4.splat(0), c21 = i32x4.splat(0);
  for (; rows > 0; rows--) {
    const p0 = <u32>column < <u32>size ? x : zeros, p1 = <u32>(column + stride) < <u32>size ? x + pixel : zeros;
    let x00 = v128.load(p0), x01 = v128.load(p0, 16), x10 = v128.load(p1), x11 = v128.load(p1, 16);
    let k = column + 2 * stride, at = x + 2 * pixel, d = dy;
    for (let q = cells; q > 0; q--) {
      const p2 = k < size ? at : zeros;
      const d0 = v128.load(d), d1 = v128.load(d, 16), x20 = v128.load(p2), x21 = v128.load(p2, 16);
      c00 = madd<T>(x00, d0, c00);
      c01 = madd<T>(x01, d1, c01);
      c10 = madd<T>(x10, d0, c10);
      c11 = madd<T>(x11, d1, c11);
      c20 = madd<T>(x20, d0, c20);
      c21 = madd<T>(x21, d1, c21);
      x00 = x10;
      x01 = x11;
      x10 = x20;
      x11 = x21;
      k += stride;
      at += pixel;
      d += channels;
    }
    x += xRow;
    dy += dyRow;
  }
  addThree<T>(dw, channels, c00, c01, c10, c11, c20, c21);
}

/** Computes one tap for bytes [c, end) of the channels: four vectors at a time, then one, then single channels. */
function oneTap<T>(count: i32, x: usize, pixel: usize, dy: usize, channels: usize, dw: usize, c: usize, end: usize): void {
  for (; c + 64 <= end; c += 64) {
    let c0 = i32x4.splat(0), c1 = i32x4.splat(0), c2 = i32x4.splat(0), c3 = i32x4.splat(0);
    for (let q = count, p = x + c, d = dy + c; q > 0; q--) {
      c0 = madd<T>(v128.load(p), v128.load(d), c0);
      c1 = madd<T>(v128.load(p, 16), v128.load(d, 16), c1);
      c2 = madd<T>(v128.load(p, 32), v128.load(d, 32), c2);
      c3 = madd<T>(v128.load(p, 48), v128.load(d, 48), c3);
      p += pixel;
      d += channels;
    }
    add<T>(dw + c, c0);
    add<T>(dw + c + 16, c1);
    add<T>(dw + c + 32, c2);
    add<T>(dw + c + 48, c3);
  }
  for (; c + 16 <= end; c += 16) {
    let sum = i32x4.splat(0);
    for (let q = count, p = x + c, d = dy + c; q > 0; q--) {
      sum = madd<T>(v128.load(p), v128.load(d), sum);
      p += pixel;
      d += channels;
    }
    add<T>(dw + c, sum);
  }
  for (; c < end; c += sizeof<T>()) {
    let sum: T = 0;
    for (let q = count, p = x + c, d = dy + c; q > 0; q--) {
      sum += load<T>(p) * load<T>(d);
      p += pixel;
      d += channels;
    }
    store<T>(dw + c, load<T>(dw + c) + sum);
  }
}

/** Processes some rows of dy. Uses one row of taps and the rows of x that these taps read. */
function lines<T>(
  rows: i32, x: usize, xRow: usize, size: i32, dy: usize, cells: i32, dw: usize, taps: i32, stride: i32, pad: i32, dilation: i32, channels: usize, zeros: usize,
): void {
  const pixel = <usize>stride * channels, tap = <usize>dilation * channels, dyRow = <usize>cells * channels;
  const three = taps / 3 * 3, whole = channels & ~31;
  for (let j = 0; whole && j < three; j += 3) {
    const origin = j * dilation - pad, last = origin + 2 * dilation;
    const first = firstTap(last, stride), end = endTap(origin, stride, size, cells);
    const low = max(firstTap(origin, stride) - first, 0), high = max(endTap(last, stride, size, cells) - first, low);
    const column = origin + first * stride;
    const from = x + <usize>column * channels, at = dy + <usize>first * channels, to = dw + <usize>j * channels;
    for (let c: usize = 0; c < whole; c += 32) {
      if (tap == pixel) {
        slidingTaps<T>(rows, end - first, from + c, xRow, pixel, column, stride, size, zeros, at + c, dyRow, channels, to + c);
      } else {
        threeTaps<T>(
          rows, end - first, low, high, from + c, xRow, pixel, tap, column, stride, dilation, size, zeros, at + c, dyRow, channels, to + c,
        );
      }
    }
  }
  for (let j = whole == channels ? three : 0; j < taps; j++) {
    const origin = j * dilation - pad;
    const low = firstTap(origin, stride), high = endTap(origin, stride, size, cells);
    let from = x + <usize>(origin + low * stride) * channels, at = dy + <usize>low * channels;
    for (let row = 0; row < rows; row++) {
      oneTap<T>(high - low, from, pixel, at, channels, dw + <usize>j * channels, j < three ? whole : 0, channels);
      from += xRow;
      at += dyRow;
    }
  }
}

function depthwiseWeight<T>(spec: usize, x: usize, dy: usize, dw: usize, zeros: usize): void {
  const channels = <usize>load<i32>(spec, CONV_IN_CHANNELS) * sizeof<T>();
  const height = load<i32>(spec, CONV_IN_HEIGHT), width = load<i32>(spec, CONV_IN_WIDTH);
  const yHeight = load<i32>(spec, CONV_OUT_HEIGHT), yWidth = load<i32>(spec, CONV_OUT_WIDTH);
  const taps = load<i32>(spec, CONV_KERNEL_HEIGHT), columns = load<i32>(spec, CONV_KERNEL_WIDTH);
  const stride = load<i32>(spec, CONV_STRIDE_HEIGHT), pad = load<i32>(spec, CONV_PAD_TOP), dilation = load<i32>(spec, CONV_DILATION_HEIGHT);
  const columnStride = load<i32>(spec, CONV_STRIDE_WIDTH), padLeft = load<i32>(spec, CONV_PAD_LEFT), columnDilation = load<i32>(spec, CONV_DILATION_WIDTH);
  const rowBytes = <usize>width * channels, dyRow = <usize>yWidth * channels, wRow = <usize>columns * channels;
  const band = max(ROWS_BYTES / max(<i32>dyRow + stride * <i32>rowBytes, 1), 1);
  memory.fill(dw, 0, <usize>taps * wRow);
  memory.fill(zeros, 0, 32);
  for (let n = load<i32>(spec, CONV_BATCH); n > 0; n--) {
    for (let h = 0; h < yHeight; h += band) {
      for (let i = 0; i < taps; i++) {
        const origin = i * dilation - pad;
        const first = max(firstTap(origin, stride), h), end = endTap(origin, stride, height, min(h + band, yHeight));
        if (first >= end) continue;
        lines<T>(
          end - first, x + <usize>(origin + first * stride) * rowBytes, <usize>stride * rowBytes, width, dy + <usize>first * dyRow, yWidth,
          dw + <usize>i * wRow, columns, columnStride, padLeft, columnDilation, channels, zeros,
        );
      }
    }
    x += <usize>height * rowBytes;
    dy += <usize>yHeight * dyRow;
  }
}

export function depthwiseWeightF32(spec: usize, x: usize, dy: usize, dw: usize, scratch: usize): void {
  depthwiseWeight<f32>(spec, x, dy, dw, scratch);
}

export function depthwiseWeightF64(spec: usize, x: usize, dy: usize, dw: usize, scratch: usize): void {
  depthwiseWeight<f64>(spec, x, dy, dw, scratch);
}
