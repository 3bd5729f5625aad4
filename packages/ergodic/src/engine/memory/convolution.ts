/**
 * Shapes of two-dimensional convolutions and pools, for kernels/engine/images/convolution.ts, depthwise.ts, pooling.ts
 * and patches.ts.
 *
 * Images: [batch, height, width, channels]. Weights: [kernelHeight, kernelWidth, inChannels ÷ groups, outChannels].
 * Output cell (h, w) reads input cells (h · strideHeight − padTop + i · dilationHeight, w · strideWidth − padLeft + j ·
 * dilationWidth). Cells outside the image are padding. Padding at the bottom and on the right follows from the output
 * size. Pools have as many output channels as input channels, and ignore `groups`.
 *
 * @throws OptionError for an invalid shape
 */
import { checkNumber, OptionError } from "../errors/errors.ts";
import * as field from "./fields.ts";
import { GEMM_DIRECT_BYTES, gemmScratchBytes } from "./gemm.ts";

export interface ConvolutionShape {
  readonly batch: number;
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
  /**
   * Number of channel groups. The number divides inChannels and outChannels. A depthwise convolution has as many groups
   * as channels.
   */
  readonly groups: number;
}

const FIELDS: readonly (readonly [at: number, name: keyof ConvolutionShape, low: number])[] = [
  [field.CONV_BATCH, "batch", 0],
  [field.CONV_IN_HEIGHT, "inHeight", 0],
  [field.CONV_IN_WIDTH, "inWidth", 0],
  [field.CONV_IN_CHANNELS, "inChannels", 0],
  [field.CONV_OUT_HEIGHT, "outHeight", 0],
  [field.CONV_OUT_WIDTH, "outWidth", 0],
  [field.CONV_OUT_CHANNELS, "outChannels", 0],
  [field.CONV_KERNEL_HEIGHT, "kernelHeight", 1],
  [field.CONV_KERNEL_WIDTH, "kernelWidth", 1],
  [field.CONV_STRIDE_HEIGHT, "strideHeight", 1],
  [field.CONV_STRIDE_WIDTH, "strideWidth", 1],
  [field.CONV_PAD_TOP, "padTop", 0],
  [field.CONV_PAD_LEFT, "padLeft", 0],
  [field.CONV_DILATION_HEIGHT, "dilationHeight", 1],
  [field.CONV_DILATION_WIDTH, "dilationWidth", 1],
  [field.CONV_GROUPS, "groups", 1],
];

/** Returns the output size along one dimension: ⌊(size + before + after − dilation (kernel − 1) − 1) ÷ stride⌋ + 1. */
export function outputSize(size: number, kernel: number, stride = 1, before = 0, after = 0, dilation = 1): number {
  for (const [name, value, low] of [
    ["size", size, 1],
    ["kernel", kernel, 1],
    ["stride", stride, 1],
    ["before", before, 0],
    ["after", after, 0],
    ["dilation", dilation, 1],
  ] as const)
    checkNumber("outputSize", name, value, { low, integer: true });
  const covered = dilation * (kernel - 1) + 1;
  const padded = size + before + after;
  if (covered > padded) {
    const message = `the kernel covers ${covered} cells, but the padded image has ${padded}; use a smaller kernel or dilation, or more padding`;
    throw new OptionError("outputSize", message, "OPTION_CONFLICT");
  }
  return Math.floor((padded - covered) / stride) + 1;
}

/** Throws an error unless every field is an integer in its range and `groups` divides the numbers of channels. */
export function checkConvolution(where: string, shape: ConvolutionShape): void {
  for (const [, name, low] of FIELDS) checkNumber(where, name, shape[name], { low, high: 2 ** 31 - 1, integer: true });
  const { inChannels, outChannels, groups } = shape;
  if (inChannels % groups === 0 && outChannels % groups === 0) return;
  const message = `groups is ${groups}, but must divide ${inChannels} input and ${outChannels} output channels; change one of them`;
  throw new OptionError(where, message, "OPTION_CONFLICT");
}

/** Writes the shape to a CONV block of CONV_BYTES ÷ 4 numbers. */
export function writeConvolutionSpec(block: Uint32Array, shape: ConvolutionShape): void {
  checkConvolution("convolution", shape);
  for (const [at, name] of FIELDS) block[at >>> 2] = shape[name];
}

/** Reads the shape from a CONV block, without checking it. */
export function convolutionShapeOf(block: ArrayLike<number>): ConvolutionShape {
  return Object.fromEntries(FIELDS.map(([at, name]) => [name, block[at >>> 2]])) as unknown as ConvolutionShape;
}

/** Whether each channel is convolved separately, by kernels/engine/images/depthwise.ts and depthwise-weight.ts. */
export function isDepthwise({ groups, inChannels, outChannels }: ConvolutionShape): boolean {
  return groups === inChannels && groups === outChannels;
}

/**
 * Returns the number of bytes of scratch memory that a convolution and both of its adjoints need. If isDepthwise is
 * true, the depthwise kernels are used. The scratch must be 16-byte aligned.
 */
export function convolutionScratchBytes(shape: ConvolutionShape, elementBytes: 4 | 8): number {
  return isDepthwise(shape) ? field.AXIS_BYTES * (shape.strideHeight + shape.strideWidth) : bandScratchBytes(shape, elementBytes);
}

/**
 * Same as `convolutionScratchBytes`, for the kernels in kernels/engine/images/convolution.ts with any number of groups.
 */
export function bandScratchBytes(shape: ConvolutionShape, elementBytes: 4 | 8): number {
  const inside = shape.inChannels / shape.groups;
  const outside = shape.outChannels / shape.groups;
  const depth = shape.kernelHeight * shape.kernelWidth * inside;
  // The calculation must match kernels/engine/images/convolution.ts.
  const most = Math.max(Math.floor(field.CONV_BAND_BYTES / (Math.max(depth, 1) * elementBytes)) & ~3, 4);
  const cells = Math.min(most, shape.batch * shape.outHeight * shape.outWidth);
  const products = [
    gemmScratchBytes(cells, outside, depth, elementBytes),
    gemmScratchBytes(cells, depth, outside, elementBytes),
    gemmScratchBytes(depth, outside, cells, elementBytes),
  ];
  const flipped = field.CONV_BYTES + depth * shape.outChannels * elementBytes;
  const band = Math.ceil((cells * depth * elementBytes) / 16) * 16 + Math.max(...products);
  return shape.groups === 1 && flipped <= field.CONV_BYTES + GEMM_DIRECT_BYTES ? Math.max(band, flipped) : band;
}
