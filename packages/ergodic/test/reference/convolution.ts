/**
 * Plain twins of kernels/engine/images/convolution.ts, depthwise.ts, depthwise-weight.ts and patches.ts in float64.
 * Each sum comes with its Σ |terms|.
 */
import type { ConvolutionShape } from "../../src/engine/memory/convolution.ts";

export interface Sums {
  readonly value: Float64Array;
  readonly magnitude: Float64Array;
}

/** Every image cell that a tap of the kernel covers: flat pixel of the image, tap, flat pixel of the output. */
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

/** Elements of x, W and y. */
type Role = "x" | "w" | "y";

/** Adds every product of the convolution, of an element of `a` and one of `b`, to its result. */
function products(s: ConvolutionShape, into: Role, a: [Role, ArrayLike<number>], b: [Role, ArrayLike<number>]): Sums {
  const inside = s.inChannels / s.groups;
  const outside = s.outChannels / s.groups;
  const size = sizes(s)[into];
  const value = new Float64Array(size);
  const magnitude = new Float64Array(size);
  const [first, second] = [Float64Array.from(a[1]), Float64Array.from(b[1])];
  // Step from one channel of a group to the next.
  const step = { x: 1, w: s.outChannels, y: 0 };
  const [toStep, aStep, bStep] = [step[into], step[a[0]], step[b[0]]];
  forEachTap(s, (pixel, tap, cell) => {
    for (let o = 0; o < s.outChannels; o++) {
      const x = pixel * s.inChannels + Math.floor(o / outside) * inside;
      const w = tap * inside * s.outChannels + o;
      const y = cell * s.outChannels + o;
      const place = (role: Role): number => (role === "x" ? x : role === "w" ? w : y);
      const [to, from, by] = [place(into), place(a[0]), place(b[0])];
      for (let c = 0; c < inside; c++) {
        const term = first[from + c * aStep] * second[by + c * bStep];
        value[to + c * toStep] += term;
        magnitude[to + c * toStep] += Math.abs(term);
      }
    }
  });
  return { value, magnitude };
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

export const convolution = (s: ConvolutionShape, x: ArrayLike<number>, w: ArrayLike<number>): Sums =>
  products(s, "y", ["x", x], ["w", w]);

export const convolutionInput = (s: ConvolutionShape, dy: ArrayLike<number>, w: ArrayLike<number>): Sums =>
  products(s, "x", ["y", dy], ["w", w]);

export const convolutionWeight = (s: ConvolutionShape, x: ArrayLike<number>, dy: ArrayLike<number>): Sums =>
  products(s, "w", ["x", x], ["y", dy]);

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
