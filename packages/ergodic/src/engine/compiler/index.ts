/** Exports of the compiler to the rest of the library: expressions, derivatives, interpreter, printing, cost and compiled programs. */
export * from "./array/index.ts";
export { compile } from "./compile.ts";
export { derive, gradients } from "./derive.ts";
export {
  type Environment,
  type EvaluateOptions,
  evaluate,
  evaluateProgram,
  evaluateScalar,
  evaluateVector,
  type ProgramEnvironment,
} from "./evaluate.ts";
export { constant, count, type Expr, type ExprLike, index, isConstant, nodesOf, scalar, toExpr, vector } from "./expression.ts";
export { forGood, type Holder, type LinkedProgram, linkProgram } from "./link.ts";
export { operations } from "./operations.ts";
export { allPrimitives, primitiveOf, reductionOf } from "./primitive.ts";
export { add, div, mul, neg, square, sub } from "./primitives/arithmetic.ts";
export { exp, expm1, log, log1p, pow, sigmoid, softplus, sqrt, tanh } from "./primitives/functions.ts";
export { maximum, sum } from "./primitives/reductions.ts";
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
} from "./primitives/selection.ts";
export { atan, cos, digamma, erf, erfc, lgamma, sin, trigamma } from "./primitives/special-functions.ts";
export { print } from "./print.ts";
export type { CompiledProgram, CompileOptions, Operand, ProgramSpec, StorageType } from "./program.ts";
export { inputsOf, substitute } from "./rebuild.ts";
