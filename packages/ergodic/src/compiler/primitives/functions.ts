/**
 * √, exp, log and their kin. Own SIMD code (functions/): the same bits in every lane, in scalar code and on every machine, within
 * the bounds stated there. The reference evaluation is that of the JavaScript engine, except where its `**` departs from IEEE 754.
 */
import { constant, type Expr, type ExprLike, isConstant } from "../expression.ts";
import { type Primitive, primitive } from "../primitive.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { abs, equal, where } from "./selection.ts";

const [POWER, ATOM] = [7, 9];

function called(name: string, cost: number, rest: Pick<Primitive, "reference" | "simplify" | "derivative" | "print">) {
  return primitive({ name, cost, code: (m, ...args) => m.call(name, ...args), ...rest });
}

export const sqrt: (x: ExprLike) => Expr = primitive({
  name: "sqrt",
  reference: Math.sqrt,
  simplify: (x) => (x.op === "square" ? abs(x.args[0]) : null),
  derivative: (adjoint, node) => div(mul(0.5, adjoint), node),
  print: { strength: ATOM, needs: [ATOM], write: (x) => `√${x}` },
  cost: 1,
  code: (m, x) => m.sqrt(x),
});

export const exp: (x: ExprLike) => Expr = called("exp", 26, {
  reference: Math.exp,
  derivative: (adjoint, node) => mul(adjoint, node),
});

/** NaN below 0, −∞ at ±0. */
export const log: (x: ExprLike) => Expr = called("log", 34, {
  reference: Math.log,
  simplify: (x) => (x.op === "exp" ? x.args[0] : null),
  derivative: (adjoint, { args: [x] }) => div(adjoint, x),
});

/** log(1 + x), without loss at small x. */
export const log1p: (x: ExprLike) => Expr = called("log1p", 42, {
  reference: Math.log1p,
  derivative: (adjoint, { args: [x] }) => div(adjoint, add(1, x)),
});

/** exp(x) − 1, without loss at small x. */
export const expm1: (x: ExprLike) => Expr = called("expm1", 30, {
  reference: Math.expm1,
  derivative: (adjoint, node) => mul(adjoint, add(node, 1)),
});

export const tanh: (x: ExprLike) => Expr = called("tanh", 36, {
  reference: Math.tanh,
  derivative: (adjoint, node) => mul(adjoint, sub(1, square(node))),
});

/** 1 / (1 + exp(−x)), without overflow. */
export const sigmoid: (x: ExprLike) => Expr = called("sigmoid", 30, {
  reference(x) {
    const z = Math.exp(-Math.abs(x));
    return x < 0 ? z / (1 + z) : 1 / (1 + z);
  },
  derivative: (adjoint, node) => mul(adjoint, mul(node, sigmoid(neg(node.args[0])))),
  print: { strength: ATOM, needs: [0], write: (x) => `σ(${x})` },
});

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|)), without overflow. */
export const softplus: (x: ExprLike) => Expr = called("softplus", 72, {
  reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  derivative: (adjoint, { args: [x] }) => mul(adjoint, sigmoid(x)),
});

/** IEEE 754 pow: 1 whenever a is 1 or b is 0, even with NaN; NaN for a < 0 unless b is an integer. */
export const pow: (a: ExprLike, b: ExprLike) => Expr = called("pow", 150, {
  reference: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  simplify(a, b) {
    if (isConstant(b, 0)) return a.rank === 0 ? constant(1) : null;
    if (isConstant(b, 1)) return a;
    if (isConstant(b, 2)) return square(a);
    if (isConstant(b, 0.5)) return sqrt(a);
    if (isConstant(b, -1)) return div(1, a);
    return null;
  },
  derivative(adjoint, node, i) {
    const [a, b] = node.args;
    if (i === 0) return mul(adjoint, mul(b, pow(a, sub(b, 1))));
    return where(equal(a, 0), 0, mul(adjoint, mul(node, log(a))));
  },
  print: { strength: POWER, needs: [POWER + 1, POWER + 1], write: (a, b) => `${a}^${b}` },
});

export const cos: (x: ExprLike) => Expr = called("cos", 50, {
  reference: Math.cos,
  simplify: (x) => (x.op === "neg" ? cos(x.args[0]) : null),
  derivative: (adjoint, { args: [x] }) => neg(mul(adjoint, sin(x))),
});

export const sin: (x: ExprLike) => Expr = called("sin", 50, {
  reference: Math.sin,
  simplify: (x) => (x.op === "neg" ? neg(sin(x.args[0])) : null),
  derivative: (adjoint, { args: [x] }) => mul(adjoint, cos(x)),
});
