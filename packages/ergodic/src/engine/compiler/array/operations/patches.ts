import type { ConvolutionShape } from "../../../memory/convolution.ts";
import { anything, array, operation, options } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import type { SymbolicArray } from "../symbolic.ts";
import { reshape } from "./reshape.ts";
import {
  forEachTap,
  inputShape,
  type Pair,
  specOf,
  type WindowOptions,
  windowOptions,
  windowShape,
  windowText,
} from "./windows.ts";

const shapeOf = (node: SymbolicArray): ConvolutionShape => node.attributes as ConvolutionShape;

/** Visits each element of the columns, together with the element of x of which it is a copy. */
function forEachCopy(shape: ConvolutionShape, visit: (column: number, x: number) => void): void {
  const { inChannels, kernelHeight, kernelWidth } = shape;
  forEachTap(shape, (outCell, inCell, tap) => {
    const row = (outCell * kernelHeight * kernelWidth + tap) * inChannels;
    for (let c = 0; c < inChannels; c++) visit(row + c, inCell * inChannels + c);
  });
}

const makePatches = arrayPrimitive({
  name: "patches",
  evaluate(node, [x]) {
    const columns = new Float64Array(node.size);
    forEachCopy(shapeOf(node), (to, from) => {
      columns[to] = x[from];
    });
    return columns;
  },
  derivative: (adjoint, node) => patchesInput(adjoint, shapeOf(node)),
  rebuild: (node, [x]) => patchesOf(x, shapeOf(node)),
  describe: (node) => windowText(shapeOf(node)),
  code: {
    form: "kernel",
    calls: (node) => [{ kernel: "patches", args: [specOf(shapeOf(node)), { kind: "argument", index: 0 }, { kind: "result" }] }],
  },
});

const makeInput = arrayPrimitive({
  name: "patchesInput",
  evaluate(node, [columns]) {
    const x = new Float64Array(node.size);
    forEachCopy(shapeOf(node), (from, to) => {
      x[to] += columns[from];
    });
    return x;
  },
  derivative: (adjoint, node) => patchesOf(adjoint, shapeOf(node)),
  rebuild: (node, [columns]) => patchesInput(columns, shapeOf(node)),
  describe: (node) => windowText(shapeOf(node)),
  code: {
    form: "kernel",
    calls: (node) => [
      { kernel: "patchesInput", args: [specOf(shapeOf(node)), { kind: "argument", index: 0 }, { kind: "result" }] },
    ],
  },
});

export function patchesOf(x: SymbolicArray, s: ConvolutionShape): SymbolicArray {
  const columns = s.kernelHeight * s.kernelWidth * s.inChannels;
  return makePatches([x], [s.batch * s.outHeight * s.outWidth, columns], s);
}

const patchesInput = (columns: SymbolicArray, s: ConvolutionShape): SymbolicArray => makeInput([columns], inputShape(s), s);

/** Options of `patches`. */
export interface PatchOptions extends WindowOptions {
  /** Cells of the window: a number, or [height, width]. */
  readonly size: Pair;
}

/**
 * Returns the inputs of each output cell of a convolution, one row per cell: columns[(n, h, w), (i, j, c)] = x[n, h s +
 * i d − p, w s + j d − p, c], 0 outside. The adjoint adds each element to the element from which it was copied. Code:
 * kernels/engine/images/patches.ts.
 *
 * x: [batch, height, width, C]. Returns [batch, height', width', cells · C]. The last axis holds the cells of a window
 * row by row, and the channels of each cell.
 * @throws CompileError for invalid options, or a window larger than the padded image
 */
export const patches = operation(
  "patches",
  { x: array, options: options({ size: anything, ...windowOptions }, ["size"]) },
  (x: SymbolicArray, { size, ...options }: PatchOptions): SymbolicArray => {
    const s = windowShape("patches", x, size, options, x.shape[3], 1);
    return reshape(patchesOf(x, s), [s.batch, s.outHeight, s.outWidth, -1]);
  },
);
