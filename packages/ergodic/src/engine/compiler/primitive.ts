import { assert } from "../errors/errors.ts";
import type { AxisOptions } from "./array/chained.ts";
import { type ArrayLikeOperand, isArray, type SymbolicArray } from "./array/symbolic.ts";
import { constant, type Expr, type ExprLike, intern, toExpr } from "./expression.ts";
import type { Lanes, Value } from "./machine/lanes.ts";
import { axisOptions, checkArgument, checkCount, checkedItself, element, operand } from "./signature.ts";

export interface Primitive {
  readonly name: string;
  /** Evaluates the primitive in float64. An f32 program rounds the result to float32. */
  reference(...x: number[]): number;
  /** Returns a simpler equal expression, or null. Rules hold for finite values: x·0 is 0, x − x is 0. */
  simplify?(...args: Expr[]): Expr | null;
  /** Returns adjoint · ∂node/∂args[i]; null if it is zero. */
  derivative(adjoint: Expr, node: Expr, i: number): Expr | null;
  /** Print form. Default "prefix(a, b)". Binding strengths are defined in print.ts. */
  readonly print?: PrintForm;
  /**
   * Whether the builder of a function of two arguments accepts more arguments. More arguments are combined from the
   * left: f(f(a, b), c).
   */
  readonly chains?: boolean;
  /** Machine operations per element. */
  readonly cost: number;
  /** Whether the result is always 0 or 1, so that code represents it as a mask. */
  readonly condition?: boolean;
  /** Positions of the arguments that are read as conditions. */
  readonly conditions?: readonly number[];
  /** Emits the same operations for float64x2, float32x4 and scalars, depending on `lanes`. */
  code(lanes: Lanes, ...args: Value[]): Value;
}

/**
 * Print form of a node, made from its printed arguments. Argument i is bracketed if it binds more weakly than
 * `needs[i]`.
 */
export interface PrintForm {
  readonly strength: number;
  readonly needs: readonly number[];
  write(...args: string[]): string;
}

export interface Reduction {
  readonly name: string;
  readonly start: number;
  combine(accumulated: number, x: number): number;
  /** Returns the reduction of n equal values, which can be computed without a pass. */
  ofScalar(x: Expr): Expr;
  derivative(adjoint: Expr, node: Expr): Expr | null;
  readonly symbol: string;
}

const primitives = new Map<string, Primitive>();
const reductions = new Map<string, Reduction>();
const builders = new Map<string, (...args: ExprLike[]) => Expr>();

/** Returns the element-wise primitive of a node, if it is one. */
export const primitiveOf = (node: Expr): Primitive | undefined => primitives.get(node.op);
/** Returns the reduction of a node, if it is one. */
export const reductionOf = (node: Expr): Reduction | undefined => reductions.get(node.op);
/** Returns every element-wise primitive; conformance tests iterate over this list. */
export const allPrimitives = (): Primitive[] => [...primitives.values()];

/**
 * Builders accept either symbols of rules and losses or symbolic arrays. The result is of the same kind as the
 * arguments.
 */
export interface Unary {
  (x: ExprLike): Expr;
  (x: SymbolicArray): SymbolicArray;
}
export interface Binary {
  (a: ExprLike, b: ExprLike): Expr;
  (a: SymbolicArray, b: ArrayLikeOperand): SymbolicArray;
  (a: ArrayLikeOperand, b: SymbolicArray): SymbolicArray;
  (a: ArrayLikeOperand, b: ArrayLikeOperand): SymbolicArray;
}
/** Builder of two or more arguments, which are combined from the left. */
export interface Chain {
  (a: ExprLike, b: ExprLike, ...more: ExprLike[]): Expr;
  (a: SymbolicArray, b: ArrayLikeOperand, ...more: ArrayLikeOperand[]): SymbolicArray;
  (a: ArrayLikeOperand, b: SymbolicArray, ...more: ArrayLikeOperand[]): SymbolicArray;
  (a: ArrayLikeOperand, b: ArrayLikeOperand, ...more: ArrayLikeOperand[]): SymbolicArray;
}
export interface Ternary {
  (a: ExprLike, b: ExprLike, c: ExprLike): Expr;
  (a: ArrayLikeOperand, b: ArrayLikeOperand, c: ArrayLikeOperand): SymbolicArray;
}
export interface Builder extends Unary, Binary, Chain, Ternary {}

export interface Reducer {
  (v: ExprLike): Expr;
  (x: SymbolicArray, options?: AxisOptions): SymbolicArray;
}

/**
 * Implementation of primitives and reductions on arrays. array/operations/map-reduce.ts defines it, because that file
 * depends on this one.
 */
export interface OnArrays {
  elementwise(name: string, build: (...args: Expr[]) => Expr, given: readonly unknown[]): SymbolicArray;
  reduced(name: string, x: SymbolicArray, options: AxisOptions): SymbolicArray;
}
let onArrays: OnArrays | undefined;

export function extendToArrays(how: OnArrays): void {
  onArrays = how;
}

/**
 * Registers a primitive and returns its builder, which folds constants, applies the simplification rules and interns
 * the node.
 *
 * A primitive is one entry with its reference evaluation, rules, derivative, print form, cost and code. Entries are
 * made in primitives/ by `primitive()` (element-wise) and `reduction()`.
 */
export function primitive(entry: Primitive): Builder {
  assert(!primitives.has(entry.name), `the primitive ${entry.name} is defined twice`);
  primitives.set(entry.name, entry);
  const { name, chains = false } = entry;
  const arity = entry.reference.length;
  const names = [["x"], ["a", "b"], ["condition", "yes", "no"]][arity - 1];
  const build = (...given: ExprLike[]): Expr => {
    const args = given.map(toExpr);
    assert(args.length === arity, `${name} was built of ${args.length} arguments`);
    if (args.every((a) => a.op === "constant")) return constant(entry.reference(...args.map((a) => a.value)));
    return entry.simplify?.(...args) ?? intern(entry.name, args, args.some((a) => a.rank === 1) ? 1 : 0);
  };
  builders.set(entry.name, build);
  const any = (...given: (ExprLike | SymbolicArray)[]): Expr | SymbolicArray => {
    checkCount(name, given, chains ? [...names, "…"] : names, arity, chains ? Infinity : arity);
    const onArray = given.some(isArray);
    for (let i = 0; i < given.length; i++)
      checkArgument(name, names[i] ?? `argument ${i + 1}`, onArray ? operand : element, given[i], given);
    const join = onArray ? onArraysOf(name, build) : (build as (...args: unknown[]) => Expr);
    if (!chains) return join(...given);
    return given.slice(2).reduce<unknown>((made, next) => join(made, next), join(given[0], given[1])) as Expr | SymbolicArray;
  };
  return checkedItself(name, any as Builder);
}

const onArraysOf = (name: string, build: (...args: Expr[]) => Expr) => {
  assert(onArrays, "the primitives on arrays are not loaded");
  const { elementwise } = onArrays;
  return (...given: unknown[]): SymbolicArray => elementwise(name, build, given);
};

export function reduction(entry: Reduction): Reducer {
  assert(!reductions.has(entry.name), `the reduction ${entry.name} is defined twice`);
  reductions.set(entry.name, entry);
  const build = (given: ExprLike): Expr => {
    const v = toExpr(given);
    return v.rank === 0 ? entry.ofScalar(v) : intern(entry.name, [v], 0);
  };
  builders.set(entry.name, build);
  const any = (...given: [of: ExprLike | SymbolicArray, options?: AxisOptions]): Expr | SymbolicArray => {
    const [of, options = {}] = given;
    const { name } = entry;
    checkCount(name, given, isArray(of) ? ["x", "options"] : ["x"], 1, isArray(of) ? 2 : 1, [operand, axisOptions]);
    if (!isArray(of)) {
      checkArgument(name, "x", element, of, given);
      return build(of);
    }
    checkArgument(name, "options", axisOptions, options, given);
    assert(onArrays, "the primitives on arrays are not loaded");
    return onArrays.reduced(name, of, options);
  };
  return checkedItself(entry.name, any as Reducer);
}

/** Applies the same operation to other arguments, through its builder. Leaves are returned unchanged. */
export function rebuild(node: Expr, args: readonly Expr[]): Expr {
  if (args.length === 0 || args.every((a, i) => a === node.args[i])) return node;
  const build = builders.get(node.op);
  assert(build, `no primitive is named ${node.op}`);
  return build(...args);
}
