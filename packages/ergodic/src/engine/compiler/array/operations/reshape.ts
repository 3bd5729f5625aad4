import { array, operation, shape } from "../../signature.ts";
import { arrayPrimitive, type Layout } from "../primitive.ts";
import { type Shape, type SymbolicArray, sameShape, shapeError, shapeText, sizeOf } from "../symbolic.ts";
import { full } from "./constants.ts";

const make = arrayPrimitive({
  name: "reshape",
  evaluate: (_, [x]) => x,
  derivative: (adjoint, node) => reshape(adjoint, node.args[0].shape),
  rebuild: (node, [x]) => reshape(x, node.shape),
  code: { form: "view", layout: (node, argument) => reshapedLayout(node.args[0].shape, argument, node.shape) },
});

/**
 * The same elements, in the same row-major order, in another shape. One extent can be −1. This extent is then computed
 * from the number of elements.
 */
export const reshape = operation("reshape", { x: array, shape }, (x: SymbolicArray, shape: Shape): SymbolicArray => {
  const known = sizeOf(shape.filter((n) => n !== -1));
  const whole = shape.map((n) => (n === -1 ? x.size / known : n));
  if (sizeOf(whole) !== x.size || whole.some((n) => !Number.isInteger(n) || n < 1) || shape.filter((n) => n === -1).length > 1)
    throw shapeError("reshape", `${shapeText(x.shape)} has ${x.size} elements, which do not fill ${shapeText(shape)}`);
  if (sameShape(whole, x.shape)) return x;
  if (x.op === "reshape") return reshape(x.args[0], whole);
  if (x.op === "full") return full(x.attributes as number, whole);
  return make([x], whole);
});

/**
 * Returns the strides of the new shape over the same memory. Splits axes, and merges contiguous axes. Returns undefined
 * if strides cannot express the shape.
 */
export function reshapedLayout(from: Shape, { offset, strides }: Layout, to: Shape): Layout | undefined {
  const axes = from.map((size, i) => ({ size, stride: strides[i] })).filter(({ size }) => size > 1);
  const made = new Array<number>(to.length).fill(0);
  let axis = axes.length - 1;
  let left = axis >= 0 ? axes[axis].size : 1;
  let stride = axis >= 0 ? axes[axis].stride : 1;
  for (let i = to.length - 1; i >= 0; i--) {
    let wanted = to[i];
    if (wanted === 1) continue;
    if (left === 1 && axis > 0) ({ size: left, stride } = axes[--axis]);
    made[i] = stride;
    while (wanted > left) {
      // The axes can be merged only if the next outer axis continues where this axis ends.
      if (wanted % left !== 0 || axis === 0) return undefined;
      wanted /= left;
      const outer = axes[--axis];
      if (outer.stride !== stride * left) return undefined;
      stride *= left;
      left = outer.size;
    }
    if (left % wanted !== 0) return undefined;
    left /= wanted;
    stride *= wanted;
  }
  return { offset, strides: made };
}
