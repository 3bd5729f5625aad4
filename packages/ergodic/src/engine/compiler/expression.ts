/**
 * Expressions of the element-wise programs: immutable, hash-consed nodes of rank 0 (a scalar) or 1 (a vector over the
 * running index i = 0 … n−1). Equal expressions are the same object, so `===` compares them and shared parts are
 * computed once.
 *
 * Leaves are defined here; every operation is in primitives/ with its builder, rules and code. A scalar combined with a
 * vector is broadcast. Conditions are numbers: 0 is false, everything else (including NaN) is true; comparisons return
 * 0 or 1.
 */
import { assert, CompileError } from "../errors/errors.ts";
import { shown } from "../errors/shown.ts";
import { Interned } from "./interned.ts";
import { nodesBelow } from "./walk.ts";

/**
 * An expression over numbers (rank 0) and vectors (rank 1), in which rules and losses are written. Made by builders
 * such as add() and exp().
 */
export interface Expr {
  /** Identifier that increases with construction: arguments always have smaller ids than the nodes that use them. */
  readonly id: number;
  /** Operation: "constant", "scalar", "vector", "index", "count", or the name of a primitive or reduction. */
  readonly op: string;
  /** Arguments of the operation. */
  readonly args: readonly Expr[];
  /** Rank. 0: one number; 1: one number per element. */
  readonly rank: 0 | 1;
  /** Name of a scalar or vector. */
  readonly name: string;
  /** Value of a constant. */
  readonly value: number;
}

/** Argument of a builder. */
export type ExprLike = Expr | number;

const interned = new Interned<Expr>();
let nextId = 0;

/**
 * Returns the one node with these parts. Only primitives call it; all other code calls builders, which simplify first.
 */
export function intern(op: string, args: readonly Expr[], rank: 0 | 1, name = "", value = 0): Expr {
  const key = `${op}|${args.map((a) => a.id).join(",")}|${name}|${Object.is(value, -0) ? "-0" : value}`;
  const known = interned.get(key);
  if (known) {
    assert(known.rank === rank, `${op} was interned with rank ${known.rank}, now ${rank}`);
    return known;
  }
  const node: Expr = Object.freeze({ id: nextId++, op, args: Object.freeze([...args]), rank, name, value });
  interned.set(key, node);
  return node;
}

/** A number as an expression. */
export const constant = (value: number): Expr => intern("constant", [], 0, "", value);

/** A float64 input of the program, by name. */
export function scalar(name: string): Expr {
  if (typeof name === "string") return intern("scalar", [], 0, name);
  throw new CompileError("scalar", `the name is ${shown(name)}, but must be a string`, "COMPILE_OPERAND");
}

/** An operand of the program, by name. The value of a vector is its stored element i (or indices[i]). */
export const vector = (name: string): Expr => intern("vector", [], 1, name);

/** The running index 0, 1, 2 …. Even with indexed operands, this index is the position i, not indices[i]. */
export const index = (): Expr => intern("index", [], 1);

/** The number n of elements. */
export const count = (): Expr => intern("count", [], 0);

/** Converts numbers to constants. */
export function toExpr(x: ExprLike): Expr {
  if (typeof x === "number") return constant(x);
  if (x && typeof x === "object" && typeof x.op === "string") return x;
  throw new CompileError(
    "expression",
    `got ${x === null ? "null" : typeof x}, wanted an expression or a number; an input named by the rule may be missing`,
    "COMPILE_OPERAND",
  );
}

/** Returns whether an expression is a constant. If `value` is given, returns whether it is that constant. */
export const isConstant = (x: Expr, value?: number): boolean => x.op === "constant" && (value === undefined || x.value === value);

/** Returns all nodes below the roots, including the roots, arguments before their users. */
export const nodesOf = (roots: readonly Expr[]): Expr[] => nodesBelow(roots);
