/**
 * `ergodic/compiler`: functions of arrays with their derivatives, compiled to WebAssembly, and the operations that
 * layers and statistical models use.
 */
export { gradientsOf, hessianVector, tangentsOf } from "../engine/compiler/array/derive.ts";
export {
  type Arrays,
  type CompiledFunction,
  compileFunction,
  type FunctionOptions,
  type FunctionResult,
  type Shapes,
} from "../engine/compiler/array/function.ts";
export { constantArray, full, input, range, toArray } from "../engine/compiler/array/leaves.ts";
export * from "../engine/compiler/array/operations/index.ts";
export { type ArrayLikeOperand, arraysBelow, type Shape, SymbolicArray } from "../engine/compiler/array/symbolic.ts";
export { type Expr, type ExprLike, nodesOf, scalar } from "../engine/compiler/expression.ts";
export { add, div, mul, neg, square, sub } from "../engine/compiler/primitives/arithmetic.ts";
export { exp, expm1, log, log1p, pow, sigmoid, softplus, sqrt, tanh } from "../engine/compiler/primitives/functions.ts";
export { maximum, sum } from "../engine/compiler/primitives/reductions.ts";
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
} from "../engine/compiler/primitives/selection.ts";
export { atan, cos, digamma, erf, erfc, lgamma, sin, trigamma } from "../engine/compiler/primitives/special-functions.ts";
