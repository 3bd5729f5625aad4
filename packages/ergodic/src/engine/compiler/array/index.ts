/**
 * Exports of the array compiler to the rest of the library. Element-wise builders and reductions are exported by
 * compiler/index.ts, because they also accept arrays.
 */
export { watchConditions } from "./conditions.ts";
export { gradientsOf, hessianVector, tangentsOf } from "./derive.ts";
export {
  type Arrays,
  type CompiledFunction,
  compileFunction,
  type FunctionOptions,
  type FunctionResult,
  type Shapes,
} from "./function.ts";
export { type IndexWatch, watchIndices } from "./indices.ts";
export { type InterpretOptions, interpret } from "./interpret.ts";
export { constantArray, full, input, range, toArray } from "./leaves.ts";
export * from "./operations/index.ts";
export {
  type ArrayLikeOperand,
  arraysBelow,
  broadcastShapes,
  isArray,
  nodeText,
  type Shape,
  SymbolicArray,
  sameShape,
  shapeText,
  sizeOf,
  stridesOf,
} from "./symbolic.ts";
