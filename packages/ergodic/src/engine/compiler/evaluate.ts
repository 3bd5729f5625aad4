import { assert, CompileError } from "../errors/errors.ts";
import { type Expr, nodesOf } from "./expression.ts";
import { primitiveOf, reductionOf } from "./primitive.ts";
import type { ProgramSpec, StorageType } from "./program.ts";

/** Inputs on which an expression is evaluated: vectors and scalars by name. */
export interface Environment {
  /** Vectors by name, all of one length. */
  vectors?: Record<string, ArrayLike<number>>;
  /** Scalars by name. */
  scalars?: Record<string, number>;
  /** Number of elements. Required if no vector determines the number. */
  count?: number;
}

/** Returns an alternative to the reference evaluation of a primitive, or undefined if there is no alternative. */
export type Override = (name: string, precision: "f32" | "f64") => ((...x: number[]) => number) | undefined;

/** Options of the interpreter. */
export interface EvaluateOptions {
  /** Precision of vector values; "f32" rounds them to float32 after each operation. Default "f64". */
  precision?: "f32" | "f64";
  /**
   * Alternative evaluations of primitives. If the functions of compiled modules are used as alternatives, the
   * interpreter gives the same bits as compiled programs, except for the order of sums.
   */
  override?: Override;
}

/**
 * Returns the value of an expression: a number (rank 0) or its elements (rank 1).
 *
 * This interpreter is the reference for compiled programs. The interpreter uses plain loops over float64 arrays, one
 * operation at a time, and sums from the first element to the last. With `precision: "f32"`, vector values and the
 * scalars combined with them are rounded to float32 after each operation, while scalars and reductions stay float64.
 * A compiled f32 program uses the same arithmetic, except for the order of sums and the errors of exp and similar
 * functions.
 *
 * @throws CompileError if an input is missing or lengths differ
 */
export function evaluate(expr: Expr, environment: Environment, options: EvaluateOptions = {}): number | Float64Array {
  return interpret([expr], environment, options).get(expr)!;
}

/**
 * Returns the value of an expression of rank 0.
 * @throws CompileError if an input is missing
 */
export function evaluateScalar(expr: Expr, environment: Environment, options: EvaluateOptions = {}): number {
  const value = evaluate(expr, environment, options);
  assert(typeof value === "number", "evaluateScalar was given a vector");
  return value;
}

/** Returns the elements of an expression; a scalar is broadcast. */
export function evaluateVector(expr: Expr, environment: Environment, options: EvaluateOptions = {}): Float64Array {
  const value = evaluate(expr, environment, options);
  return typeof value === "number" ? new Float64Array(elementCount([expr], environment)).fill(value) : value;
}

/** Inputs of a program: whole operands, scalars, indices. */
export interface ProgramEnvironment {
  /** Whole operands by name, updated in place. */
  vectors: Record<string, Float64Array | Float32Array | Int16Array | Int8Array>;
  /** Scalars by name. */
  scalars?: Record<string, number>;
  /** Indices for operands with indexed access. */
  indices?: ArrayLike<number>;
  /** Number of elements. Required if no operand determines the number. */
  count?: number;
  /** Returns uniform numbers in [0, 1), for stochastic rounding. */
  uniform?: () => number;
  /** Alternative evaluations of primitives. */
  override?: Override;
}

/**
 * Runs a program in the same way as its compiled code: first all loads, then the stores in place. Returns the results
 * by name.
 */
export function evaluateProgram(spec: ProgramSpec, environment: ProgramEnvironment): Record<string, number> {
  const { vectors, indices } = environment;
  const operands = new Map(spec.operands.map((o) => [o.name, o]));
  const roots = [...spec.stores, ...spec.results].map((s) => s.value);
  const used = new Set(
    nodesOf(roots)
      .filter((n) => n.op === "vector")
      .map((n) => n.name),
  );
  const loaded: Record<string, ArrayLike<number>> = {};
  for (const name of used) {
    const operand = operands.get(name);
    if (!operand) throw missing("vector", name);
    if (operand.access === "indexed") {
      if (!indices) throw missing("vector", "indices");
      loaded[name] = Float64Array.from(indices, (i) => vectors[name][i]);
    } else loaded[name] = vectors[name];
  }
  const count = environment.count ?? indices?.length ?? undefined;
  const scope: Environment = { vectors: loaded, scalars: environment.scalars, ...(count === undefined ? {} : { count }) };
  const n = elementCount(roots, scope);
  const values = interpret(roots, { ...scope, count: n }, { precision: spec.precision, override: environment.override });
  for (const { operand: name, value } of spec.stores) {
    const operand = operands.get(name);
    if (!operand) throw missing("vector", name);
    const v = values.get(value)!;
    for (let i = 0; i < n; i++) {
      const x = typeof v === "number" ? v : v[i];
      const rounded = operand.rounding === "stochastic" ? Math.floor(x + (environment.uniform ?? Math.random)()) : x;
      vectors[name][operand.access === "indexed" ? indices![i] : i] = stored(rounded, operand.type);
    }
  }
  return Object.fromEntries(spec.results.map(({ scalar, value }) => [scalar, values.get(value) as number]));
}

/** Rounds to the storage type. Integers: to nearest (ties to even), saturated; NaN becomes 0. */
function stored(x: number, type: StorageType): number {
  if (type === "f64" || type === "f32") return x;
  const limit = type === "i8" ? 127 : 32767;
  if (Number.isNaN(x)) return 0;
  const near = Math.round(x);
  const even = near - x === 0.5 && near % 2 !== 0 ? near - 1 : near;
  return Math.min(limit, Math.max(-limit - 1, even));
}

function missing(kind: string, name: string): CompileError {
  return new CompileError("evaluate", `the ${kind} "${name}" is used but not given; add it to the environment`, "COMPILE_INPUT");
}

const orders = new WeakMap<Expr, readonly Expr[]>();

/**
 * Returns `nodesOf`. Results for single expressions are cached, because an array evaluates the same expression for each
 * of its elements.
 */
function inOrder(roots: readonly Expr[]): readonly Expr[] {
  if (roots.length !== 1) return nodesOf(roots);
  const known = orders.get(roots[0]);
  if (known) return known;
  const made = nodesOf(roots);
  orders.set(roots[0], made);
  return made;
}

function elementCount(roots: readonly Expr[], { vectors = {}, count }: Environment): number {
  let n = count;
  for (const { op, name } of inOrder(roots)) {
    if (op !== "vector") continue;
    const length = vectors[name]?.length;
    if (length === undefined) throw missing("vector", name);
    if (n !== undefined && (count === undefined ? length !== n : length < n)) {
      throw new CompileError(
        "evaluate",
        `"${name}" has ${length} elements where ${n} are wanted; give equal lengths`,
        "COMPILE_LENGTH",
      );
    }
    n ??= length;
  }
  return n ?? 0;
}

function interpret(
  roots: readonly Expr[],
  environment: Environment,
  { precision = "f64", override }: EvaluateOptions,
): Map<Expr, number | Float64Array> {
  const { vectors = {}, scalars = {} } = environment;
  const n = elementCount(roots, environment);
  const round = precision === "f32" ? Math.fround : (x: number) => x;
  const values = new Map<Expr, number | Float64Array>();
  for (const node of inOrder(roots)) values.set(node, evaluateNode(node));
  return values;

  function evaluateNode(node: Expr): number | Float64Array {
    const { op, name, args } = node;
    if (op === "constant") return node.value;
    if (op === "count") return n;
    if (op === "index") return Float64Array.from({ length: n }, (_, i) => round(i));
    if (op === "scalar") {
      if (!(name in scalars)) throw missing("scalar", name);
      return scalars[name];
    }
    if (op === "vector") return Float64Array.from({ length: n }, (_, i) => round(vectors[name][i]));
    const given = args.map((a) => values.get(a)!);
    const folding = reductionOf(node);
    if (folding) return (given[0] as Float64Array).reduce((total, x) => folding.combine(total, x), folding.start);
    const entry = primitiveOf(node);
    assert(entry, `no primitive is named ${op}`);
    const apply = override?.(op, node.rank === 0 ? "f64" : precision) ?? entry.reference;
    if (node.rank === 0) return apply(...(given as number[]));
    const at = given.map((x) =>
      typeof x === "number"
        ? (
            (y) => () =>
              y
          )(round(x))
        : (i: number) => x[i],
    );
    return Float64Array.from({ length: n }, (_, i) => round(apply(...at.map((x) => x(i)))));
  }
}
