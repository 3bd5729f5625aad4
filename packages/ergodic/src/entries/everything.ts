/**
 * All public names of the library in one module, for `@ergodic/single-file` and the tests. This module is not an entry
 * of the package.
 */
import "./at-start.ts"; // left out by bundlers

export { type CompiledFunction, compileFunction, type FunctionOptions } from "../engine/compiler/array/function.ts";
export type { Algorithm, Certificate, FactorTables, Plan, PredictionKind, TableFactor, Tick } from "../engine/contract/index.ts";
export {
  CapabilityError,
  CompileError,
  checkNumber,
  DataError,
  ErgodicError,
  MemoryLimitError,
  OptionError,
  WorkerError,
} from "../engine/errors/errors.ts";
export { checkKeys } from "../engine/errors/own-keys.ts";
export {
  type Content,
  checkWritable,
  type FileHandleTarget,
  type FileTarget,
  type FileTogether,
  pendingFiles,
  type WriteOptions,
  writeTogether,
  writeWhole,
} from "../engine/files/files.ts";
export type { Run, RunSummary } from "../engine/loop/run.ts";
export { type Engine, type EngineDescription, openEngine } from "../engine/memory/engine.ts";
export { configureThreads as configure, type ThreadName, type ThreadOptions } from "../engine/memory/threads.ts";
export { murmur3 } from "../engine/random/own-murmur3.ts";
export { type Draws as RandomDraws, type Stream, stream } from "../engine/random/stream.ts";
export { type Estimate, type LooResult, paretoKhat } from "../engine/statistics/index.ts";
export * from "./bayes.ts";
export * from "./data.ts";
export * from "./distributions.ts";
export * from "./graphs.ts";
export * from "./index.ts";
export * from "./layers.ts";
export * from "./learning.ts";
export * from "./losses.ts";
export * from "./predict.ts";
export * from "./rules.ts";
export * from "./search.ts";
