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
export * from "../engine/compiler/primitives/index.ts";
