/** Random and fixed shapes of convolutions for tests. */

import { type ConvolutionShape, outputSize } from "../../../src/engine/memory/convolution.ts";
import type { Draws } from "../../../src/engine/random/stream.ts";

/** The output size is computed. */
export function shapeOf(given: Partial<ConvolutionShape>): ConvolutionShape {
  const s = {
    ...{ batch: 1, inHeight: 1, inWidth: 1, inChannels: 1, outChannels: given.inChannels ?? 1, kernelHeight: 1, kernelWidth: 1 },
    ...{ strideHeight: 1, strideWidth: 1, padTop: 0, padLeft: 0, dilationHeight: 1, dilationWidth: 1, groups: 1 },
    ...given,
  };
  const outHeight = outputSize(s.inHeight, s.kernelHeight, s.strideHeight, s.padTop, s.padTop, s.dilationHeight);
  const outWidth = outputSize(s.inWidth, s.kernelWidth, s.strideWidth, s.padLeft, s.padLeft, s.dilationWidth);
  return { outHeight, outWidth, ...s };
}

/**
 * Images of 1 … 12 cells per side, kernels of 1 … 5, strides and dilations of 1 … 3, and padding up to 3. The output
 * often skips part of the image.
 */
export function drawShape(
  draws: Draws,
  channels: Pick<ConvolutionShape, "inChannels" | "outChannels" | "groups">,
): ConvolutionShape {
  const among = (low: number, high: number) => low + draws.integer(high - low + 1);
  const drawn = (name: "Height" | "Width") => {
    const [size, kernel, stride, dilation] = [among(1, 12), among(1, 5), among(1, 3), among(1, 3)];
    const short = dilation * (kernel - 1) + 1 - size;
    const before = Math.max(among(0, 3), Math.ceil(short / 2));
    const out = outputSize(size, kernel, stride, before, before + draws.integer(2), dilation);
    return {
      ...{ [`in${name}`]: size, [`out${name}`]: out, [`kernel${name}`]: kernel, [`stride${name}`]: stride },
      ...{ [`dilation${name}`]: dilation, [name === "Height" ? "padTop" : "padLeft"]: before },
    };
  };
  return { batch: among(0, 3), ...channels, ...drawn("Height"), ...drawn("Width") } as ConvolutionShape;
}
