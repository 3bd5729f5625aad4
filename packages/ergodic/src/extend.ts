/**
 * `ergodic/extend`: what definitions of your own are made of. The contract between models and algorithms, as types; what defines rules, searches,
 * losses, layers, initialisers and distributions by name; and what samplers and models that `fit` can train must offer.
 */
import "./at-start.ts"; // left out by bundlers

export { hostRule } from "./algorithms/gradient/host-rule.ts";
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
} from "./algorithms/gradient/kinds.ts";
export { isRule } from "./algorithms/gradient/kinds.ts";
export { chain, type Facts, type Formula, type RuleFactory, rule } from "./algorithms/gradient/rule.ts";
export { type ChainState, ChainsRun } from "./algorithms/sampling/chains-run.ts";
export { ChainDraws } from "./algorithms/sampling/index.ts";
export type {
  GivenOptions,
  InnerSampling,
  Sampler,
  Sampling,
  SamplingPlan,
  VisitedPlace,
} from "./algorithms/sampling/sampler.ts";
export { type Placed, placeChains } from "./algorithms/sampling/starting-points.ts";
export { defineSearch, keepState, type SearchFactory, type SearchFacts } from "./algorithms/search/define-search.ts";
export type {
  Proposal as SearchProposal,
  SearchAlgorithm,
  SearchSnapshot,
  SearchStart,
  SearchState,
} from "./algorithms/search/search.ts";
export { checkSignal } from "./base/checks.ts";
export { CapabilityError, checkKeys, checkNumber, DataError, ErgodicError, OptionError } from "./base/errors.ts";
export { shown } from "./base/shown.ts";
export { type Draws as RandomDraws, type Stream, stream } from "./base/stream.ts";
export type {
  Advance,
  Algorithm,
  AlgorithmDefaults,
  BindOptions,
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
  TemperedBinding,
  Tensor,
  Tick,
} from "./contract.ts";
export { type UnknownLevels, unknownLevels } from "./data/new-levels.ts";
export { type Engine, openEngine } from "./host/engine.ts";
export { type Loss, type LossTraits, loss } from "./models/loss.ts";
export {
  type Initialiser,
  initialiser,
  type Layer,
  type LayerFunction,
  type LayerLike,
  layer,
  type Scope,
} from "./models/neural/index.ts";
export type { LayerFacts } from "./models/neural/layers/layer.ts";
export { Distribution, distribution } from "./models/statistical/index.ts";
export type { FitOptions, Trainable, TrainableModel } from "./verbs/fit/kinds/trainable.ts";
export { type NetworkGraph, networkGraph } from "./verbs/network-graph.ts";
export { online } from "./verbs/online/online.ts";
export type { OnlineFrom, OnlineOptions, OnlineRows, OnlineRun, OnlineWatch } from "./verbs/online/types.ts";
