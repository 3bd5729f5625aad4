/** Arrays without arguments: `full`, the same number everywhere, and `constantArray`, given numbers. */

import { CompileError } from "../../../errors/errors.ts";
import { float64s } from "../../../memory/room.ts";
import { anyNumber, count, extents, numbers, operand, operation, optional } from "../../signature.ts";
import { userLine } from "../position.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type ArrayLikeOperand, isArray, type Shape, type SymbolicArray, shapeError, shapeText, sizeOf } from "../symbolic.ts";

const makeFull = arrayPrimitive({
  name: "full",
  evaluate: (node) => new Float64Array(node.size).fill(node.attributes as number),
  derivative: () => null,
  rebuild: (node) => node,
  describe: (node) => String(node.attributes),
  code: { form: "loop" },
});

/** An array with the same number everywhere. */
export const full = operation(
  "full",
  { value: anyNumber, shape: optional(extents) },
  (value: number, shape: Shape = []): SymbolicArray => {
    return makeFull([], shape, value, written(value));
  },
);

const LONG = 4096;
let unshared = 0;
const makeConstant = arrayPrimitive({
  name: "constant",
  evaluate: (node) => Float64Array.from(node.attributes as Float64Array),
  derivative: () => null,
  rebuild: (node) => node,
  describe: (node) => preview(node.attributes as Float64Array),
  code: { form: "loop" },
});

/**
 * An array of given numbers, row-major. Two long arrays count as equal only if they are the same object, even if their
 * contents are equal.
 */
export const constantArray = operation(
  "constantArray",
  { values: numbers, shape: optional(extents) },
  (values: ArrayLike<number>, shape: Shape = [values.length]): SymbolicArray => {
    if (values.length !== sizeOf(shape))
      throw shapeError("constantArray", `${values.length} numbers were given for shape ${shapeText(shape)}`);
    // The iterator of a detached array, whose length is 0, would throw an error of the host.
    const kept = values.length === 0 ? new Float64Array(0) : Float64Array.from(values);
    if (kept.length > 0 && kept.every((x) => Object.is(x, kept[0]))) return full(kept[0], shape);
    return makeConstant([], shape, kept, kept.length > LONG ? `unshared ${unshared++}` : Array.from(kept, written).join(","));
  },
);

/** The numbers 0, 1, …, count − 1. Equal counts give the same array object, however long it is. */
export const range = operation("range", { count }, (count: number): SymbolicArray => {
  const values = float64s("range", `${count} numbers`, count).map((_, i) => i);
  return count > LONG ? makeConstant([], [count], values, `range ${count}`) : constantArray(values);
});

const written = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

/** Converts numbers and lists of numbers to symbolic arrays; returns arrays unchanged. */
export const toArray = operation("toArray", { x: operand }, (x: ArrayLikeOperand | ArrayLike<number>): SymbolicArray => {
  if (isArray(x)) return x;
  if (typeof x === "number") return full(x);
  if (x && typeof x === "object" && (Array.isArray(x) || ArrayBuffer.isView(x))) return constantArray(x);
  throw new CompileError(
    "trace",
    `got ${x === null ? "null" : typeof x}, wanted a symbolic array or a number; a name may be missing${userLine()}`,
    "COMPILE_OPERAND",
  );
});

function preview(values: Float64Array): string {
  return values.length > 6 ? `${values.slice(0, 5).join(" ")} …` : values.join(" ");
}
