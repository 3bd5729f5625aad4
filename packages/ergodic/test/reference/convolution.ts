/** Twins of kernels/engine/images/convolution.ts, depthwise.ts, depthwise-weight.ts and patches.ts in float64; beside each sum its Σ |terms|. */
import type { ConvolutionShape } from "../../src/engine/memory/convolution.ts";

export interface Sums {
  readonly value: Float64Array;
  readonly magnitude: Float64Array;
}

/** Every cell of the image that a tap of the kernel sees: flat pixel of the image, tap, flat pixel of the output. */
export function forEachTap(s: ConvolutionShape, visit: (pixel: number, tap: number, cell: number) => void): void {
  for (let n = 0; n < s.batch; n++) {
    for (let h = 0; h < s.outHeight; h++) {
      for (let w = 0; w < s.outWidth; w++) {
        for (let i = 0; i < s.kernelHeight; i++) {
          for (let j = 0; j < s.kernelWidth; j++) {
            const row = h * s.strideHeight - s.padTop + i * s.dilationHeight;
            const column = w * s.strideWidth - s.padLeft + j * s.dilationWidth;
            if (row < 0 || row >= s.inHeight || column < 0 || column >= s.inWidth) continue;
            visit((n * s.inHeight + row) * s.inWidth + column, i * s.kernelWidth + j, (n * s.outHeight + h) * s.outWidth + w);
          }
        }
      }
    }
  }
}

/** Every product of the convolution: indices into x, W and y. */
function forEachProduct(s: ConvolutionShape, visit: (x: number, w: number, y: number) => void): void {
  const inside = s.inChannels / s.groups;
  const outside = s.outChannels / s.groups;
  forEachTap(s, (pixel, tap, cell) => {
    for (let o = 0; o < s.outChannels; o++) {
      const group = Math.floor(o / outside);
      for (let c = 0; c < inside; c++) {
        visit(pixel * s.inChannels + group * inside + c, (tap * inside + c) * s.outChannels + o, cell * s.outChannels + o);
      }
    }
  });
}

class Accumulator implements Sums {
  readonly value: Float64Array;
  readonly magnitude: Float64Array;

  constructor(size: number) {
    this.value = new Float64Array(size);
    this.magnitude = new Float64Array(size);
  }

  add(at: number, term: number): void {
    this.value[at] += term;
    this.magnitude[at] += Math.abs(term);
  }
}

export const sizes = (s: ConvolutionShape) => ({
  x: s.batch * s.inHeight * s.inWidth * s.inChannels,
  w: (s.kernelHeight * s.kernelWidth * s.inChannels * s.outChannels) / s.groups,
  y: s.batch * s.outHeight * s.outWidth * s.outChannels,
});

export function convolution(s: ConvolutionShape, x: ArrayLike<number>, w: ArrayLike<number>): Sums {
  const y = new Accumulator(sizes(s).y);
  forEachProduct(s, (xi, wi, yi) => y.add(yi, x[xi] * w[wi]));
  return y;
}

export function convolutionInput(s: ConvolutionShape, dy: ArrayLike<number>, w: ArrayLike<number>): Sums {
  const dx = new Accumulator(sizes(s).x);
  forEachProduct(s, (xi, wi, yi) => dx.add(xi, dy[yi] * w[wi]));
  return dx;
}

export function convolutionWeight(s: ConvolutionShape, x: ArrayLike<number>, dy: ArrayLike<number>): Sums {
  const dw = new Accumulator(sizes(s).w);
  forEachProduct(s, (xi, wi, yi) => dw.add(wi, x[xi] * dy[yi]));
  return dw;
}

/** Elements of one row of the matrix of patches. */
const patchLength = (s: ConvolutionShape): number => s.kernelHeight * s.kernelWidth * s.inChannels;

export function patches(s: ConvolutionShape, x: ArrayLike<number>): Float64Array {
  const channels = s.inChannels;
  const columns = new Float64Array(s.batch * s.outHeight * s.outWidth * patchLength(s));
  forEachTap(s, (pixel, tap, cell) => {
    for (let c = 0; c < channels; c++) columns[cell * patchLength(s) + tap * channels + c] = x[pixel * channels + c];
  });
  return columns;
}

export function patchesInput(s: ConvolutionShape, columns: ArrayLike<number>): Sums {
  const channels = s.inChannels;
  const dx = new Accumulator(sizes(s).x);
  forEachTap(s, (pixel, tap, cell) => {
    for (let c = 0; c < channels; c++) dx.add(pixel * channels + c, columns[cell * patchLength(s) + tap * channels + c]);
  });
  return dx;
}
