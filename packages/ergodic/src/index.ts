/** What is public: an explicit list. */
export { type RuleCost, ruleCost, type SparseBehaviour, sparseBehaviour } from "./algorithms/gradient/cost.ts";
export { ruleEquation } from "./algorithms/gradient/equation.ts";
export { type GradientDescent, gradientDescent } from "./algorithms/gradient/gradient-descent.ts";
export {
  type HostReport,
  type HostRule,
  type HostRun,
  type HostState,
  hostRule,
  type Objective,
} from "./algorithms/gradient/host-rule.ts";
export {
  adadelta,
  adagrad,
  adagradHistory,
  adam,
  adamax,
  adamw,
  aliG,
  amsgrad,
  averaging,
  backtracking,
  clipNorm,
  clipValue,
  exactLineSearch,
  lbfgs,
  lion,
  momentum,
  nadam,
  nesterov,
  polyak,
  polyakEstimated,
  prodigy,
  type RuleEntry,
  radam,
  rmsprop,
  ruleFromJson,
  ruleRegistry,
  scheduleFreeAdam,
  scheduleFreeSgd,
  sgd,
  spsMax,
  stochasticLineSearch,
  strongWolfe,
  weightDecay,
} from "./algorithms/gradient/index.ts";
export type { Rule } from "./algorithms/gradient/kinds.ts";
export { type LedgerRow, type MeasuredRule, measureRule, ruleLedger } from "./algorithms/gradient/ledger.ts";
export { chain, type EquationRule, type RuleFactory, type RuleJson, rule } from "./algorithms/gradient/rule.ts";
export { type RuleProgram, type RuleProgramOptions, ruleProgram } from "./algorithms/gradient/rule-program.ts";
export { RuleRunner, type RuleSnapshot } from "./algorithms/gradient/runner.ts";
export {
  constantRate,
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  optimalRate,
  type Schedule,
  type ScheduleJson,
  stepDecay,
  warmUp,
} from "./algorithms/gradient/schedule.ts";
export type { SearchRule } from "./algorithms/gradient/search-rule.ts";
export { sag, saga, svrg, type Variance, varianceFrom } from "./algorithms/gradient/variance.ts";
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
export { murmur3 } from "./base/murmur3.ts";
export { type Draws, type Stream, stream } from "./base/stream.ts";
export type { Algorithm, Plan, PredictionKind, Tick } from "./contract.ts";
export { Dataset, Pipeline } from "./data/dataset.ts";
export { type FeatureOptions, fastfood, featureMaps, orthogonal, type RandomFeatures, rff, sorf } from "./data/features/index.ts";
export type { Column, Row, SparseTable, Table } from "./data/table.ts";
export { type FitOptions, type Fitted, fit, type ResumeOptions } from "./fit.ts";
export { type Engine, type EngineDescription, openEngine } from "./host/engine.ts";
export type { Run, RunSummary } from "./loop/run.ts";
export { type LinearModel, type LinearOptions, linear } from "./models/linear/linear.ts";
export { type Loss, loss, lossFrom, lossNames } from "./models/loss.ts";
export {
  epsilonInsensitive,
  hinge,
  huber,
  logistic,
  multinomial,
  poisson,
  quantile,
  squared,
  squaredHinge,
} from "./models/losses/index.ts";
export { LinearPredictor, type Prediction } from "./predict/linear.ts";
export { predictor } from "./predict/load.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "./predict/metrics.ts";
