/**
 * Pooling of images: the maximum or the mean of the cells in a window, for each channel.
 *
 * maxPool: padding cells do not count; NaN if a cell is NaN. If several cells hold the largest value, the derivative
 * goes to the first of them in row-major order. averagePool: the sum over the cells inside the image, divided by the
 * number of these cells. With `countPadding`, the sum is divided by the number of cells in the window instead.
 * Code: kernels/engine/images/pooling.ts. The second derivative of maxPool uses patches, so it needs memory for every
 * cell of every window.
 */

import type { ConvolutionShape } from "../../../memory/convolution.ts";
import { sum } from "../../primitives/reductions.ts";
import { and, equal, where } from "../../primitives/selection.ts";
import { anything, array, flag, operation, options } from "../../signature.ts";
import { arrayPrimitive, type CallArgument } from "../primitive.ts";
import type { SymbolicArray } from "../symbolic.ts";
import { full } from "./constants.ts";
import { cumsum } from "./cumulative-sum.ts";
import { patchesOf } from "./patches.ts";
import { reshape } from "./reshape.ts";
import {
  forEachTap,
  outputShape,
  type Pair,
  specOf,
  type WindowOptions,
  windowOptions,
  windowShape,
  windowText,
} from "./windows.ts";

const shapeOf = (node: SymbolicArray): ConvolutionShape => node.attributes as ConvolutionShape;
const argument = (index: number): CallArgument => ({ kind: "argument", index });
const describe = (node: SymbolicArray): string => windowText(shapeOf(node));

const makeMax = arrayPrimitive({
  name: "maxPool",
  evaluate(node, [x]) {
    const shape = shapeOf(node);
    const y = new Float64Array(node.size).fill(-Infinity);
    const { inChannels } = shape;
    forEachTap(shape, (outCell, inCell) => {
      for (let c = 0; c < inChannels; c++) {
        const at = outCell * inChannels + c;
        y[at] = Math.max(y[at], x[inCell * inChannels + c]);
      }
    });
    return y;
  },
  derivative: (adjoint, node) => makeMaxInput([node.args[0], node, adjoint], node.args[0].shape, shapeOf(node)),
  rebuild: (node, [x]) => makeMax([x], node.shape, shapeOf(node)),
  describe,
  code: {
    form: "kernel",
    calls: (node) => [{ kernel: "maxPool", args: [specOf(shapeOf(node)), argument(0), { kind: "result" }] }],
  },
});

/** Adjoint of maxPool, from x, its pool y, and dy. */
const makeMaxInput = arrayPrimitive({
  name: "maxPoolInput",
  evaluate(node, [x, y, dy]) {
    const dx = new Float64Array(node.size);
    const { inChannels } = shapeOf(node);
    const done = new Uint8Array(y.length);
    forEachTap(shapeOf(node), (outCell, inCell) => {
      for (let c = 0; c < inChannels; c++) {
        const [from, to] = [outCell * inChannels + c, inCell * inChannels + c];
        const isLargest = x[to] === y[from] || (Number.isNaN(x[to]) && Number.isNaN(y[from]));
        if (done[from] || !isLargest) continue;
        done[from] = 1;
        dx[to] += dy[from];
      }
    });
    return dx;
  },
  derivative: (adjoint, node, i) => (i === 2 ? atLargest(adjoint, node.args[0], node.args[1], shapeOf(node)) : null),
  rebuild: (node, args) => makeMaxInput(args, node.shape, shapeOf(node)),
  describe,
  code: {
    form: "kernel",
    calls: (node) => [
      { kernel: "maxPoolInput", args: [specOf(shapeOf(node)), argument(0), argument(1), argument(2), { kind: "result" }] },
    ],
  },
});

/** Returns, for each window, the element of `a` at the position where x is largest. */
function atLargest(a: SymbolicArray, x: SymbolicArray, y: SymbolicArray, s: ConvolutionShape): SymbolicArray {
  const cells = s.batch * s.outHeight * s.outWidth;
  const seen = (image: SymbolicArray): SymbolicArray => reshape(patchesOf(image, s), [cells, -1, s.inChannels]);
  const inside = seen(full(1, x.shape));
  const largest = and(equal(seen(x), reshape(y, [cells, 1, s.inChannels])), inside);
  const first = and(largest, equal(cumsum(largest, { axis: 1 }), 1));
  return reshape(sum(where(first, seen(a), 0), { axis: 1 }), y.shape);
}

interface Average {
  readonly shape: ConvolutionShape;
  readonly countPadding: boolean;
}

/** Returns the number by which each window's sum is divided. */
function cellsOf({ shape, countPadding }: Average): Float64Array {
  const cells = new Float64Array(shape.batch * shape.outHeight * shape.outWidth);
  if (countPadding) return cells.fill(shape.kernelHeight * shape.kernelWidth);
  forEachTap(shape, (outCell) => {
    cells[outCell]++;
  });
  return cells;
}

const averageOf = (node: SymbolicArray): Average => node.attributes as Average;
const averageArguments = (node: SymbolicArray): CallArgument[] => [
  specOf(averageOf(node).shape),
  argument(0),
  { kind: "result" },
  { kind: "number", value: Number(averageOf(node).countPadding) },
];

const makeAverage = arrayPrimitive({
  name: "averagePool",
  evaluate(node, [x]) {
    const { shape } = averageOf(node);
    const cells = cellsOf(averageOf(node));
    const y = new Float64Array(node.size);
    const { inChannels } = shape;
    forEachTap(shape, (outCell, inCell) => {
      for (let c = 0; c < inChannels; c++) y[outCell * inChannels + c] += x[inCell * inChannels + c];
    });
    return y.map((total, i) => (total === 0 ? total : total / cells[Math.floor(i / inChannels)]));
  },
  derivative: (adjoint, node) => makeAverageInput([adjoint], node.args[0].shape, averageOf(node)),
  rebuild: (node, [x]) => makeAverage([x], node.shape, averageOf(node)),
  describe: (node) => windowText(averageOf(node).shape),
  code: { form: "kernel", calls: (node) => [{ kernel: "averagePool", args: averageArguments(node) }] },
});

const makeAverageInput = arrayPrimitive({
  name: "averagePoolInput",
  evaluate(node, [dy]) {
    const { shape } = averageOf(node);
    const cells = cellsOf(averageOf(node));
    const dx = new Float64Array(node.size);
    const { inChannels } = shape;
    forEachTap(shape, (outCell, inCell) => {
      for (let c = 0; c < inChannels; c++) dx[inCell * inChannels + c] += dy[outCell * inChannels + c] / cells[outCell];
    });
    return dx;
  },
  derivative: (adjoint, node) => makeAverage([adjoint], node.args[0].shape, averageOf(node)),
  rebuild: (node, [dy]) => makeAverageInput([dy], node.shape, averageOf(node)),
  describe: (node) => windowText(averageOf(node).shape),
  code: { form: "kernel", calls: (node) => [{ kernel: "averagePoolInput", args: averageArguments(node) }] },
});

/** Options of `maxPool` and `averagePool` on arrays. */
export interface PoolOptions extends WindowOptions {
  /** Cells of the window: a number, or [height, width]. */
  readonly size: Pair;
}

const poolShape = (name: string, x: SymbolicArray, { size, strides = size, ...rest }: PoolOptions): ConvolutionShape =>
  windowShape(name, x, size, { strides, ...rest }, x.shape[3], 1);

/**
 * Largest cell of each window. x: [batch, height, width, C]. `strides`: default `size`, adjacent windows.
 * @throws CompileError for invalid options, or a window larger than the padded image
 */
export const maxPool = operation(
  "maxPool",
  { x: array, options: options({ size: anything, ...windowOptions }, ["size"]) },
  (x: SymbolicArray, options: PoolOptions): SymbolicArray => {
    const shape = poolShape("maxPool", x, options);
    return makeMax([x], outputShape(shape), shape);
  },
);

/**
 * Mean of each window's cells, without padding cells unless `countPadding`. `strides`: default `size`.
 * @throws CompileError for invalid options, or a window larger than the padded image
 */
export const averagePool = operation(
  "averagePool",
  { x: array, options: options({ size: anything, ...windowOptions, countPadding: flag }, ["size"]) },
  (x: SymbolicArray, { countPadding = false, ...options }: PoolOptions & { readonly countPadding?: boolean }): SymbolicArray => {
    const shape = poolShape("averagePool", x, options);
    return makeAverage([x], outputShape(shape), { shape, countPadding });
  },
);
