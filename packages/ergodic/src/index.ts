/** What is public: an explicit list. */
export { type GradientDescent, gradientDescent } from "./algorithms/gradient/gradient-descent.ts";
export * from "./algorithms/gradient/index.ts";
export { type LedgerRow, type Measured, measureRule, ruleLedger } from "./algorithms/gradient/ledger.ts";
export { sag, saga, svrg, type Variance } from "./algorithms/gradient/variance.ts";
export {
  CapabilityError,
  CompileError,
  checkKeys,
  checkNumber,
  DataError,
  ErgodicError,
  MemoryLimitError,
  OptionError,
  WorkerError,
} from "./base/errors.ts";
export { type Draws, type Stream, stream } from "./base/stream.ts";
export type { Algorithm, Plan, Tick } from "./contract.ts";
export { Dataset, Pipeline } from "./data/dataset.ts";
export { fastfood, orthogonal, type RandomFeatures, rff, sorf } from "./data/features/index.ts";
export type { Column, Row, SparseTable, Table } from "./data/table.ts";
export { type FitOptions, type Fitted, fit, type ResumeOptions } from "./fit.ts";
export { type Engine, type EngineDescription, openEngine } from "./host/engine.ts";
export type { Run, RunSummary } from "./loop/run.ts";
export { type LinearModel, type LinearOptions, linear } from "./models/linear/linear.ts";
export { type Loss, lossFrom, lossNames } from "./models/loss.ts";
export * from "./models/losses/index.ts";
export * from "./predict/index.ts";
