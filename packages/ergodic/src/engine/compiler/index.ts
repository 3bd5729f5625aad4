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
export * from "./primitives/index.ts";
export { print } from "./print.ts";
export type { CompiledProgram, CompileOptions, Operand, ProgramSpec, StorageType } from "./program.ts";
export { inputsOf, substitute } from "./rebuild.ts";
