/**
 * Trigonometric, error and gamma functions. The conventions of functions.ts apply. These functions have a separate
 * file, because few programs need them.
 */

import { CompileError } from "../../errors/errors.ts";
import { arctangent } from "../../numbers/arctangent.ts";
import { cosine, sine } from "../../numbers/cosine-sine.ts";
import * as errorFunction from "../../numbers/error-function.ts";
import * as gamma from "../../numbers/gamma.ts";
import type { Expr } from "../expression.ts";
import * as code from "../functions/special-entries.ts";
import type { Unary } from "../primitive.ts";
import { add, div, mul, neg, square } from "./arithmetic.ts";
import { called } from "./called.ts";
import { exp } from "./functions.ts";

const ATOM = 9;

/** The cosine of x radians, element by element. */
export const cos: Unary = /* @__PURE__ */ called(
  "cos",
  50,
  { cos: code.cos },
  {
    reference: cosine,
    simplify: (x) => (x.op === "neg" ? cos(x.args[0]) : null),
    derivative: (adjoint, { args: [x] }) => neg(mul(adjoint, sin(x))),
  },
);

/** The sine of x radians, element by element. */
export const sin: Unary = /* @__PURE__ */ called(
  "sin",
  50,
  { sin: code.sin },
  {
    reference: sine,
    simplify: (x) => (x.op === "neg" ? neg(sin(x.args[0])) : null),
    derivative: (adjoint, { args: [x] }) => mul(adjoint, cos(x)),
  },
);

/** The arctangent in radians, element by element. */
export const atan: Unary = /* @__PURE__ */ called(
  "atan",
  36,
  { atan: code.atan },
  {
    reference: arctangent,
    simplify: (x) => (x.op === "neg" ? neg(atan(x.args[0])) : null),
    derivative: (adjoint, { args: [x] }) => div(adjoint, add(1, square(x))),
  },
);

/** 2/√π·e^(−x²), the slope of erf. */
const errorSlope = (x: Expr): Expr => mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))));

/** 2/√π·∫₀ˣ e^(−t²) dt. */
export const erf: Unary = /* @__PURE__ */ called(
  "erf",
  100,
  { erf: code.erf },
  {
    reference: errorFunction.erf,
    simplify: (x) => (x.op === "neg" ? neg(erf(x.args[0])) : null),
    derivative: (adjoint, { args: [x] }) => mul(adjoint, errorSlope(x)),
  },
);

/** 1 − erf(x), accurate even if erf(x) is close to 1. */
export const erfc: Unary = /* @__PURE__ */ called(
  "erfc",
  100,
  { erfc: code.erfc },
  {
    reference: errorFunction.erfc,
    derivative: (adjoint, { args: [x] }) => neg(mul(adjoint, errorSlope(x))),
  },
);

/** log|Γ(x)|; ∞ at 0, −1, −2, …. */
export const lgamma: Unary = /* @__PURE__ */ called(
  "lgamma",
  180,
  { lgamma: code.lgamma },
  {
    reference: gamma.lgamma,
    derivative: (adjoint, { args: [x] }) => mul(adjoint, digamma(x)),
  },
);

/** ψ(x), the derivative of lgamma; ∓∞ at ±0, NaN at −1, −2, …. */
export const digamma: Unary = /* @__PURE__ */ called(
  "digamma",
  140,
  { digamma: code.digamma },
  {
    reference: gamma.digamma,
    print: { strength: ATOM, needs: [0], write: (x) => `ψ(${x})` },
    derivative: (adjoint, { args: [x] }) => mul(adjoint, trigamma(x)),
  },
);

/**
 * ψ′(x), the derivative of digamma; ∞ at 0, −1, −2, …. This function has no derivative, so lgamma can be differentiated
 * only twice.
 */
export const trigamma: Unary = /* @__PURE__ */ called(
  "trigamma",
  84,
  { trigamma: code.trigamma },
  {
    reference: gamma.trigamma,
    print: { strength: ATOM, needs: [0], write: (x) => `ψ′(${x})` },
    derivative() {
      throw new CompileError(
        "trigamma",
        "its derivative was asked for, but lgamma can be differentiated only twice; stop the gradient before it",
        "COMPILE_DERIVATIVE",
      );
    },
  },
);
