/**
 * Depthwise convolution (each channel separately): y[n, h, w, c] = Σ_ij x[n, h sh − pt + i dh, w sw − pl + j dw, c]
 * W[i, j, c], and its adjoint in x.
 *
 * spec: a CONV block (memory/fields.ts) whose number of groups and of output channels equals the number of input
 * channels. x, dx: [batch, inHeight, inWidth, C]; y, dy: [batch, outHeight, outWidth, C]; W: [kernelHeight,
 * kernelWidth, C], f32 or f64. Cells outside the image are skipped. y and dx are fully overwritten and overlap nothing.
 * scratch: convolutionScratchBytes of memory/convolution.ts. Pointers need only the alignment of their elements;
 * nothing beyond the arrays is touched.
 *
 * Each element is one sum over the taps inside the image: |error| <= kernelHeight · kernelWidth · ε Σ|x W|. NaN and
 * infinity propagate. A tile is two vectors of channels by three cells of a row, so that weights and sums stay in
 * registers (kernels/engine/arrays/gemm-tile.ts explains the limit). If three taps slide over neighbouring cells, a
 * tile is one vector by four cells, and the cells share loads.
 */
import {
  AXIS_BYTES, CONV_BATCH, CONV_DILATION_HEIGHT, CONV_DILATION_WIDTH, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT,
  CONV_KERNEL_WIDTH, CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH, AXIS_FIRST, AXIS_ORIGIN,
  AXIS_STEP, AXIS_STRIDE, AXIS_TAPS, AXIS_TAP_STEP,
} from "../../../src/engine/memory/fields";
import { endTap, firstTap, writeAxis } from "./convolution-axis";
import { madd } from "../arrays/gemm-tile";

/**
 * Computes three cells and two vectors of channels. In this function and those below, a row has `columns` taps, which
 * are `columnStep` bytes apart in x and `wColumn` bytes apart in W. Rows of taps are described by `rows`, `rowStep` and
 * `wRow` in the same way.
 */
function wideTile<T>(
  x: usize, pixel: usize, rows: i32, rowStep: usize, columns: i32, columnStep: usize, w: usize, wRow: usize, wColumn: usize, y: usize, yPixel: usize,
): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0), c20 = i32x4.splat(0), c21 = i32x4.splat(0);
  for (; rows > 0; rows--) {
    let p0 = x, p1 = x + pixel, v = w;
    let p2 = p1 + pixel;
    for (let j = columns; j > 0; j--) {
      const w0 = v128.load(v), w1 = v128.load(v, 16);
      c00 = madd<T>(v128.load(p0), w0, c00);
      c01 = madd<T>(v128.load(p0, 16), w1, c01);
      c10 = madd<T>(v128.load(p1), w0, c10);
      c11 = madd<T>(v128.load(p1, 16), w1, c11);
      c20 = madd<T>(v128.load(p2), w0, c20);
      c21 = madd<T>(v128.load(p2, 16), w1, c21);
      p0 += columnStep;
      p1 += columnStep;
      p2 += columnStep;
      v += wColumn;
    }
    x += rowStep;
    w += wRow;
  }
  v128.store(y, c00);
  v128.store(y, c01, 16);
  v128.store(y + yPixel, c10);
  v128.store(y + yPixel, c11, 16);
  v128.store(y + 2 * yPixel, c20);
  v128.store(y + 2 * yPixel, c21, 16);
}

/** Computes four cells and one vector of channels, for three taps per row that are as far apart as the cells. */
function slidingTile<T>(x: usize, pixel: usize, rows: i32, rowStep: usize, w: usize, wRow: usize, wColumn: usize, y: usize, yPixel: usize): void {
  let c0 = i32x4.splat(0), c1 = i32x4.splat(0), c2 = i32x4.splat(0), c3 = i32x4.splat(0);
  for (; rows > 0; rows--) {
    const p1 = x + pixel, p2 = p1 + pixel, p3 = p2 + pixel, p4 = p3 + pixel, p5 = p4 + pixel;
    const w0 = v128.load(w), w1 = v128.load(w + wColumn), w2 = v128.load(w + 2 * wColumn);
    const x1 = v128.load(p1), x2 = v128.load(p2), x3 = v128.load(p3), x4 = v128.load(p4);
    c0 = madd<T>(v128.load(x), w0, c0);
    c1 = madd<T>(x1, w0, c1);
    c2 = madd<T>(x2, w0, c2);
    c3 = madd<T>(x3, w0, c3);
    c0 = madd<T>(x1, w1, c0);
    c1 = madd<T>(x2, w1, c1);
    c2 = madd<T>(x3, w1, c2);
    c3 = madd<T>(x4, w1, c3);
    c0 = madd<T>(x2, w2, c0);
    c1 = madd<T>(x3, w2, c1);
    c2 = madd<T>(x4, w2, c2);
    c3 = madd<T>(v128.load(p5), w2, c3);
    x += rowStep;
    w += wRow;
  }
  v128.store(y, c0);
  v128.store(y + yPixel, c1);
  v128.store(y + 2 * yPixel, c2);
  v128.store(y + 3 * yPixel, c3);
}

/** Computes one cell and four vectors. */
function deepTile<T>(x: usize, rows: i32, rowStep: usize, columns: i32, columnStep: usize, w: usize, wRow: usize, wColumn: usize, y: usize): void {
  let c0 = i32x4.splat(0), c1 = i32x4.splat(0), c2 = i32x4.splat(0), c3 = i32x4.splat(0);
  for (; rows > 0; rows--) {
    let p = x, v = w;
    for (let j = columns; j > 0; j--) {
      c0 = madd<T>(v128.load(p), v128.load(v), c0);
      c1 = madd<T>(v128.load(p, 16), v128.load(v, 16), c1);
      c2 = madd<T>(v128.load(p, 32), v128.load(v, 32), c2);
      c3 = madd<T>(v128.load(p, 48), v128.load(v, 48), c3);
      p += columnStep;
      v += wColumn;
    }
    x += rowStep;
    w += wRow;
  }
  v128.store(y, c0);
  v128.store(y, c1, 16);
  v128.store(y, c2, 32);
  v128.store(y, c3, 48);
}

/** Computes one cell from channel byte `c` onwards: whole vectors, then single channels. */
function narrowTile<T>(
  x: usize, rows: i32, rowStep: usize, columns: i32, columnStep: usize, w: usize, wRow: usize, wColumn: usize, y: usize, c: usize, end: usize,
): void {
  for (; c + 16 <= end; c += 16) {
    let sum = i32x4.splat(0);
    for (let i = 0, row = x + c, wAt = w + c; i < rows; i++) {
      for (let j = 0, p = row, v = wAt; j < columns; j++) {
        sum = madd<T>(v128.load(p), v128.load(v), sum);
        p += columnStep;
        v += wColumn;
      }
      row += rowStep;
      wAt += wRow;
    }
    v128.store(y + c, sum);
  }
  for (; c < end; c += sizeof<T>()) {
    let sum: T = 0;
    for (let i = 0, row = x + c, wAt = w + c; i < rows; i++) {
      for (let j = 0, p = row, v = wAt; j < columns; j++) {
        sum += load<T>(p) * load<T>(v);
        p += columnStep;
        v += wColumn;
      }
      row += rowStep;
      wAt += wRow;
    }
    store<T>(y + c, sum);
  }
}

/** Computes cells [low, high), whose taps are all inside the image; x, w and y point to cell `low`. */
function interior<T>(
  count: i32, end: usize, x: usize, pixel: usize, rows: i32, rowStep: usize, columns: i32, columnStep: usize, w: usize, wRow: usize, wColumn: usize,
  y: usize, yPixel: usize,
): void {
  let done = 0;
  if (columns == 3 && columnStep == pixel && count >= 4) {
    const whole = end & ~15;
    // The last group overlaps its neighbours and recomputes some cells.
    for (; done + 1 < count; done += 4) {
      const q = <usize>min(done, count - 4);
      for (let c: usize = 0; c < whole; c += 16) {
        slidingTile<T>(x + q * pixel + c, pixel, rows, rowStep, w + c, wRow, wColumn, y + q * yPixel + c, yPixel);
      }
    }
    done = min(done, count);
    if (whole < end) {
      for (let q: usize = 0; q < <usize>done; q++) {
        narrowTile<T>(x + q * pixel, rows, rowStep, columns, columnStep, w, wRow, wColumn, y + q * yPixel, whole, end);
      }
    }
  } else {
    const whole = end & ~31;
    if (whole) {
      for (; done + 3 <= count; done += 3) {
        const q = <usize>done;
        for (let c: usize = 0; c < whole; c += 32) {
          wideTile<T>(x + q * pixel + c, pixel, rows, rowStep, columns, columnStep, w + c, wRow, wColumn, y + q * yPixel + c, yPixel);
        }
        if (whole == end) continue;
        for (let r: usize = q; r < q + 3; r++) {
          narrowTile<T>(x + r * pixel, rows, rowStep, columns, columnStep, w, wRow, wColumn, y + r * yPixel, whole, end);
        }
      }
    }
  }
  for (let q = <usize>done; q < <usize>count; q++) cell<T>(end, x + q * pixel, rows, rowStep, columns, columnStep, w, wRow, wColumn, y + q * yPixel);
}

function cell<T>(
  end: usize, x: usize, rows: i32, rowStep: usize, columns: i32, columnStep: usize, w: usize, wRow: usize, wColumn: usize, y: usize,
): void {
  let c: usize = 0;
  for (; c + 64 <= end; c += 64) deepTile<T>(x + c, rows, rowStep, columns, columnStep, w + c, wRow, wColumn, y + c);
  if (c < end) narrowTile<T>(x, rows, rowStep, columns, columnStep, w, wRow, wColumn, y, c, end);
}

/** Computes the cells of one row and one phase. The first source row of these cells is at x. */
function line<T>(
  axis: usize, cells: i32, size: i32, end: usize, x: usize, rows: i32, rowStep: usize, w: usize, wRow: usize, y: usize, yPixel: usize,
): void {
  const taps = load<i32>(axis, AXIS_TAPS), origin = load<i32>(axis, AXIS_ORIGIN), step = load<i32>(axis, AXIS_STEP), stride = load<i32>(axis, AXIS_STRIDE);
  const columnStep = <usize>step * end, wColumn = <usize>load<i32>(axis, AXIS_TAP_STEP) * end, pixel = <usize>stride * end;
  w += <usize>load<i32>(axis, AXIS_FIRST) * end;
  // Cells [low, high) have all of their taps inside the source row.
  const low = taps ? min(firstTap(origin, stride), cells) : 0;
  const high = taps ? max(endTap(origin + (taps - 1) * step, stride, size, cells), low) : cells;
  if (low < high) {
    interior<T>(
      high - low, end, x + <usize>(origin + low * stride) * end, pixel, rows, rowStep, taps, columnStep, w, wRow, wColumn, y + <usize>low * yPixel, yPixel,
    );
  }
  for (let q = low ? 0 : high; q < cells; q = q + 1 == low ? high : q + 1) {
    const at = origin + q * stride;
    const from = firstTap(at, step);
    const columns = endTap(at, step, size, taps) - from;
    const start = x + <usize>(at + from * step) * end;
    cell<T>(end, start, rows, rowStep, columns, columnStep, w + <usize>from * wColumn, wRow, wColumn, y + <usize>q * yPixel);
  }
}

function depthwise<T>(spec: usize, x: usize, w: usize, y: usize, scratch: usize, adjoint: i32): void {
  const end = <usize>load<i32>(spec, CONV_IN_CHANNELS) * sizeof<T>();
  const height = load<i32>(spec + (adjoint ? CONV_OUT_HEIGHT : CONV_IN_HEIGHT)), width = load<i32>(spec + (adjoint ? CONV_OUT_WIDTH : CONV_IN_WIDTH));
  const yHeight = load<i32>(spec + (adjoint ? CONV_IN_HEIGHT : CONV_OUT_HEIGHT)), yWidth = load<i32>(spec + (adjoint ? CONV_IN_WIDTH : CONV_OUT_WIDTH));
  const kernelWidth = load<i32>(spec, CONV_KERNEL_WIDTH);
  const phases = writeAxis(
    scratch, load<i32>(spec, CONV_KERNEL_HEIGHT), load<i32>(spec, CONV_STRIDE_HEIGHT), load<i32>(spec, CONV_PAD_TOP), load<i32>(spec, CONV_DILATION_HEIGHT), adjoint,
  );
  const columnAxes = scratch + <usize>phases * AXIS_BYTES;
  const columnPhases = writeAxis(
    columnAxes, kernelWidth, load<i32>(spec, CONV_STRIDE_WIDTH), load<i32>(spec, CONV_PAD_LEFT), load<i32>(spec, CONV_DILATION_WIDTH), adjoint,
  );
  const rowBytes = <usize>width * end, wRowBytes = <usize>kernelWidth * end;
  for (let n = load<i32>(spec, CONV_BATCH); n > 0; n--) {
    for (let h = 0; h < yHeight; h++) {
      const axis = scratch + <usize>(h % phases) * AXIS_BYTES;
      const step = load<i32>(axis, AXIS_STEP), tapStep = load<i32>(axis, AXIS_TAP_STEP);
      const origin = (h / phases) * load<i32>(axis, AXIS_STRIDE) + load<i32>(axis, AXIS_ORIGIN);
      const from = firstTap(origin, step);
      const rows = endTap(origin, step, height, load<i32>(axis, AXIS_TAPS)) - from;
      const xRow = x + <usize>(origin + from * step) * rowBytes;
      const wRow = w + <usize>(load<i32>(axis, AXIS_FIRST) + from * tapStep) * wRowBytes;
      for (let phase = 0; phase < columnPhases; phase++) {
        line<T>(
          columnAxes + <usize>phase * AXIS_BYTES, (yWidth - phase + columnPhases - 1) / columnPhases, width, end, xRow, rows, <usize>step * rowBytes,
          wRow, <usize>tapStep * wRowBytes, y + <usize>phase * end, <usize>columnPhases * end,
        );
      }
      y += <usize>yWidth * end;
    }
    x += <usize>height * rowBytes;
  }
}

export function depthwiseF32(spec: usize, x: usize, w: usize, y: usize, scratch: usize): void {
  depthwise<f32>(spec, x, w, y, scratch, 0);
}

export function depthwiseF64(spec: usize, x: usize, w: usize, y: usize, scratch: usize): void {
  depthwise<f64>(spec, x, w, y, scratch, 0);
}

export function depthwiseInputF32(spec: usize, dy: usize, w: usize, dx: usize, scratch: usize): void {
  depthwise<f32>(spec, dy, w, dx, scratch, 1);
}

export function depthwiseInputF64(spec: usize, dy: usize, w: usize, dx: usize, scratch: usize): void {
  depthwise<f64>(spec, dy, w, dx, scratch, 1);
}
