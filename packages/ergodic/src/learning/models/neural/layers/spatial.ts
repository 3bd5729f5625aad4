import { reshape, type SymbolicArray } from "../../../../engine/compiler/array/index.ts";
import type { WeightOptions } from "./dense.ts";
import { type Extent, type Padding, pairOf } from "./expected.ts";

/** Options of convolutions. */
export interface ConvolutionOptions extends WeightOptions {
  /** Cells of the kernel: a number or [height, width]. Default 3. */
  readonly kernel?: Extent;
  /** Distance between output positions, in cells. Default 1. */
  readonly stride?: Extent;
  /** Padding: "same", "valid", or cells on each side. Default "same". */
  readonly padding?: Padding;
  /** Distance between the kernel's taps, in cells. Default 1. */
  readonly dilation?: Extent;
}

/**
 * Returns the window of an operation on an image. Each option is returned as a pair [height, width]. A sequence is
 * treated as an image of height 1.
 */
export function spatial(x: SymbolicArray, options: ConvolutionOptions) {
  const { kernel = 3, stride = 1, padding = "same", dilation = 1 } = options;
  const sequence = x.rank === 3;
  const [n, length, channels] = x.shape;
  const along = (extent: Extent, across: number): readonly [number, number] =>
    sequence ? [across, pairOf(extent)[1]] : pairOf(extent);
  return {
    image: sequence ? reshape(x, [n, 1, length, channels]) : x,
    kernel: along(kernel, 1),
    stride: along(stride, 1),
    padding: typeof padding === "string" ? padding : along(padding, 0),
    dilation: along(dilation, 1),
  };
}
