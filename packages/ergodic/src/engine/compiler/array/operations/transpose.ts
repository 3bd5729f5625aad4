import { array, operation, optional, shape } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { full } from "./constants.ts";

const make = arrayPrimitive({
  name: "transpose",
  evaluate(node, [x]) {
    const order = node.attributes as number[];
    const { shape } = node.args[0];
    const strides = stridesIn(shape, order);
    const y = new Float64Array(node.size);
    const at = new Array<number>(shape.length).fill(0);
    for (let i = 0; i < y.length; i++) {
      y[i] = x[at.reduce((sum, index, axis) => sum + index * strides[axis], 0)];
      for (let axis = at.length - 1; axis >= 0 && ++at[axis] === node.shape[axis]; axis--) at[axis] = 0;
    }
    return y;
  },
  derivative(adjoint, node) {
    const order = node.attributes as number[];
    return transpose(
      adjoint,
      order.map((_, axis) => order.indexOf(axis)),
    );
  },
  rebuild: (node, [x]) => transpose(x, node.attributes as number[]),
  describe: (node) => `axes ${(node.attributes as number[]).join(" ")}`,
  code: {
    form: "view",
    layout: (node, { offset, strides }) => ({ offset, strides: (node.attributes as number[]).map((axis) => strides[axis]) }),
  },
});

/**
 * Permutes axes: axis i of the result is axis `order[i]` of x. Default: reversed order. For a matrix, this is the
 * transpose.
 */
export const transpose = operation(
  "transpose",
  { x: array, order: optional(shape) },
  (x: SymbolicArray, order: readonly number[] = x.shape.map((_, i) => x.rank - 1 - i)): SymbolicArray => {
    if ([...order].sort((a, b) => a - b).some((axis, i) => axis !== i) || order.length !== x.rank)
      throw shapeError("transpose", `order is ${shapeText(order)}, but must name each axis of ${shapeText(x.shape)} once`);
    if (order.every((axis, i) => axis === i)) return x;
    const shape = order.map((axis) => x.shape[axis]);
    if (x.op === "full") return full(x.attributes as number, shape);
    if (x.op === "transpose")
      return transpose(
        x.args[0],
        order.map((axis) => (x.attributes as number[])[axis]),
      );
    return make([x], shape, [...order]);
  },
);

function stridesIn(shape: readonly number[], order: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * shape[i + 1];
  return order.map((axis) => strides[axis]);
}
