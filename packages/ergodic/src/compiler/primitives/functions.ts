/**
 * √, exp, log and their kin. Own SIMD code (functions/): the same bits in every lane, in scalar code and on every machine, within
 * the bounds stated there. The reference evaluation is that of the JavaScript engine, except where its `**` departs from IEEE 754, or
 * that of base/ where it has none.
 */
import { arctangent } from "../../base/arctangent.ts";
import { cosine, sine } from "../../base/cosine-sine.ts";
import * as errorFunction from "../../base/error-function.ts";
import { CompileError } from "../../base/errors.ts";
import { expm1 as expm1Of, exp as expOf } from "../../base/exp.ts";
import * as gamma from "../../base/gamma.ts";
import { log1p as log1pOf, log as logOf } from "../../base/log.ts";
import { power } from "../../base/power.ts";
import { constant, type Expr, isConstant } from "../expression.ts";
import { type Binary, type Primitive, primitive, type Unary } from "../primitive.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { abs, equal, where } from "./selection.ts";

const [POWER, ATOM] = [7, 9];

function called(name: string, cost: number, rest: Pick<Primitive, "reference" | "simplify" | "derivative" | "print">) {
  return primitive({ name, cost, code: (m, ...args) => m.call(name, ...args), ...rest });
}

/** √x, element by element; NaN below 0. */
export const sqrt: Unary = primitive({
  name: "sqrt",
  reference: Math.sqrt,
  simplify: (x) => (x.op === "square" ? abs(x.args[0]) : null),
  derivative: (adjoint, node) => div(mul(0.5, adjoint), node),
  print: { strength: ATOM, needs: [ATOM], write: (x) => `√${x}` },
  cost: 1,
  code: (m, x) => m.sqrt(x),
});

/** eˣ, element by element. */
export const exp: Unary = called("exp", 26, {
  reference: expOf,
  derivative: (adjoint, node) => mul(adjoint, node),
});

/** NaN below 0, −∞ at ±0. */
export const log: Unary = called("log", 34, {
  reference: logOf,
  simplify: (x) => (x.op === "exp" ? x.args[0] : null),
  derivative: (adjoint, { args: [x] }) => div(adjoint, x),
});

/** log(1 + x), without loss at small x. */
export const log1p: Unary = called("log1p", 42, {
  reference: log1pOf,
  derivative: (adjoint, { args: [x] }) => div(adjoint, add(1, x)),
});

/** exp(x) − 1, without loss at small x. */
export const expm1: Unary = called("expm1", 30, {
  reference: expm1Of,
  derivative: (adjoint, node) => mul(adjoint, add(node, 1)),
});

/** The hyperbolic tangent, element by element. */
export const tanh: Unary = called("tanh", 36, {
  reference(x) {
    const z = expm1Of(-2 * Math.abs(x));
    return x === 0 ? x : x < 0 ? z / (2 + z) : -z / (2 + z);
  },
  derivative: (adjoint, node) => mul(adjoint, sub(1, square(node))),
});

/** 1 / (1 + exp(−x)), without overflow. */
export const sigmoid: Unary = called("sigmoid", 30, {
  reference(x) {
    const z = expOf(-Math.abs(x));
    return x < 0 ? z / (1 + z) : 1 / (1 + z);
  },
  derivative: (adjoint, node) => mul(adjoint, mul(node, sigmoid(neg(node.args[0])))),
  print: { strength: ATOM, needs: [0], write: (x) => `σ(${x})` },
});

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|)), without overflow. */
export const softplus: Unary = called("softplus", 72, {
  reference: (x) => Math.max(x, 0) + log1pOf(expOf(-Math.abs(x))),
  derivative: (adjoint, { args: [x] }) => mul(adjoint, sigmoid(x)),
});

/** IEEE 754 pow: 1 whenever a is 1 or b is 0, even with NaN; NaN for a < 0 unless b is an integer. */
export const pow: Binary = called("pow", 150, {
  reference: power,
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

/** The cosine of x radians, element by element. */
export const cos: Unary = called("cos", 50, {
  reference: cosine,
  simplify: (x) => (x.op === "neg" ? cos(x.args[0]) : null),
  derivative: (adjoint, { args: [x] }) => neg(mul(adjoint, sin(x))),
});

/** The sine of x radians, element by element. */
export const sin: Unary = called("sin", 50, {
  reference: sine,
  simplify: (x) => (x.op === "neg" ? neg(sin(x.args[0])) : null),
  derivative: (adjoint, { args: [x] }) => mul(adjoint, cos(x)),
});

/** The arctangent in radians, element by element. */
export const atan: Unary = called("atan", 36, {
  reference: arctangent,
  simplify: (x) => (x.op === "neg" ? neg(atan(x.args[0])) : null),
  derivative: (adjoint, { args: [x] }) => div(adjoint, add(1, square(x))),
});

/** 2/√π·e^(−x²), the slope of erf. */
const errorSlope = (x: Expr): Expr => mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))));

/** 2/√π·∫₀ˣ e^(−t²) dt. */
export const erf: Unary = called("erf", 100, {
  reference: errorFunction.erf,
  simplify: (x) => (x.op === "neg" ? neg(erf(x.args[0])) : null),
  derivative: (adjoint, { args: [x] }) => mul(adjoint, errorSlope(x)),
});

/** 1 − erf(x), without loss where erf(x) is near 1. */
export const erfc: Unary = called("erfc", 100, {
  reference: errorFunction.erfc,
  derivative: (adjoint, { args: [x] }) => neg(mul(adjoint, errorSlope(x))),
});

/** log|Γ(x)|; ∞ at 0, −1, −2, …. */
export const lgamma: Unary = called("lgamma", 180, {
  reference: gamma.lgamma,
  derivative: (adjoint, { args: [x] }) => mul(adjoint, digamma(x)),
});

/** ψ(x), the derivative of lgamma; ∓∞ at ±0, NaN at −1, −2, …. */
export const digamma: Unary = called("digamma", 140, {
  reference: gamma.digamma,
  print: { strength: ATOM, needs: [0], write: (x) => `ψ(${x})` },
  derivative: (adjoint, { args: [x] }) => mul(adjoint, trigamma(x)),
});

/** ψ′(x), the derivative of digamma; ∞ at 0, −1, −2, …. It has no derivative of its own here: lgamma can be derived twice. */
export const trigamma: Unary = called("trigamma", 84, {
  reference: gamma.trigamma,
  print: { strength: ATOM, needs: [0], write: (x) => `ψ′(${x})` },
  derivative() {
    throw new CompileError(
      "trigamma",
      "its derivative was asked for, but lgamma can be derived twice only; stop the gradient before it",
      "COMPILE_DERIVATIVE",
    );
  },
});
