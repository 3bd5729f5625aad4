/**
 * Image pooling: the maximum or the mean of the cells in a window, channel by channel, and the adjoints in the image.
 *
 * spec: a CONV block (memory/fields.ts); the kernel size is the window size; groups and output channels are ignored. x,
 * dx: [batch, inHeight, inWidth, C]; y, dy: [batch, outHeight, outWidth, C], f32 or f64. Results are fully overwritten
 * and overlap nothing; pointers need only the alignment of their elements.
 *
 * - maxPool: cells outside the image are ignored; a window without cells gives −∞; the result is NaN if any cell is
 *   NaN; 0 counts as larger than −0.
 * - maxPoolInput: adds dy to the first cell of the window, in row-major order, that equals y (or is NaN if y is NaN).
 * - averagePool: the sum over the cells inside the image, in order, divided by their number or, if `countPadding` is
 *   not 0, by the window size; a window without cells gives 0.
 * - averagePoolInput: each of these cells receives dy divided by the same number. |error| <= (kernelHeight ·
 *   kernelWidth + 1) ε Σ|terms|; maxPool is exact.
 */
import {
  CONV_BATCH, CONV_DILATION_HEIGHT, CONV_DILATION_WIDTH, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT, CONV_KERNEL_WIDTH,
  CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH,
} from "../../../src/engine/memory/fields";
import { endTap, firstTap } from "./convolution-axis";

const MAX = 0;
const MAX_INPUT = 1;
const AVERAGE = 2;
const AVERAGE_INPUT = 3;

/** Pools one window of rows × columns cells, `rowStep` and `step` bytes apart, over `end` bytes of channels. */
function maxWindow<T>(x: usize, rows: i32, rowStep: usize, columns: i32, step: usize, y: usize, end: usize): void {
  let c: usize = 0;
  for (; c + 16 <= end; c += 16) {
    let best = sizeof<T>() == 4 ? f32x4.splat(-Infinity) : f64x2.splat(-Infinity);
    for (let i = 0, row = x + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) best = v128.max<T>(best, v128.load(at));
    }
    v128.store(y + c, best);
  }
  for (; c < end; c += sizeof<T>()) {
    let best: T = -Infinity;
    for (let i = 0, row = x + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) best = max<T>(best, load<T>(at));
    }
    store<T>(y + c, best);
  }
}

function maxWindowInput<T>(x: usize, rows: i32, rowStep: usize, columns: i32, step: usize, y: usize, dy: usize, dx: usize, end: usize): void {
  let c: usize = 0;
  // dx has the same layout as x.
  const away = dx - x;
  for (; c + 16 <= end; c += 16) {
    const most = v128.load(y + c), given = v128.load(dy + c);
    let open = i32x4.splat(-1);
    for (let i = 0, row = x + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) {
        const value = v128.load(at);
        const here = v128.and(open, v128.or(v128.eq<T>(value, most), v128.ne<T>(value, value)));
        open = v128.andnot(open, here);
        v128.store(at + away, v128.add<T>(v128.load(at + away), v128.and(given, here)));
      }
    }
  }
  for (; c < end; c += sizeof<T>()) {
    const most = load<T>(y + c);
    let open = true;
    for (let i = 0, row = x + c; i < rows && open; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns && open; j++, at += step) {
        const value = load<T>(at);
        if (value != most && value == value) continue;
        open = false;
        store<T>(at + away, load<T>(at + away) + load<T>(dy + c));
      }
    }
  }
}

function averageWindow<T>(x: usize, rows: i32, rowStep: usize, columns: i32, step: usize, y: usize, end: usize, count: T): void {
  let c: usize = 0;
  const counts = v128.splat<T>(count);
  for (; c + 16 <= end; c += 16) {
    let sum = i32x4.splat(0);
    for (let i = 0, row = x + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) sum = v128.add<T>(sum, v128.load(at));
    }
    v128.store(y + c, v128.div<T>(sum, counts));
  }
  for (; c < end; c += sizeof<T>()) {
    let sum: T = 0;
    for (let i = 0, row = x + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) sum += load<T>(at);
    }
    store<T>(y + c, sum / count);
  }
}

function averageWindowInput<T>(dx: usize, rows: i32, rowStep: usize, columns: i32, step: usize, dy: usize, end: usize, count: T): void {
  let c: usize = 0;
  const counts = v128.splat<T>(count);
  for (; c + 16 <= end; c += 16) {
    const part = v128.div<T>(v128.load(dy + c), counts);
    for (let i = 0, row = dx + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) v128.store(at, v128.add<T>(v128.load(at), part));
    }
  }
  for (; c < end; c += sizeof<T>()) {
    const part = load<T>(dy + c) / count;
    for (let i = 0, row = dx + c; i < rows; i++, row += rowStep) {
      for (let j = 0, at = row; j < columns; j++, at += step) store<T>(at, load<T>(at) + part);
    }
  }
}

/** Visits all windows. `x` has the image's shape (x or dx); `y` has the output's shape (y or dy). */
function pool<T>(spec: usize, x: usize, y: usize, dy: usize, dx: usize, countPadding: i32, mode: i32): void {
  const end = <usize>load<i32>(spec, CONV_IN_CHANNELS) * sizeof<T>();
  const height = load<i32>(spec, CONV_IN_HEIGHT), width = load<i32>(spec, CONV_IN_WIDTH);
  const yHeight = load<i32>(spec, CONV_OUT_HEIGHT), yWidth = load<i32>(spec, CONV_OUT_WIDTH);
  const tapRows = load<i32>(spec, CONV_KERNEL_HEIGHT), taps = load<i32>(spec, CONV_KERNEL_WIDTH);
  const rowDilation = load<i32>(spec, CONV_DILATION_HEIGHT), dilation = load<i32>(spec, CONV_DILATION_WIDTH);
  const rowStep = <usize>(rowDilation * width) * end, step = <usize>dilation * end, image = <usize>(height * width) * end;
  const batch = load<i32>(spec, CONV_BATCH);
  if (mode == MAX_INPUT) memory.fill(dx, 0, <usize>batch * image);
  if (mode == AVERAGE_INPUT) memory.fill(x, 0, <usize>batch * image);
  for (let n = 0; n < batch; n++) {
    for (let h = 0; h < yHeight; h++) {
      const top = h * load<i32>(spec, CONV_STRIDE_HEIGHT) - load<i32>(spec, CONV_PAD_TOP);
      const firstRow = firstTap(top, rowDilation);
      const rows = max(endTap(top, rowDilation, height, tapRows) - firstRow, 0);
      for (let w = 0; w < yWidth; w++) {
        const left = w * load<i32>(spec, CONV_STRIDE_WIDTH) - load<i32>(spec, CONV_PAD_LEFT);
        const first = firstTap(left, dilation);
        const columns = max(endTap(left, dilation, width, taps) - first, 0);
        const offset = <usize>((top + firstRow * rowDilation) * width + left + first * dilation) * end;
        const count = <T>(countPadding ? tapRows * taps : max(rows * columns, 1));
        if (mode == MAX) maxWindow<T>(x + offset, rows, rowStep, columns, step, y, end);
        if (mode == MAX_INPUT) maxWindowInput<T>(x + offset, rows, rowStep, columns, step, y, dy, dx + offset, end);
        if (mode == AVERAGE) averageWindow<T>(x + offset, rows, rowStep, columns, step, y, end, count);
        if (mode == AVERAGE_INPUT) averageWindowInput<T>(x + offset, rows, rowStep, columns, step, y, end, count);
        y += end;
        dy += end;
      }
    }
    x += image;
    dx += image;
  }
}

export function maxPoolF32(spec: usize, x: usize, y: usize): void {
  pool<f32>(spec, x, y, 0, 0, 0, MAX);
}

export function maxPoolF64(spec: usize, x: usize, y: usize): void {
  pool<f64>(spec, x, y, 0, 0, 0, MAX);
}

export function maxPoolInputF32(spec: usize, x: usize, y: usize, dy: usize, dx: usize): void {
  pool<f32>(spec, x, y, dy, dx, 0, MAX_INPUT);
}

export function maxPoolInputF64(spec: usize, x: usize, y: usize, dy: usize, dx: usize): void {
  pool<f64>(spec, x, y, dy, dx, 0, MAX_INPUT);
}

export function averagePoolF32(spec: usize, x: usize, y: usize, countPadding: i32): void {
  pool<f32>(spec, x, y, 0, 0, countPadding, AVERAGE);
}

export function averagePoolF64(spec: usize, x: usize, y: usize, countPadding: i32): void {
  pool<f64>(spec, x, y, 0, 0, countPadding, AVERAGE);
}

export function averagePoolInputF32(spec: usize, dy: usize, dx: usize, countPadding: i32): void {
  pool<f32>(spec, dx, dy, 0, 0, countPadding, AVERAGE_INPUT);
}

export function averagePoolInputF64(spec: usize, dy: usize, dx: usize, countPadding: i32): void {
  pool<f64>(spec, dx, dy, 0, 0, countPadding, AVERAGE_INPUT);
}
