/**
 * Shared code of convolutions, pools and patches: the shape that options define, and the cells that a window covers.
 */
import { type ConvolutionShape, outputSize, writeConvolutionSpec } from "../../../memory/convolution.ts";
import { CONV_BYTES } from "../../../memory/fields.ts";
import { anything } from "../../signature.ts";
import type { CallArgument } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";

/** One number for both height and width, or a pair of numbers. */
export type Pair = number | readonly [number, number];

/** Options for the movement of a window over images. */
export interface WindowOptions {
  /** Number of cells from one window to the next. Default 1. */
  readonly strides?: Pair;
  /**
   * Padding. "same": ⌈extent ÷ stride⌉ output cells, with an odd cell of padding after the image. "valid" (default):
   * none. Alternatively, the number of cells on each side: a number, [height, width], or [[top, bottom], [left,
   * right]].
   */
  readonly padding?:
    | "same"
    | "valid"
    | number
    | readonly [number | readonly [number, number], number | readonly [number, number]];
  /** Number of cells from one cell of the window to the next. Default 1. */
  readonly dilation?: Pair;
}

/** Options of operations with windows; `windowShape` checks their values. */
export const windowOptions = { strides: anything, padding: anything, dilation: anything };

const both = (value: Pair): readonly [number, number] => (typeof value === "number" ? [value, value] : value);
const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 1;

/** Returns [before, after] of one dimension. */
function paddingOf(
  where: string,
  padding: WindowOptions["padding"],
  i: 0 | 1,
  size: number,
  covered: number,
  stride: number,
): number[] {
  if (padding === undefined || padding === "valid") return [0, 0];
  if (padding === "same") {
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + covered - size, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  }
  const side = typeof padding === "number" ? padding : Array.isArray(padding) ? padding[i] : undefined;
  const widths = typeof side === "number" ? [side, side] : Array.isArray(side) ? side : [];
  if (widths.length !== 2 || widths.some((n) => !Number.isInteger(n) || n < 0))
    throw shapeError(where, `padding is ${JSON.stringify(padding)}, but must be "same", "valid" or whole numbers from 0 on`);
  return widths;
}

/**
 * Returns the shape of a window of `kernel` cells that moves over images `x`.
 * @throws CompileError for invalid options, or a window larger than the padded image
 */
export function windowShape(
  where: string,
  x: SymbolicArray,
  kernel: Pair,
  given: WindowOptions,
  outChannels: number,
  groups: number,
): ConvolutionShape {
  const { strides = 1, padding, dilation = 1 } = given;
  if (x.rank !== 4)
    throw shapeError(where, `the array is ${shapeText(x.shape)}, but images are [batch, height, width, channels]; reshape it`);
  const options = { window: both(kernel), strides: both(strides), dilation: both(dilation) };
  for (const [name, value] of Object.entries(options))
    if (value.length !== 2 || !value.every(isCount))
      throw shapeError(where, `${name} is ${JSON.stringify(value)}, but must be one or two whole numbers from 1 on`);
  const along = ([0, 1] as const).map((i) => {
    const [cells, stride, apart, size] = [options.window[i], options.strides[i], options.dilation[i], x.shape[1 + i]];
    const covered = apart * (cells - 1) + 1;
    const [before, after] = paddingOf(where, padding, i, size, covered, stride);
    if (covered > size + before + after)
      throw shapeError(
        where,
        `the window covers ${covered} cells of ${["height", "width"][i]}, but ${shapeText(x.shape)} with padding ${before} and ${after} has ${size + before + after}; use a smaller window or more padding`,
      );
    return { before, out: outputSize(size, cells, stride, before, after, apart) };
  });
  return {
    batch: x.shape[0],
    inHeight: x.shape[1],
    inWidth: x.shape[2],
    inChannels: x.shape[3],
    outHeight: along[0].out,
    outWidth: along[1].out,
    outChannels,
    kernelHeight: options.window[0],
    kernelWidth: options.window[1],
    strideHeight: options.strides[0],
    strideWidth: options.strides[1],
    padTop: along[0].before,
    padLeft: along[1].before,
    dilationHeight: options.dilation[0],
    dilationWidth: options.dilation[1],
    groups,
  };
}

/** Visits each output cell, row by row, and each tap of its window that lies within the image. Passes their indices. */
export function forEachTap(shape: ConvolutionShape, visit: (outCell: number, inCell: number, tap: number) => void): void {
  const { batch, inHeight, inWidth, outHeight, outWidth, kernelHeight, kernelWidth } = shape;
  for (let out = 0; out < batch * outHeight * outWidth; out++) {
    const n = Math.floor(out / (outHeight * outWidth));
    const h = (Math.floor(out / outWidth) % outHeight) * shape.strideHeight - shape.padTop;
    const w = (out % outWidth) * shape.strideWidth - shape.padLeft;
    for (let i = 0; i < kernelHeight; i++)
      for (let j = 0; j < kernelWidth; j++) {
        const row = h + i * shape.dilationHeight;
        const column = w + j * shape.dilationWidth;
        if (row < 0 || row >= inHeight || column < 0 || column >= inWidth) continue;
        visit(out, (n * inHeight + row) * inWidth + column, i * kernelWidth + j);
      }
  }
}

export const inputShape = (s: ConvolutionShape): number[] => [s.batch, s.inHeight, s.inWidth, s.inChannels];
export const outputShape = (s: ConvolutionShape): number[] => [s.batch, s.outHeight, s.outWidth, s.outChannels];

/** Returns the block that kernels read. */
export function specOf(shape: ConvolutionShape): CallArgument {
  const block = new Uint32Array(CONV_BYTES / 4);
  writeConvolutionSpec(block, shape);
  return { kind: "constants", values: [...block], type: "u32" };
}

/** Returns a description such as "3×3, strides 2×2, padding 1 1". */
export function windowText(s: ConvolutionShape): string {
  return [
    `${s.kernelHeight}×${s.kernelWidth}`,
    s.strideHeight * s.strideWidth > 1 ? `strides ${s.strideHeight}×${s.strideWidth}` : "",
    s.padTop + s.padLeft > 0 ? `padding ${s.padTop} ${s.padLeft}` : "",
    s.dilationHeight * s.dilationWidth > 1 ? `dilation ${s.dilationHeight}×${s.dilationWidth}` : "",
    s.groups > 1 ? `${s.groups} groups` : "",
  ]
    .filter(Boolean)
    .join(", ");
}
