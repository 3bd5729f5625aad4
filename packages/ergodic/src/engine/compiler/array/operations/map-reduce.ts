/**
 * Element-wise functions and reductions. Broadcasting and summing are adjoints of each other: broadcasting repeats
 * elements, and summing adds the copies.
 *
 * map: y[i] = f(x₀[i], x₁[i], …) with broadcasting. f is an expression (expression.ts) of the scalars "0", "1", …; two
 * maps are fused by substituting one expression into another. An element-wise primitive that is given an array builds a
 * map.
 * reduce: sum, maximum or minimum over adjacent axes, which are removed from the result. NaN if any element is NaN. If
 * several elements equal the extreme value, they share the derivative.
 */

import { assert } from "../../../errors/errors.ts";
import { gradients } from "../../derive.ts";
import { evaluateScalar } from "../../evaluate.ts";
import { constant, type Expr, scalar } from "../../expression.ts";
import type { OnArrays } from "../../primitive.ts";
import { div, mul } from "../../primitives/arithmetic.ts";
import { equal } from "../../primitives/selection.ts";
import { print } from "../../print.ts";
import { inputsOf, substitute } from "../../rebuild.ts";
import { arrays, expression, operand, operation, optional, shape } from "../../signature.ts";
import { noteCondition, noteUse } from "../conditions.ts";
import { arrayPrimitive } from "../primitive.ts";
import {
  type ArrayLikeOperand,
  axisOf,
  broadcastShapes,
  type Shape,
  type SymbolicArray,
  sameShape,
  shapeError,
  shapeText,
  sizeOf,
  stridesOf,
} from "../symbolic.ts";
import { full, toArray } from "./constants.ts";
import { reshape } from "./reshape.ts";

const makeMap = arrayPrimitive({
  name: "map",
  evaluate(node, args) {
    const expr = expressionOf(node);
    const at = node.args.map((arg) => broadcastIndex(arg.shape, node.shape));
    const scalars: Record<string, number> = {};
    return Float64Array.from({ length: node.size }, (_, i) => {
      for (let k = 0; k < args.length; k++) scalars[k] = args[k][at[k](i)];
      return evaluateScalar(expr, { scalars });
    });
  },
  derivative(adjoint, node, i) {
    const expr = expressionOf(node);
    const [slope] = gradients(expr, [scalar(String(i))], scalar("a"));
    // Reuses the result, so that a derivative such as that of e^x does not compute e^x again.
    const reused = substitute(slope, new Map<Expr, Expr>([[expr, scalar("r")]]));
    const flow = mapNamed(reused, { ...byPosition(node.args), a: adjoint, r: node }, node.shape);
    return sumTo(flow, node.args[i].shape);
  },
  rebuild: (node, args) => mapArrays(expressionOf(node), args, node.shape),
  describe: (node) => print(expressionOf(node)),
  code: { form: "loop" },
});

export const expressionOf = (node: SymbolicArray): Expr => {
  assert(node.op === "map", `${node.op} has no expression`);
  return node.attributes as Expr;
};

/**
 * Maps an expression over arrays: `expr` uses the scalars "0", "1", …. The default shape is the one to which the
 * arguments broadcast.
 */
export const mapArrays = operation(
  "mapArrays",
  { expr: expression, args: arrays, shape: optional(shape) },
  (expr: Expr, args: readonly SymbolicArray[], shape?: Shape): SymbolicArray => {
    return mapNamed(
      expr,
      byPosition(args),
      shape ??
        broadcastShapes(
          "map",
          args.map((a) => a.shape),
        ),
    );
  },
);

const byPosition = (args: readonly SymbolicArray[]): Record<string, SymbolicArray> =>
  Object.fromEntries(args.map((arg, i) => [String(i), arg]));

/** Same as `mapArrays`, but the arguments are passed by the names of their scalars. */
export function mapNamed(expr: Expr, args: Readonly<Record<string, SymbolicArray>>, shape: Shape): SymbolicArray {
  const constants: Record<string, Expr> = {};
  for (const [name, arg] of Object.entries(args)) if (arg.op === "full") constants[name] = constant(arg.attributes as number);
  const folded = substitute(expr, constants);
  const used = inputsOf([folded]).scalars;
  const distinct = [...new Set(used.map((name) => args[name]))];
  const renamed = Object.fromEntries(used.map((name) => [name, scalar(String(distinct.indexOf(args[name])))]));
  const whole = substitute(folded, renamed);
  if (whole.op === "constant") return full(whole.value, shape);
  // The remaining argument is found by its name, because its position can be wrong: arguments can drop out of the
  // expression if two of them are the same array.
  if (whole.op === "scalar") {
    const only = distinct[Number(whole.name)];
    return sameShape(only.shape, shape) ? only : makeMap([only], shape, scalar("0"), String(scalar("0").id));
  }
  return makeMap(distinct, shape, whole, String(whole.id));
}

/** Applies the element-wise primitive `build` to arrays and numbers; `where` names it in errors. */
export function elementwise(where: string, build: (...args: Expr[]) => Expr, given: readonly unknown[]): SymbolicArray {
  const args = given.map((x) => toArray(x as ArrayLikeOperand));
  const shape = broadcastShapes(
    where,
    args.map((a) => a.shape),
  );
  noteUse(args);
  const node = mapArrays(build(...args.map((_, i) => scalar(String(i)))), args, shape);
  noteCondition(node, where);
  return node;
}

/** Implementation of element-wise functions and reductions on arrays. */
export const onArrays: OnArrays = {
  elementwise,
  reduced(name, x, options) {
    const { axis, keep } = options;
    const axes = axis === undefined ? x.shape.map((_, i) => i) : typeof axis === "number" ? [axis] : axis;
    return reduceAxes(name as ReductionKind, x, axes, keep);
  },
};

/**
 * Repeats x along axes of extent 1, and along new leading axes, to reach a shape.
 * @throws CompileError if it does not fit
 */
export const broadcastTo = operation("broadcastTo", { x: operand, shape }, (x: ArrayLikeOperand, shape: Shape): SymbolicArray => {
  const arg = toArray(x);
  if (!sameShape(broadcastShapes("broadcastTo", [arg.shape, shape]), shape))
    throw shapeError("broadcastTo", `shape ${shapeText(arg.shape)} does not broadcast to ${shapeText(shape)}`);
  return mapArrays(scalar("0"), [arg], shape);
});

/** Returns the row-major index of the element of `shape` at index i of the broadcast shape. */
function broadcastIndex(shape: Shape, to: Shape): (i: number) => number {
  if (sameShape(shape, to)) return (i) => i;
  if (sizeOf(shape) === 1) return () => 0;
  const own = stridesOf(shape);
  const outer = stridesOf(to);
  return (i) => {
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const place = axis + to.length - shape.length;
      if (shape[axis] > 1) at += (Math.floor(i / outer[place]) % to[place]) * own[axis];
    }
    return at;
  };
}

export type ReductionKind = "sum" | "maximum" | "minimum";

export interface Reduce {
  readonly kind: ReductionKind;
  /** Range of axes [from, to). */
  readonly from: number;
  readonly to: number;
}

const START: Record<ReductionKind, number> = { sum: 0, maximum: -Infinity, minimum: Infinity };
const COMBINE: Record<ReductionKind, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  maximum: Math.max,
  minimum: Math.min,
};

const makeReduce = arrayPrimitive({
  name: "reduce",
  evaluate(node, [x]) {
    const { kind, from, to } = node.attributes as Reduce;
    const { shape } = node.args[0];
    const inner = sizeOf(shape.slice(to));
    const reduced = sizeOf(shape.slice(from, to));
    return Float64Array.from({ length: node.size }, (_, i) => {
      const start = Math.floor(i / inner) * reduced * inner + (i % inner);
      let total = START[kind];
      for (let r = 0; r < reduced; r++) total = COMBINE[kind](total, x[start + r * inner]);
      return total;
    });
  },
  derivative(adjoint, node) {
    const { kind, from, to } = node.attributes as Reduce;
    const [x] = node.args;
    const spread = (a: SymbolicArray): SymbolicArray => broadcastTo(withOnes(a, from, to), x.shape);
    if (kind === "sum") return spread(adjoint);
    const mask = mapArrays(equal(scalar("0"), scalar("1")), [x, withOnes(node, from, to)], x.shape);
    const count = withOnes(reduce("sum", mask, from, to), from, to);
    const share = mapArrays(div(scalar("0"), scalar("1")), [withOnes(adjoint, from, to), count]);
    return mapArrays(mul(scalar("0"), scalar("1")), [mask, share], x.shape);
  },
  rebuild(node, [x]) {
    const { kind, from, to } = node.attributes as Reduce;
    return reduce(kind, x, from, to);
  },
  describe(node) {
    const { kind, from, to } = node.attributes as Reduce;
    return `${kind} over ${to === from + 1 ? `axis ${from}` : `axes ${from} to ${to - 1}`}`;
  },
  code: { form: "loop" },
});

/** Reduces over axes [from, to). */
export function reduce(kind: ReductionKind, x: SymbolicArray, from: number, to: number): SymbolicArray {
  const shape = [...x.shape.slice(0, from), ...x.shape.slice(to)];
  const count = sizeOf(x.shape.slice(from, to));
  if (count === 1) return reshape(x, shape);
  if (x.op === "full") return full((x.attributes as number) * (kind === "sum" ? count : 1), shape);
  return makeReduce([x], shape, { kind, from, to });
}

/** Reduces over any axes. Each group of adjacent axes needs one reduction. The last run comes first. */
export function reduceAxes(kind: ReductionKind, x: SymbolicArray, axes: readonly number[], keep = false): SymbolicArray {
  const listed = [...new Set(axes.map((a) => axisOf(kind, a, x.rank)))].sort((a, b) => a - b);
  let made = x;
  for (let end = listed.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && listed[start - 1] === listed[start] - 1) start--;
    made = reduce(kind, made, listed[start], listed[end - 1] + 1);
    end = start;
  }
  return keep
    ? reshape(
        made,
        x.shape.map((n, axis) => (listed.includes(axis) ? 1 : n)),
      )
    : made;
}

/** Adjoint of broadcasting: sums over the axes along which `shape` was repeated. */
export function sumTo(x: SymbolicArray, shape: Shape): SymbolicArray {
  if (sameShape(x.shape, shape)) return x;
  const added = x.rank - shape.length;
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis < added || (shape[axis - added] === 1 && x.shape[axis] > 1));
  return reshape(reduceAxes("sum", x, axes), shape);
}

/** Inserts extents of 1 at the reduced axes. */
function withOnes(reduced: SymbolicArray, from: number, to: number): SymbolicArray {
  const ones = new Array<number>(to - from).fill(1);
  return reshape(reduced, [...reduced.shape.slice(0, from), ...ones, ...reduced.shape.slice(from)]);
}
