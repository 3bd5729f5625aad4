/** The array compiler's public list. Element-wise builders and reductions are those of compiler/index.ts, which take arrays as well. */
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
