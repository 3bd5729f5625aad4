/**
 * Plain twins of kernels/engine/images/pooling.ts. Every operation is rounded by `round`, so the results equal those of
 * the kernels.
 */
import type { ConvolutionShape } from "../../src/engine/memory/convolution.ts";
import { forEachTap } from "./convolution.ts";

type Round = (x: number) => number;

/** Flat pixels of the image that each output cell covers, in order. */
function windows(s: ConvolutionShape): number[][] {
  const seen = Array.from({ length: s.batch * s.outHeight * s.outWidth }, (): number[] => []);
  forEachTap(s, (pixel, _, cell) => seen[cell].push(pixel));
  return seen;
}

const imageSize = (s: ConvolutionShape) => s.batch * s.inHeight * s.inWidth * s.inChannels;

export function maxPool(s: ConvolutionShape, x: ArrayLike<number>): number[] {
  const channels = s.inChannels;
  return windows(s).flatMap((pixels) =>
    Array.from({ length: channels }, (_, c) => Math.max(...pixels.map((pixel) => x[pixel * channels + c]))),
  );
}

/** Passes the gradient to the first largest cell, or to the first NaN. */
export function maxPoolInput(s: ConvolutionShape, x: ArrayLike<number>, dy: ArrayLike<number>, round: Round): number[] {
  const channels = s.inChannels;
  const dx = new Array<number>(imageSize(s)).fill(0);
  for (const [cell, pixels] of windows(s).entries()) {
    for (let c = 0; c < channels; c++) {
      const values = pixels.map((pixel) => x[pixel * channels + c]);
      const most = Math.max(...values);
      const first = values.findIndex((value) => value === most || Number.isNaN(value));
      if (first < 0) continue;
      const at = pixels[first] * channels + c;
      dx[at] = round(dx[at] + dy[cell * channels + c]);
    }
  }
  return dx;
}

function divisor(s: ConvolutionShape, pixels: readonly number[], countPadding: boolean): number {
  return countPadding ? s.kernelHeight * s.kernelWidth : Math.max(pixels.length, 1);
}

export function averagePool(s: ConvolutionShape, x: ArrayLike<number>, countPadding: boolean, round: Round): number[] {
  const channels = s.inChannels;
  return windows(s).flatMap((pixels) =>
    Array.from({ length: channels }, (_, c) => {
      const sum = pixels.reduce((total, pixel) => round(total + x[pixel * channels + c]), 0);
      return round(sum / divisor(s, pixels, countPadding));
    }),
  );
}

export function averagePoolInput(s: ConvolutionShape, dy: ArrayLike<number>, countPadding: boolean, round: Round): number[] {
  const channels = s.inChannels;
  const dx = new Array<number>(imageSize(s)).fill(0);
  for (const [cell, pixels] of windows(s).entries()) {
    for (const pixel of pixels) {
      for (let c = 0; c < channels; c++) {
        const at = pixel * channels + c;
        dx[at] = round(dx[at] + round(dy[cell * channels + c] / divisor(s, pixels, countPadding)));
      }
    }
  }
  return dx;
}
