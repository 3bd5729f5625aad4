/**
 * √, exp, log and similar functions (others: special-functions.ts). The SIMD code of these functions (functions/) gives
 * the same bits in every lane, in scalar code and on every machine. functions/ states the error bounds. The reference
 * evaluation uses the exp, log and pow of engine/numbers/, which give the same bits on every host.
 */
import { expm1 as expm1Of, exp as expOf } from "../../numbers/exp.ts";
import { log1p as log1pOf, log as logOf } from "../../numbers/log.ts";
import { power } from "../../numbers/power.ts";
import { constant, isConstant } from "../expression.ts";
import * as code from "../functions/entries.ts";
import { type Binary, primitive, type Unary } from "../primitive.ts";
import { add, div, mul, neg, square, sub } from "./arithmetic.ts";
import { called } from "./called.ts";
import { abs, equal, where } from "./selection.ts";

const [POWER, ATOM] = [7, 9];

/** √x, element by element; NaN below 0. */
export const sqrt: Unary = /* @__PURE__ */ primitive({
  name: "sqrt",
  reference: Math.sqrt,
  simplify: (x) => (x.op === "square" ? abs(x.args[0]) : null),
  derivative: (adjoint, node) => div(mul(0.5, adjoint), node),
  print: { strength: ATOM, needs: [ATOM], write: (x) => `√${x}` },
  cost: 1,
  code: (m, x) => m.sqrt(x),
});

/** eˣ, element by element. */
export const exp: Unary = /* @__PURE__ */ called(
  "exp",
  26,
  { exp: code.exp },
  {
    reference: expOf,
    derivative: (adjoint, node) => mul(adjoint, node),
  },
);

/** Natural logarithm; NaN below 0, −∞ at ±0. */
export const log: Unary = /* @__PURE__ */ called(
  "log",
  34,
  { log: code.log },
  {
    reference: logOf,
    simplify: (x) => (x.op === "exp" ? x.args[0] : null),
    derivative: (adjoint, { args: [x] }) => div(adjoint, x),
  },
);

/** log(1 + x), accurate for small x. */
export const log1p: Unary = /* @__PURE__ */ called(
  "log1p",
  42,
  { log1p: code.log1p },
  {
    reference: log1pOf,
    derivative: (adjoint, { args: [x] }) => div(adjoint, add(1, x)),
  },
);

/** exp(x) − 1, accurate for small x. */
export const expm1: Unary = /* @__PURE__ */ called(
  "expm1",
  30,
  { expm1: code.expm1 },
  {
    reference: expm1Of,
    derivative: (adjoint, node) => mul(adjoint, add(node, 1)),
  },
);

/** The hyperbolic tangent, element by element. */
export const tanh: Unary = /* @__PURE__ */ called(
  "tanh",
  36,
  { tanh: code.tanh },
  {
    reference(x) {
      const z = expm1Of(-2 * Math.abs(x));
      return x === 0 ? x : x < 0 ? z / (2 + z) : -z / (2 + z);
    },
    derivative: (adjoint, node) => mul(adjoint, sub(1, square(node))),
  },
);

/** 1 / (1 + exp(−x)), without overflow. */
export const sigmoid: Unary = /* @__PURE__ */ called(
  "sigmoid",
  30,
  { sigmoid: code.sigmoid, softplusAndSigmoid: code.softplusAndSigmoid },
  {
    reference(x) {
      const z = expOf(-Math.abs(x));
      return x < 0 ? z / (1 + z) : 1 / (1 + z);
    },
    derivative: (adjoint, node) => mul(adjoint, mul(node, sigmoid(neg(node.args[0])))),
    print: { strength: ATOM, needs: [0], write: (x) => `σ(${x})` },
  },
);

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|)), without overflow. */
export const softplus: Unary = /* @__PURE__ */ called(
  "softplus",
  72,
  { softplus: code.softplus, softplusAndSigmoid: code.softplusAndSigmoid },
  {
    reference: (x) => Math.max(x, 0) + log1pOf(expOf(-Math.abs(x))),
    derivative: (adjoint, { args: [x] }) => mul(adjoint, sigmoid(x)),
  },
);

/** Power aᵇ as in IEEE 754: 1 whenever a is 1 or b is 0, even with NaN; NaN for a < 0 unless b is an integer. */
export const pow: Binary = /* @__PURE__ */ called(
  "pow",
  150,
  { pow: code.pow },
  {
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
  },
);
