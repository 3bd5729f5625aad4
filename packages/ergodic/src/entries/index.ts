/**
 * `ergodic`: the verbs and the names that most programs use. Everything else is in `ergodic/learning`, `ergodic/bayes`
 * and so on.
 */
import "./at-start.ts"; // left out by bundlers

export { calibrate } from "../bayes/calibrate.ts";
export { compare, Draws, saveDraws, summaryTable } from "../bayes/draws/index.ts";
export { regression } from "../bayes/formula/index.ts";
export { loadDraws } from "../bayes/load-draws.ts";
export {
  bernoulli,
  beta,
  binomial,
  categorical,
  censored,
  dirichlet,
  exponential,
  gamma,
  halfCauchy,
  halfNormal,
  hiddenMarkov,
  integer,
  inverseGamma,
  lognormal,
  type ModelContext,
  matrix,
  model,
  multivariateNormalCholesky,
  normal,
  poisson,
  type StatisticalModel,
  student,
  uniform,
  vector,
  weibull,
} from "../bayes/model/index.ts";
export { type SampleOptions, sample } from "../bayes/sample.ts";
export { gibbs, nuts, parallelTempering, pathfinder, prior } from "../bayes/samplers/index.ts";
export type { Plan, Tick } from "../engine/contract/index.ts";
export { Dataset, Pipeline } from "../engine/data/dataset.ts";
export { Ratings } from "../engine/data/ratings.ts";
export type { Column, Remark, Row, SparseTable, Table } from "../engine/data/table.ts";
export { CapabilityError, DataError, ErgodicError, MemoryLimitError, OptionError, WorkerError } from "../engine/errors/errors.ts";
export type { Run, RunSummary } from "../engine/loop/run.ts";
export { type EngineDescription, openEngine } from "../engine/memory/engine.ts";
export { configureThreads as configure } from "../engine/memory/threads.ts";
export { ruleCost, sparseBehaviour } from "../engine/optimise/cost.ts";
export { ruleEquation } from "../engine/optimise/equation.ts";
export { adagrad, adam, lbfgs, momentum, rmsprop, sgd } from "../engine/optimise/index.ts";
export { chain } from "../engine/optimise/rule.ts";
export { RuleRunner } from "../engine/optimise/runner.ts";
export { cosineDecay, inverseTimeDecay } from "../engine/optimise/schedules/index.ts";
export { saga, svrg } from "../engine/optimise/variance.ts";
export { stream } from "../engine/random/stream.ts";
export { Answer } from "../graphs/answers/index.ts";
export { elimination } from "../graphs/exact/elimination.ts";
export { type InferOptions, infer } from "../graphs/infer/infer.ts";
export { knowledgeBase, query, relation, weightedRule } from "../graphs/knowledge/index.ts";
export { contrastiveDivergence } from "../graphs/learn/contrastive-divergence.ts";
export type { Evidence } from "../graphs/model/evidence.ts";
export { FactorGraph, factorGraph } from "../graphs/model/graph.ts";
export { is, not } from "../graphs/model/literals.ts";
export { graphGibbs } from "../graphs/sampling/gibbs/graph-gibbs.ts";
export { fit } from "../join/fit.ts";
export { alternatingLeastSquares } from "../learning/coordinates/alternating.ts";
export { coordinateDescent } from "../learning/coordinates/coordinate-descent.ts";
export { gradientDescent } from "../learning/descent/gradient-descent.ts";
export { explain } from "../learning/explain.ts";
export { crossValidate } from "../learning/fit/cross-validate.ts";
export { extraTrees, forest, tree } from "../learning/fit/kinds/forest.ts";
export { linear } from "../learning/fit/kinds/linear.ts";
export { network } from "../learning/fit/kinds/network.ts";
export { factorisation } from "../learning/fit/kinds/ratings.ts";
export type { FitOptions } from "../learning/fit/kinds/trainable.ts";
export { trees } from "../learning/fit/kinds/trees.ts";
export type { LinearModel } from "../learning/models/linear/linear.ts";
export { logisticLoss, squaredLoss } from "../learning/models/losses/index.ts";
export {
  batchNorm,
  cnn,
  convolution,
  dense,
  dropout,
  flatten,
  maxPool,
  mlp,
  relu,
  silu,
} from "../learning/models/neural/index.ts";
export type { NetworkModel } from "../learning/models/neural/network.ts";
export type { FactorisationModel } from "../learning/models/ratings/factorisation.ts";
export type { ForestModel } from "../learning/models/trees/forest.ts";
export type { ExtraTreesOptions, ForestOptions, TreeOptions } from "../learning/models/trees/forest-settings.ts";
export { type Pruning, prunings } from "../learning/models/trees/pruning.ts";
export type { TreesOptions } from "../learning/models/trees/settings.ts";
export type { TreesModel } from "../learning/models/trees/trees.ts";
export { newtonCholesky } from "../learning/newton/newton-cholesky.ts";
export { bagging, boosting } from "../learning/trees/boosting.ts";
export { FactorPredictor } from "../predict/factorisation.ts";
export { LinearPredictor } from "../predict/linear.ts";
export { predictor } from "../predict/load.ts";
export { measure } from "../predict/measure/measure.ts";
export type { Measurement, MeasureOptions } from "../predict/measure/measurement.ts";
export { NetworkPredictor } from "../predict/network.ts";
export type { Prediction } from "../predict/output-predictor.ts";
export { TreesPredictor } from "../predict/trees/trees.ts";
export { cmaEs, nelderMead } from "../search/algorithms/index.ts";
export { type MinimizeOptions, minimize } from "../search/minimize/minimize.ts";
export { type TuneOptions, tune } from "../search/tune.ts";
export type * from "./result-types.ts";
