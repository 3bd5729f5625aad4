/**
 * Two-dimensional convolution (a cross-correlation, as in neural networks), and its adjoints in the image and in the
 * weights.
 *
 * With c over the channels of o's group: y[n, h, w, o] = Σ_ijc x[n, h sh − pt + i dh, w sw − pl + j dw, c] W[i, j, c,
 * o], 0 outside the image. spec: a CONV block (memory/fields.ts). x, dx: [batch, inHeight, inWidth, inChannels]; y, dy:
 * [batch, outHeight, outWidth, outChannels]; W, dw: [kernelHeight, kernelWidth, inChannels ÷ groups, outChannels], f32
 * or f64. Results are fully overwritten and overlap nothing. scratch: bandScratchBytes of memory/convolution.ts,
 * 16-byte aligned; everything else needs only the alignment of its elements.
 *
 * A band of patches (kernels/engine/images/patches.ts) that fits into the second-level cache is multiplied by
 * kernels/engine/arrays/gemm.ts, one group at a time. If patches are single cells, x itself is used. Small weights are
 * handled by kernels/engine/images/convolution-shallow.ts. |error| <= K ε Σ|products|, where K is the number of
 * products in a sum as in gemm.ts. Cells outside the image are multiplied as zeros, so an infinite or NaN weight gives
 * NaN at the border.
 */
import {
  CONV_BAND_BYTES, CONV_BATCH, CONV_BYTES, CONV_GROUPS, CONV_IN_CHANNELS, CONV_IN_HEIGHT, CONV_IN_WIDTH, CONV_KERNEL_HEIGHT, CONV_KERNEL_WIDTH, CONV_OUT_CHANNELS,
  CONV_OUT_HEIGHT, CONV_OUT_WIDTH, CONV_PAD_LEFT, CONV_PAD_TOP, CONV_STRIDE_HEIGHT, CONV_STRIDE_WIDTH,
} from "../../../src/engine/memory/fields";
import { writeFlipped } from "./convolution-flip";
import { isShallow, shallow, shallowWeight } from "./convolution-shallow";
import { gemmF32, gemmF64 } from "../arrays/gemm";
import { movePatches } from "./patches";

const FORWARD = 0;
const INPUT = 1;
const WEIGHT = 2;

function multiply<T>(
  transA: i32, transB: i32, m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  if (sizeof<T>() == 4) gemmF32(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, accumulate, scratch);
  else gemmF64(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, accumulate, scratch);
}

/** Whether a patch is a single cell of x, at the same position as the cell of y. */
function isPointwise(spec: usize): bool {
  const taps = load<i32>(spec, CONV_KERNEL_HEIGHT) * load<i32>(spec, CONV_KERNEL_WIDTH);
  const strides = load<i32>(spec, CONV_STRIDE_HEIGHT) * load<i32>(spec, CONV_STRIDE_WIDTH);
  const pads = load<i32>(spec, CONV_PAD_TOP) | load<i32>(spec, CONV_PAD_LEFT);
  const sameHeight = load<i32>(spec, CONV_IN_HEIGHT) == load<i32>(spec, CONV_OUT_HEIGHT);
  return taps == 1 && strides == 1 && pads == 0 && sameHeight && load<i32>(spec, CONV_IN_WIDTH) == load<i32>(spec, CONV_OUT_WIDTH);
}

/** Only the result is written. All other arrays are only read. */
function convolve<T>(spec: usize, x: usize, w: usize, y: usize, scratch: usize, mode: i32): void {
  const pointwise = isPointwise(spec);
  if (!pointwise) {
    if (mode == FORWARD && isShallow<T>(spec, false)) return shallow<T>(spec, x, w, y);
    if (mode == WEIGHT && isShallow<T>(spec, true)) return shallowWeight<T>(spec, x, y, w, scratch);
    if (mode == INPUT && writeFlipped<T>(spec, w, scratch)) return shallow<T>(scratch, y, scratch + CONV_BYTES, x);
  }
  const groups = load<i32>(spec, CONV_GROUPS);
  const channels = load<i32>(spec, CONV_IN_CHANNELS), outChannels = load<i32>(spec, CONV_OUT_CHANNELS);
  const inside = channels / groups, outside = outChannels / groups;
  const k = load<i32>(spec, CONV_KERNEL_HEIGHT) * load<i32>(spec, CONV_KERNEL_WIDTH) * inside;
  const batch = load<i32>(spec, CONV_BATCH);
  const cells = batch * load<i32>(spec, CONV_OUT_HEIGHT) * load<i32>(spec, CONV_OUT_WIDTH);
  const band = min(max((CONV_BAND_BYTES / <i32>sizeof<T>() / max(k, 1)) & ~3, 4), cells);
  const run = <usize>inside * sizeof<T>();
  const work = scratch + (((<usize>band * <usize>k) * sizeof<T>() + 15) & ~15);
  if (mode == WEIGHT && cells == 0) memory.fill(w, 0, <usize>k * <usize>outChannels * sizeof<T>());
  if (mode == INPUT && !pointwise) {
    memory.fill(x, 0, <usize>batch * <usize>load<i32>(spec, CONV_IN_HEIGHT) * <usize>load<i32>(spec, CONV_IN_WIDTH) * <usize>channels * sizeof<T>());
  }
  for (let from = 0; from < cells; from += band) {
    const count = min(band, cells - from);
    for (let group = 0; group < groups; group++) {
      const part = <usize>(group * outside) * sizeof<T>();
      const out = y + <usize>from * <usize>outChannels * sizeof<T>() + part;
      const channel = <usize>group * run;
      let columns = scratch, step = k;
      if (pointwise) {
        columns = x + <usize>from * <usize>channels * sizeof<T>() + channel;
        step = channels;
      } else if (mode != INPUT) {
        movePatches<T>(spec, x, from, count, channel, run, columns, 0);
      }
      if (mode == FORWARD) multiply<T>(0, 0, count, outside, k, columns, step, w + part, outChannels, out, outChannels, 0, work);
      if (mode == WEIGHT) multiply<T>(1, 0, k, outside, count, columns, step, out, outChannels, w + part, outChannels, from > 0 ? 1 : 0, work);
      if (mode == INPUT) {
        multiply<T>(0, 1, count, k, outside, out, outChannels, w + part, outChannels, columns, step, 0, work);
        if (!pointwise) movePatches<T>(spec, x, from, count, channel, run, columns, 1);
      }
    }
  }
}

export function convolutionF32(spec: usize, x: usize, w: usize, y: usize, scratch: usize): void {
  convolve<f32>(spec, x, w, y, scratch, FORWARD);
}

export function convolutionF64(spec: usize, x: usize, w: usize, y: usize, scratch: usize): void {
  convolve<f64>(spec, x, w, y, scratch, FORWARD);
}

export function convolutionInputF32(spec: usize, dy: usize, w: usize, dx: usize, scratch: usize): void {
  convolve<f32>(spec, dx, w, dy, scratch, INPUT);
}

export function convolutionInputF64(spec: usize, dy: usize, w: usize, dx: usize, scratch: usize): void {
  convolve<f64>(spec, dx, w, dy, scratch, INPUT);
}

export function convolutionWeightF32(spec: usize, x: usize, dy: usize, dw: usize, scratch: usize): void {
  convolve<f32>(spec, x, dw, dy, scratch, WEIGHT);
}

export function convolutionWeightF64(spec: usize, x: usize, dy: usize, dw: usize, scratch: usize): void {
  convolve<f64>(spec, x, dw, dy, scratch, WEIGHT);
}
