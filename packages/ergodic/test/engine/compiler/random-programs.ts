/**
 * Generates random programs for property tests. Each step applies an operation to earlier values, so that parts are
 * shared.
 */
import fc from "fast-check";
import * as builders from "../../../src/engine/compiler/index.ts";
import {
  abs,
  add,
  allPrimitives,
  and,
  atan,
  constant,
  cos,
  count,
  digamma,
  div,
  type Expr,
  equal,
  erf,
  erfc,
  exp,
  expm1,
  floor,
  less,
  lessEqual,
  lgamma,
  log,
  log1p,
  max,
  maximum,
  min,
  mul,
  neg,
  nodesOf,
  not,
  or,
  pow,
  primitiveOf,
  reductionOf,
  round,
  scalar,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  trigamma,
  vector,
  where,
} from "../../../src/engine/compiler/index.ts";

type Operation = (x: Expr, y: Expr, z: Expr) => Expr;

/** Every operation without damping, for comparisons to the bit. */
export const ALL: Operation[] = [
  add,
  sub,
  mul,
  div,
  neg,
  square,
  abs,
  sign,
  min,
  max,
  less,
  lessEqual,
  equal,
  and,
  or,
  not,
  where,
  sqrt,
  exp,
  log,
  log1p,
  expm1,
  tanh,
  sigmoid,
  softplus,
  pow,
  floor,
  cos,
  sin,
  atan,
  erf,
  erfc,
  lgamma,
  digamma,
  trigamma,
  round,
  stopGradient,
  add,
  sub,
  mul,
  div,
  add,
  sub,
  mul,
];

/** Smooth operations, restricted to moderate derivatives. */
export const SMOOTH: Operation[] = [
  add,
  sub,
  mul,
  neg,
  add,
  mul,
  (x, y) => div(x, add(1, square(y))),
  (x) => square(tanh(x)),
  (x) => exp(tanh(x)),
  (x) => log(add(1, square(x))),
  (x) => log1p(square(x)),
  (x) => expm1(sin(x)),
  (x) => sqrt(add(0.5, square(x))),
  (x, y) => pow(add(1, square(x)), tanh(y)),
  tanh,
  sigmoid,
  softplus,
  cos,
  sin,
  atan,
  erf,
];

export const REDUCED: Operation[] = [
  ...SMOOTH,
  (x) => div(sum(x), add(count(), 1)),
  (x) => tanh(sum(mul(0.1, x))),
  (x, y) => mul(y, maximum(tanh(x))),
];

/** Builders with one argument, which refuse surplus arguments. */
const UNARY: ReadonlySet<unknown> = new Set(
  allPrimitives().flatMap(({ name, reference }) => (reference.length === 1 ? [(builders as Record<string, unknown>)[name]] : [])),
);
const argumentsOf = (operation: Operation): number => (operation === where ? 3 : UNARY.has(operation) ? 1 : 2);

const LEAVES = (): Expr[] => [vector("a"), vector("b"), vector("a"), scalar("s"), scalar("t"), constant(0.75), constant(-2)];

export interface RandomProgram {
  vector: Expr;
  other: Expr;
  scalar: Expr;
}

/** `vector` and `other` are of rank 1. */
export function programs(operations: Operation[], { steps = 10, leaves = LEAVES() } = {}): fc.Arbitrary<RandomProgram> {
  const step = fc.tuple(fc.nat(operations.length - 1), fc.nat(60), fc.nat(60), fc.nat(60));
  return fc.array(step, { minLength: 1, maxLength: steps }).map((list) => {
    const values = [...leaves];
    // Counts from the end, because recent values matter most.
    const pick = (i: number): Expr => values[values.length - 1 - (i % values.length)];
    for (const [o, i, j, k] of list) {
      const given = [pick(i), pick(j), pick(k)].slice(0, argumentsOf(operations[o]));
      values.push(operations[o](...(given as [Expr, Expr, Expr])));
    }
    const made = values.slice(leaves.length).reverse();
    const last = made.find((v) => v.rank === 1) ?? mul(values[0], made[0]);
    const other = made.filter((v) => v.rank === 1)[1] ?? add(values[1], made[0]);
    return { vector: last, other, scalar: made.find((v) => v.rank === 0) ?? sum(last) };
  });
}

/** Numbers of moderate size. */
export const moderate = (n: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: n, maxLength: n });

/**
 * First-order bounds of the rounding error of each root if every operation and input is off by `unit` of its size.
 * Errors propagate through the derivative of each operation. A sum of n terms loses n units of the sum of sizes.
 */
export function errorBounds(roots: Expr[], unit: number): Expr[] {
  const bounds = new Map<Expr, Expr>();
  for (const node of nodesOf(roots)) {
    const reduced = reductionOf(node);
    const own = mul(unit, abs(node));
    if (reduced) {
      const [arg] = node.args;
      const below = bounds.get(arg)!;
      bounds.set(
        node,
        reduced.name === "sum" ? add(sum(below), mul(mul(unit, count()), sum(abs(arg)))) : add(maximum(below), own),
      );
      continue;
    }
    const through = node.args.flatMap((arg, i) => {
      const slope = primitiveOf(node)!.derivative(constant(1), node, i);
      return slope ? [mul(abs(slope), bounds.get(arg)!)] : [];
    });
    bounds.set(
      node,
      through.reduce<Expr>((a, b) => add(a, b), own),
    );
  }
  return roots.map((root) => bounds.get(root)!);
}
