/**
 * Convolution of images as in neural networks (correlation), and its adjoints in the image and in the weights.
 *
 *   y[n, h, w, o] = Σ_{i,j,c} x[n, h s + i d − p, w s + j d − p, c] W[i, j, c, o],   c over the channels of o's group
 *
 * x: [batch, height, width, C]. W: [kernelHeight, kernelWidth, C ÷ groups, O]. ⟨dy, y⟩ is linear in each of x, W and
 * dy. Each of the three primitives therefore has the other two as its derivatives. With a window of one cell, stride 1,
 * no padding and one group, the convolution is a matrix product. Code: kernels/engine/images/convolution.ts, or
 * kernels/engine/images/depthwise.ts if each channel has its own filter.
 */

import { type ConvolutionShape, convolutionScratchBytes, isDepthwise } from "../../../memory/convolution.ts";
import { anything, array, operation, optional, options, whole } from "../../signature.ts";
import { type ArrayCode, arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import {
  forEachTap,
  inputShape,
  outputShape,
  type Pair,
  specOf,
  type WindowOptions,
  windowOptions,
  windowShape,
  windowText,
} from "./windows.ts";

const shapeOf = (node: SymbolicArray): ConvolutionShape => node.attributes as ConvolutionShape;

/** Visits each product x W of the sum. The callback receives the indices of the product's elements in y, x and W. */
function forEachTerm(shape: ConvolutionShape, visit: (y: number, x: number, w: number) => void): void {
  const { inChannels, outChannels, groups } = shape;
  const [inside, outside] = [inChannels / groups, outChannels / groups];
  forEachTap(shape, (outCell, inCell, tap) => {
    for (let o = 0; o < outChannels; o++)
      for (let c = 0; c < inside; c++)
        visit(
          outCell * outChannels + o,
          inCell * inChannels + Math.floor(o / outside) * inside + c,
          (tap * inside + c) * outChannels + o,
        );
  });
}

const code = (name: "" | "Input" | "Weight"): ArrayCode => ({
  form: "kernel",
  calls(node, _, type) {
    const shape = shapeOf(node);
    return [
      {
        kernel: (isDepthwise(shape) ? "depthwise" : "convolution") + name,
        args: [
          specOf(shape),
          { kind: "argument", index: 0 },
          { kind: "argument", index: 1 },
          { kind: "result" },
          { kind: "scratch", bytes: convolutionScratchBytes(shape, type === "f32" ? 4 : 8) },
        ],
      },
    ];
  },
});

const describe = (node: SymbolicArray): string => windowText(shapeOf(node));

const makeForward = arrayPrimitive({
  name: "convolution",
  evaluate(node, [x, w]) {
    const y = new Float64Array(node.size);
    forEachTerm(shapeOf(node), (yAt, xAt, wAt) => {
      y[yAt] += x[xAt] * w[wAt];
    });
    return y;
  },
  derivative: (adjoint, node, i) =>
    i === 0 ? input(adjoint, node.args[1], shapeOf(node)) : weight(node.args[0], adjoint, shapeOf(node)),
  rebuild: (node, [x, w]) => forward(x, w, shapeOf(node)),
  describe,
  code: code(""),
});

const makeInput = arrayPrimitive({
  name: "convolutionInput",
  evaluate(node, [dy, w]) {
    const dx = new Float64Array(node.size);
    forEachTerm(shapeOf(node), (yAt, xAt, wAt) => {
      dx[xAt] += dy[yAt] * w[wAt];
    });
    return dx;
  },
  derivative: (adjoint, node, i) =>
    i === 0 ? forward(adjoint, node.args[1], shapeOf(node)) : weight(adjoint, node.args[0], shapeOf(node)),
  rebuild: (node, [dy, w]) => input(dy, w, shapeOf(node)),
  describe,
  code: code("Input"),
});

const makeWeight = arrayPrimitive({
  name: "convolutionWeight",
  evaluate(node, [x, dy]) {
    const dw = new Float64Array(node.size);
    forEachTerm(shapeOf(node), (yAt, xAt, wAt) => {
      dw[wAt] += x[xAt] * dy[yAt];
    });
    return dw;
  },
  derivative: (adjoint, node, i) =>
    i === 0 ? input(node.args[1], adjoint, shapeOf(node)) : forward(node.args[0], adjoint, shapeOf(node)),
  rebuild: (node, [x, dy]) => weight(x, dy, shapeOf(node)),
  describe,
  code: code("Weight"),
});

const forward = (x: SymbolicArray, w: SymbolicArray, s: ConvolutionShape): SymbolicArray =>
  makeForward([x, w], outputShape(s), s);
const input = (dy: SymbolicArray, w: SymbolicArray, s: ConvolutionShape): SymbolicArray => makeInput([dy, w], inputShape(s), s);
const weight = (x: SymbolicArray, dy: SymbolicArray, s: ConvolutionShape): SymbolicArray =>
  makeWeight([x, dy], [s.kernelHeight, s.kernelWidth, s.inChannels / s.groups, s.outChannels], s);

/** Options of `conv2d`. */
export interface ConvolutionOptions extends WindowOptions {
  /**
   * Number of groups. Output channels depend only on the input channels of their group. The number must divide the
   * number of input channels and the number of output channels. With as many groups as channels, the convolution is
   * depthwise. Default 1.
   */
  readonly groups?: number;
}

/**
 * Convolves images. x: [batch, height, width, C]; w: [kernelHeight, kernelWidth, C ÷ groups, O]. Returns [batch,
 * height', width', O].
 *
 * @throws CompileError unless the channels fit and the window fits into the padded image
 */
export const conv2d = operation(
  "conv2d",
  { x: array, w: array, options: optional(options({ ...windowOptions, groups: whole })) },
  (x: SymbolicArray, w: SymbolicArray, { groups = 1, ...options }: ConvolutionOptions = {}): SymbolicArray => {
    const [channels, filters] = [x.shape[3], w.shape[3]];
    if (x.rank !== 4 || w.rank !== 4 || w.shape[2] * groups !== channels || filters % groups !== 0)
      throw shapeError(
        "conv2d",
        `images are ${shapeText(x.shape)}, weights ${shapeText(w.shape)} and groups ${groups}, but [batch, height, width, C] and [height, width, C ÷ groups, O] are wanted, groups dividing C and O`,
      );
    const shape = windowShape("conv2d", x, [w.shape[0], w.shape[1]], options, filters, groups);
    const isPointwise =
      w.shape[0] * w.shape[1] * shape.strideHeight * shape.strideWidth * groups === 1 &&
      shape.outHeight === shape.inHeight &&
      shape.outWidth === shape.inWidth;
    if (!isPointwise) return forward(x, w, shape);
    const rows = matmul(reshape(x, [-1, channels]), reshape(w, [channels, filters]));
    return reshape(rows, outputShape(shape));
  },
);

/** Options of `conv1d`. */
export interface SequenceOptions extends Omit<ConvolutionOptions, "strides" | "padding" | "dilation"> {
  /** Number of cells from one window to the next. Default 1. */
  readonly strides?: number;
  /** Padding: "same", "valid" (none), or the number of cells on each side. Default "valid". */
  readonly padding?: "same" | "valid" | number | readonly [before: number, after: number];
  /** Number of cells from one tap of the kernel to the next. Default 1. */
  readonly dilation?: number;
}

/**
 * Convolves sequences. x: [batch, length, C]; w: [kernel, C ÷ groups, O]. Returns [batch, length', O].
 * @throws CompileError unless the channels fit and the window fits into the padded sequence
 */
export const conv1d = operation(
  "conv1d",
  { x: array, w: array, options: optional(options({ strides: whole, padding: anything, dilation: whole, groups: whole })) },
  (x: SymbolicArray, w: SymbolicArray, options: SequenceOptions = {}): SymbolicArray => {
    if (x.rank !== 3 || w.rank !== 3)
      throw shapeError(
        "conv1d",
        `sequences are ${shapeText(x.shape)} and weights ${shapeText(w.shape)}, but [batch, length, C] and [kernel, C ÷ groups, O] are wanted`,
      );
    const pair = (value: number | undefined): Pair => [1, value ?? 1];
    const { padding } = options;
    const made = conv2d(reshape(x, [x.shape[0], 1, ...x.shape.slice(1)]), reshape(w, [1, ...w.shape]), {
      ...options,
      strides: pair(options.strides),
      dilation: pair(options.dilation),
      padding: typeof padding === "string" || padding === undefined ? padding : [0, padding],
    });
    return reshape(made, [made.shape[0], made.shape[2], made.shape[3]]);
  },
);
