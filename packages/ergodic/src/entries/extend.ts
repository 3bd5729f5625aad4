/**
 * `ergodic/extend`: building blocks for your own definitions. It exports the types that define the contract between
 * models and algorithms. It also exports functions that define rules, searches, losses, layers, initialisers and
 * distributions by name, and the interfaces of samplers and of models that `fit` can train.
 */
import "./at-start.ts"; // left out by bundlers

export { Distribution, distribution } from "../bayes/model/index.ts";
export { type ChainState, ChainsRun } from "../bayes/samplers/base/chains-run.ts";
export type {
  GivenOptions,
  InnerSampling,
  Sampler,
  Sampling,
  SamplingPlan,
  VisitedPlace,
} from "../bayes/samplers/base/sampler.ts";
export { type Placed, placeChains } from "../bayes/samplers/base/starting-points.ts";
export { ChainDraws } from "../bayes/samplers/index.ts";
export type {
  Advance,
  Algorithm,
  AlgorithmDefaults,
  BindOptions,
  Certificate,
  ColumnBinding,
  ColumnTarget,
  Companion,
  CoordinateMove,
  CoordinateState,
  Coordinates,
  DensityBinding,
  DiscretePlace,
  DualBinding,
  Duals,
  ElementType,
  FactorBinding,
  Factors,
  FactorTables,
  Gap,
  Json,
  JsonObject,
  LaneBinding,
  Link,
  LogDensity,
  MinibatchBinding,
  Minibatches,
  Model,
  ParameterPlace,
  ParameterType,
  Penalty,
  Plan,
  PredictionKind,
  Prepared,
  Problem,
  Progression,
  RowGradient,
  SavedModel,
  Snapshot,
  TableFactor,
  TemperedBinding,
  Tensor,
  Tick,
} from "../engine/contract/index.ts";
export { type UnknownLevels, unknownLevels } from "../engine/data/new-levels.ts";
export { checkSignal } from "../engine/errors/checks.ts";
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
export { shown } from "../engine/errors/shown.ts";
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
export type { EngineDescription } from "../engine/memory/engine.ts";
export { type Engine, openEngine } from "../engine/memory/engine.ts";
export { configureThreads as configure, type ThreadName, type ThreadOptions } from "../engine/memory/threads.ts";
export { hostRule } from "../engine/optimise/host-rule.ts";
export type {
  EquationRule,
  HostReport,
  HostRule,
  HostRun,
  HostState,
  Objective,
  Rule,
  RuleJson,
  SearchRule,
} from "../engine/optimise/kinds.ts";
export { isRule } from "../engine/optimise/kinds.ts";
export { chain, type Facts, type Formula, type RuleFactory, rule } from "../engine/optimise/rule.ts";
export { murmur3 } from "../engine/random/own-murmur3.ts";
export { type Draws as RandomDraws, type Stream, stream } from "../engine/random/stream.ts";
export type { FitOptions, Trainable, TrainableModel } from "../learning/fit/kinds/trainable.ts";
export { type Loss, type LossTraits, loss } from "../learning/models/loss.ts";
export {
  type Initialiser,
  initialiser,
  type Layer,
  type LayerFunction,
  type LayerLike,
  layer,
  type Scope,
} from "../learning/models/neural/index.ts";
export type { LayerFacts } from "../learning/models/neural/layers/layer.ts";
export { type NetworkGraph, networkGraph } from "../learning/network-graph.ts";
export { online } from "../learning/online/online.ts";
export type { OnlineFrom, OnlineOptions, OnlineRows, OnlineRun, OnlineWatch } from "../learning/online/types.ts";
export { defineSearch, keepState, type SearchFactory, type SearchFacts } from "../search/algorithms/define-search.ts";
export type {
  Proposal as SearchProposal,
  SearchAlgorithm,
  SearchSnapshot,
  SearchStart,
  SearchState,
} from "../search/algorithms/search.ts";
