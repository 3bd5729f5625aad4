/** Primitives of expressions, which also accept arrays. */
export { add, div, mul, neg, square, sub } from "./arithmetic.ts";
export { exp, expm1, log, log1p, pow, sigmoid, softplus, sqrt, tanh } from "./functions.ts";
export { maximum, sum } from "./reductions.ts";
export {
  abs,
  and,
  equal,
  floor,
  less,
  lessEqual,
  max,
  min,
  not,
  or,
  round,
  sign,
  stopGradient,
  where,
} from "./selection.ts";
export { atan, cos, digamma, erf, erfc, lgamma, sin, trigamma } from "./special-functions.ts";
