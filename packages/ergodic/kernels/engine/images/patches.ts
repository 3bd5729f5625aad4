/**
 * Image to patches (im2col): writes one matrix row per output cell of a convolution. Each matrix row holds the input
 * patch of its output cell. Also the adjoint.
 *
 * patches: columns[(n, h, w), (i, j, c)] = x[n, h sh − pt + i dh, w sw − pl + j dw, c], 0 outside the image; exact.
 * patchesInput: the adjoint. If an element of x is copied to several places in columns, the element of dx is the sum of
 * dcolumns at these places. Terms are added in the order of rows and taps: |error| <= kernelHeight · kernelWidth · ε
 * Σ|dcolumns|.
 *
 * spec: a CONV block (memory/fields.ts); its groups and output channels are ignored. x, dx: [batch, inHeight, inWidth,
 * C]; columns, dcolumns: [batch · outHeight · outWidth, kernelHeight · kernelWidth · C], f32 or f64. Results are fully
 * overwritten and overlap nothing. Pointers need only the alignment of their elements.
 * kernels/engine/images/convolution.ts processes bands of rows and groups of channels.
 */
import {
  CONV_BATCH, CONV_DILATION_HEIGHT, CONV_DILATION_WIDTH, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT, CONV_KERNEL_WIDTH,
  CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH,
} from "../../../src/engine/memory/fields";
import { endTap, firstTap } from "./convolution-axis";

/**
 * Copies `bytes` bytes, a multiple of 4. Short runs are common, and a call of memory.copy would cost more than the
 * copy.
 */
function copyRun(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (const whole = to + (bytes & ~15); to < whole; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < end; to += 4, from += 4) store<u32>(to, load<u32>(from));
}

function zeroRun(to: usize, bytes: usize): void {
  const end = to + bytes;
  for (const whole = to + (bytes & ~15); to < whole; to += 16) v128.store(to, i32x4.splat(0));
  for (; to < end; to += 4) store<u32>(to, 0);
}

function addRun<T>(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (const whole = to + (bytes & ~15); to < whole; to += 16, from += 16) v128.store(to, v128.add<T>(v128.load(to), v128.load(from)));
  for (; to < end; to += sizeof<T>(), from += sizeof<T>()) store<T>(to, load<T>(to) + load<T>(from));
}

/**
 * For the output cells [from, from + count), copies `run` bytes of channels per pixel from x to columns, beginning with
 * byte `channel`. If `adjoint`, adds columns to x instead. A row of columns holds kernelHeight · kernelWidth · run
 * bytes.
 */
export function movePatches<T>(spec: usize, x: usize, from: i32, count: i32, channel: usize, run: usize, columns: usize, adjoint: i32): void {
  const pixel = <usize>load<i32>(spec, CONV_IN_CHANNELS) * sizeof<T>();
  const height = load<i32>(spec, CONV_IN_HEIGHT), width = load<i32>(spec, CONV_IN_WIDTH);
  const yHeight = load<i32>(spec, CONV_OUT_HEIGHT), yWidth = load<i32>(spec, CONV_OUT_WIDTH);
  const tapRows = load<i32>(spec, CONV_KERNEL_HEIGHT), taps = load<i32>(spec, CONV_KERNEL_WIDTH);
  const dilation = load<i32>(spec, CONV_DILATION_WIDTH), stride = load<i32>(spec, CONV_STRIDE_WIDTH), pad = load<i32>(spec, CONV_PAD_LEFT);
  const line = <usize>taps * run;
  const together = dilation == 1 && run == pixel;
  let w = from % yWidth, h = (from / yWidth) % yHeight;
  let image = x + channel + <usize>(from / yWidth / yHeight) * <usize>(height * width) * pixel;
  for (; count > 0; count--) {
    const left = w * stride - pad;
    const first = firstTap(left, dilation), end = endTap(left, dilation, width, taps);
    let row = h * load<i32>(spec, CONV_STRIDE_HEIGHT) - load<i32>(spec, CONV_PAD_TOP);
    for (let i = 0; i < tapRows; i++) {
      if (<u32>row < <u32>height && first < end) {
        const at = image + <usize>(row * width + left + first * dilation) * pixel;
        const to = columns + <usize>first * run;
        if (!adjoint) zeroRun(columns, <usize>first * run);
        moveTaps<T>(at, to, end - first, run, <usize>dilation * pixel, together, adjoint);
        if (!adjoint) zeroRun(columns + <usize>end * run, <usize>(taps - end) * run);
      } else if (!adjoint) {
        zeroRun(columns, line);
      }
      row += load<i32>(spec, CONV_DILATION_HEIGHT);
      columns += line;
    }
    if (++w < yWidth) continue;
    w = 0;
    if (++h < yHeight) continue;
    h = 0;
    image += <usize>(height * width) * pixel;
  }
}

function moveTaps<T>(x: usize, columns: usize, taps: i32, run: usize, step: usize, together: bool, adjoint: i32): void {
  if (together) {
    run *= taps;
    taps = 1;
  }
  for (; taps > 0; taps--) {
    if (adjoint) addRun<T>(x, columns, run);
    else copyRun(columns, x, run);
    columns += run;
    x += step;
  }
}

function cellsOf(spec: usize): i32 {
  return load<i32>(spec, CONV_BATCH) * load<i32>(spec, CONV_OUT_HEIGHT) * load<i32>(spec, CONV_OUT_WIDTH);
}

function patches<T>(spec: usize, x: usize, columns: usize): void {
  const cells = cellsOf(spec);
  if (cells) movePatches<T>(spec, x, 0, cells, 0, <usize>load<i32>(spec, CONV_IN_CHANNELS) * sizeof<T>(), columns, 0);
}

function patchesInput<T>(spec: usize, columns: usize, dx: usize): void {
  const pixel = <usize>load<i32>(spec, CONV_IN_CHANNELS) * sizeof<T>();
  memory.fill(dx, 0, <usize>load<i32>(spec, CONV_BATCH) * <usize>load<i32>(spec, CONV_IN_HEIGHT) * <usize>load<i32>(spec, CONV_IN_WIDTH) * pixel);
  const cells = cellsOf(spec);
  if (cells) movePatches<T>(spec, dx, 0, cells, 0, pixel, columns, 1);
}

export function patchesF32(spec: usize, x: usize, columns: usize): void {
  patches<f32>(spec, x, columns);
}

export function patchesF64(spec: usize, x: usize, columns: usize): void {
  patches<f64>(spec, x, columns);
}

export function patchesInputF32(spec: usize, dcolumns: usize, dx: usize): void {
  patchesInput<f32>(spec, dcolumns, dx);
}

export function patchesInputF64(spec: usize, dcolumns: usize, dx: usize): void {
  patchesInput<f64>(spec, dcolumns, dx);
}
