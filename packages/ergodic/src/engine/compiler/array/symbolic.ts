/**
 * Symbolic arrays: immutable, hash-consed nodes with static shapes, row-major. Equal nodes are the same object, so
 * `===` compares them and shared parts are computed once. All numbers of a program have one type, float64 or float32,
 * chosen at compilation; indices are numbers too.
 *
 * A node describes an operation; its primitive (primitive.ts) implements it. Symbols have no value while a program is
 * traced: using a symbol as a JavaScript number throws an error that names the line.
 */
import { assert, CompileError } from "../../errors/errors.ts";
import { Interned } from "../interned.ts";
import { nodesBelow } from "../walk.ts";
import type { ArrayMethods } from "./chained.ts";
import { userLine } from "./position.ts";

/** Extents of an array; [] for one number. */
export type Shape = readonly number[];

/** Argument of a builder that expects an array. */
export type ArrayLikeOperand = SymbolicArray | number;

/**
 * primitives/methods.ts installs the methods. The class cannot define the methods itself, because the operations depend
 * on the class.
 */
export interface SymbolicArray extends ArrayMethods<SymbolicArray> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: methods.ts defines what the interface adds
export class SymbolicArray {
  protected static readonly typeName: string = "SymbolicArray";
  /** Identifier that increases with construction: arguments always have smaller ids than the nodes that use them. */
  readonly id: number;
  /** Operation: "input", "map", "full", or the name of another primitive. */
  readonly op: string;
  /** Argument arrays. */
  readonly args: readonly SymbolicArray[];
  /** Extents of the array. */
  readonly shape: Shape;
  /** Further data of the operation, besides its arguments. */
  readonly attributes: unknown;
  /** String that identifies the attributes. */
  readonly key: string;
  /** Number of elements. */
  readonly size: number;

  constructor(id: number, op: string, args: readonly SymbolicArray[], shape: Shape, attributes: unknown, key: string) {
    if (typeof op !== "string" || !Array.isArray(shape))
      throw new CompileError("SymbolicArray", "is not made by its constructor; use input(…) or toArray(…)", "COMPILE_OPERAND");
    this.id = id;
    this.op = op;
    this.args = args;
    this.shape = shape;
    this.attributes = attributes;
    this.key = key;
    this.size = sizeOf(shape);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Always throws an error, because a symbolic array has no numbers yet. The error suggests shape[0]. */
  get length(): never {
    throw usedAsNumber(this, "its length was asked for", "use shape[0]");
  }

  [Symbol.toPrimitive](hint: string): never {
    const how = hint === "string" ? "was written into a string" : "was used as a number (in arithmetic, a comparison or Math.…)";
    throw usedAsNumber(this, how, "use add, mul, less, where … of the compiler instead");
  }

  [Symbol.iterator](): never {
    throw usedAsNumber(this, "was iterated over", "use slice, sum or scan instead");
  }
}

const interned = new Interned<SymbolicArray>();
let nextId = 0;

/**
 * Returns the only node with these parts; `key` identifies the attributes. Only primitives call this function; all
 * other code calls builders.
 */
export function internArray(
  op: string,
  args: readonly SymbolicArray[],
  shape: Shape,
  attributes: unknown,
  key: string,
): SymbolicArray {
  const whole = `${op}|${args.map((a) => a.id).join(",")}|${shape.join(",")}|${key}`;
  const known = interned.get(whole);
  if (known) return known;
  const node = new SymbolicArray(nextId++, op, Object.freeze([...args]), Object.freeze([...shape]), attributes, key);
  interned.set(whole, node);
  return node;
}

/**
 * Applies the same operation to other arguments. The new arguments must have the same shapes and values as the original
 * arguments.
 */
export const withArguments = ({ op, shape, attributes, key }: SymbolicArray, args: readonly SymbolicArray[]): SymbolicArray =>
  internArray(op, args, shape, attributes, key);

/** An input of a program, by name. */
export function input(name: string, shape: Shape): SymbolicArray {
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 1)
      throw new CompileError(
        `input "${name}"`,
        `shape is ${shapeText(shape)}, but every extent must be a whole number from 1 on${userLine()}`,
        "COMPILE_SHAPE",
      );
  }
  return internArray("input", [], shape, name, name);
}

/** Whether a value is a symbolic array. */
export const isArray = (x: unknown): x is SymbolicArray => x instanceof SymbolicArray;

/** Number of elements of an array of this shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
/** A shape as text: "[2, 3]". */
export const shapeText = (shape: Shape): string => `[${shape.join(", ")}]`;
/** Whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/**
 * Returns the shape to which all given shapes broadcast. The shapes are aligned at the last axis, and aligned extents
 * must be equal or 1.
 * @throws CompileError if there is none
 */
export function broadcastShapes(where: string, shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === extent) continue;
      if (extent !== 1)
        throw shapeError(
          where,
          `shapes ${shapes.map(shapeText).join(" and ")} do not broadcast: ${extent} and ${own} on axis ${axis}`,
        );
      extent = own;
    }
    return extent;
  });
}

/**
 * Returns the axis as a number from 0 to rank − 1. Negative axes count from the end.
 * @throws CompileError if the axis is out of range
 */
export function axisOf(where: string, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && at >= 0 && at < rank) return at;
  throw shapeError(where, `axis is ${axis}, but the array has ${rank} ${rank === 1 ? "axis" : "axes"}`);
}

export function shapeError(where: string, message: string): CompileError {
  return new CompileError(where, `${message}${userLine()}`, "COMPILE_SHAPE");
}

/** Returns all nodes below the roots, including the roots, arguments before their users. */
export const arraysBelow = (roots: readonly SymbolicArray[]): SymbolicArray[] => nodesBelow(roots);

/** Returns a node as written in errors: "add [64, 10]". */
export const nodeText = (node: SymbolicArray): string => {
  assert(node instanceof SymbolicArray, "a node was expected");
  return `${nameOf(node)} ${shapeText(node.shape)}`;
};

/** Returns the operation as the user wrote it: "exp", not "map". */
function nameOf({ op, attributes }: SymbolicArray): string {
  if (op === "input") return `"${String(attributes)}"`;
  if (op === "map") return (attributes as { op: string }).op;
  return op === "reduce" ? (attributes as { kind: string }).kind : op;
}

function usedAsNumber(node: SymbolicArray, how: string, instead: string): CompileError {
  return new CompileError(
    "trace",
    `the symbolic array ${nodeText(node)} ${how}, but it has no value while the program is traced; ${instead}${userLine()}`,
    "COMPILE_VALUE",
  );
}
