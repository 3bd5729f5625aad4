/**
 * Convolutions, pools and patches, all of which slide windows over images. ONNX expects an image's channels before its
 * height and width.
 */
import { CapabilityError } from "ergodic";
import type { SymbolicArray } from "ergodic/compiler";
import type { Arrays } from "./arrays.ts";

/**
 * A window, as defined by the compiler: output cell (h, w) reads the input cells (h · strideHeight − padTop + i ·
 * dilationHeight, …).
 */
export interface Window {
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly groups: number;
}

/**
 * Returns the numbers of cells of padding at the top, left, bottom and right. Only cells that a window reaches are
 * padded.
 */
function paddingOf(w: Window): [number, number, number, number] {
  const bottom = (w.outHeight - 1) * w.strideHeight + (w.kernelHeight - 1) * w.dilationHeight + 1 - w.padTop - w.inHeight;
  const right = (w.outWidth - 1) * w.strideWidth + (w.kernelWidth - 1) * w.dilationWidth + 1 - w.padLeft - w.inWidth;
  return [w.padTop, w.padLeft, Math.max(0, bottom), Math.max(0, right)];
}

/**
 * Writes a convolution. W: [kernelHeight, kernelWidth, inChannels ÷ groups, outChannels], in ONNX [outChannels,
 * inChannels ÷ groups, kernelHeight, kernelWidth].
 */
export function convolved(arrays: Arrays, x: SymbolicArray, weights: SymbolicArray, window: Window): string {
  const { kernelHeight, kernelWidth, inChannels, outChannels, groups } = window;
  const inside = inChannels / groups;
  const taps = kernelHeight * kernelWidth;
  const given = arrays.known(weights, "weights");
  const turned = Float32Array.from({ length: weights.size }, (_, i) => {
    const [out, rest] = [Math.floor(i / (inside * taps)), i % (inside * taps)];
    return given[((rest % taps) * inside + Math.floor(rest / taps)) * outChannels + out];
  });
  const shape = [outChannels, inside, kernelHeight, kernelWidth];
  const filters = arrays.graph.constant("float32", turned, shape, String(weights.attributes));
  return arrays.graph.node("Conv", [arrays.first(x), filters], {
    kernel_shape: [kernelHeight, kernelWidth],
    strides: [window.strideHeight, window.strideWidth],
    pads: paddingOf(window),
    dilations: [window.dilationHeight, window.dilationWidth],
    group: groups,
  });
}

/** Writes a pool. "mean of all": cells of padding count as zeros. */
export function pooled(arrays: Arrays, x: SymbolicArray, window: Window, kind: "maximum" | "mean" | "mean of all"): string {
  const { graph } = arrays;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = window;
  const attributes = { kernel_shape: [kernelHeight, kernelWidth], strides: [strideHeight, strideWidth] };
  const pads = paddingOf(window);
  const isMaximum = kind === "maximum";
  // onnxruntime refuses windows that lie entirely in the padding. For means it does so even if the padding is a
  // separate node, because it merges that node with the pool.
  const isWide = pads.some((cells, i) => cells >= (i % 2 === 0 ? kernelHeight : kernelWidth));
  if (isWide && kind === "mean")
    throw new CapabilityError(
      "toOnnx",
      "an averagePool has windows entirely inside its padding, which ONNX does not support; use less padding, or countPadding: true",
      "ONNX_OPERATION",
    );
  if (isWide && isMaximum) {
    const [top, left, bottom, right] = pads;
    const around = graph.constant("int64", [0, 0, top, left, 0, 0, bottom, right]);
    const padded = graph.node("Pad", [arrays.first(x), around, graph.scalar("float32", -Infinity)]);
    return graph.node("MaxPool", [padded], attributes);
  }
  if (isWide) {
    const [group, area] = [window.inChannels, kernelHeight * kernelWidth];
    const weights = graph.constant("float32", new Float32Array(group * area).fill(1 / area), [
      group,
      1,
      kernelHeight,
      kernelWidth,
    ]);
    return graph.node("Conv", [arrays.first(x), weights], { ...attributes, pads, group });
  }
  if (isMaximum) return graph.node("MaxPool", [arrays.first(x)], { ...attributes, pads });
  return graph.node("AveragePool", [arrays.first(x)], { ...attributes, pads, count_include_pad: Number(kind === "mean of all") });
}

/**
 * Writes the patches of an image as a matrix. The matrix has one row per output cell, and one column per cell of the
 * window and channel. The matrix is assembled from shifted images, one for each cell of the window.
 */
export function patched(arrays: Arrays, x: SymbolicArray, window: Window): string {
  const { graph } = arrays;
  const { kernelHeight, kernelWidth, outHeight, outWidth, strideHeight, strideWidth, inChannels } = window;
  const [top, left, bottom, right] = paddingOf(window);
  const around = graph.constant("int64", [0, top, left, 0, 0, bottom, right, 0]);
  const image = graph.node("Pad", [arrays.last(x), around, graph.scalar("float32", 0)]);
  const list = (...values: number[]): string => graph.constant("int64", values);
  const seen = Array.from({ length: kernelHeight * kernelWidth }, (_, tap) => {
    const from = [Math.floor(tap / kernelWidth) * window.dilationHeight, (tap % kernelWidth) * window.dilationWidth];
    const to = [from[0] + (outHeight - 1) * strideHeight + 1, from[1] + (outWidth - 1) * strideWidth + 1];
    return graph.node("Slice", [image, list(...from), list(...to), list(1, 2), list(strideHeight, strideWidth)]);
  });
  const joined = seen.length === 1 ? seen[0] : graph.node("Concat", seen, { axis: 3 });
  return graph.node("Reshape", [joined, list(-1, kernelHeight * kernelWidth * inChannels)]);
}
