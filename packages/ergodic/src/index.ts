/** What is public: an explicit list. */

export { type AlternatingOptions, alternatingLeastSquares } from "./algorithms/coordinate/alternating.ts";
export {
  type CoordinateDescent,
  type CoordinateDescentOptions,
  coordinateDescent,
} from "./algorithms/coordinate/coordinate-descent.ts";
export { type DualCoordinateDescentOptions, dualCoordinateDescent } from "./algorithms/coordinate/dual-coordinate-descent.ts";
export { type FactorDescentOptions, factorCoordinateDescent } from "./algorithms/coordinate/factor-descent.ts";
export {
  type CoordinateTarget,
  type CoordinateTargetOptions,
  coordinateProblem,
  coordinateTarget,
} from "./algorithms/coordinate/target.ts";
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
  scheduleFromJson,
  stepDecay,
  warmUp,
} from "./algorithms/gradient/schedule.ts";
export type { SearchRule } from "./algorithms/gradient/search-rule.ts";
export { sag, saga, svrg, type Variance, varianceFrom } from "./algorithms/gradient/variance.ts";
export {
  type AdaptationOptions,
  type DualAveragingOptions,
  type HmcOptions,
  hmc,
  type MetricKind,
  type NutsOptions,
  nuts,
  prior,
  type Sampler,
  type WindowOptions,
} from "./algorithms/sampling/index.ts";
export {
  type Asked,
  type Best,
  type History,
  Search,
  type SearchOptions,
  search,
} from "./algorithms/search/ask-tell.ts";
export { defineSearch, keepState, type SearchFactory } from "./algorithms/search/define-search.ts";
export type { BlackBox, BlackBoxContext } from "./algorithms/search/evaluation.ts";
export {
  cmaEs,
  coordinateSearch,
  differentialEvolution,
  nelderMead,
  onePlusOneEs,
  openAiEs,
  powell,
  randomDirection,
  randomSearch,
  type SearchEntry,
  searchFromJson,
  searchRegistry,
  simulatedAnnealing,
  spsa,
} from "./algorithms/search/index.ts";
export type { SearchAlgorithm, SearchSnapshot, SearchStart, SearchState } from "./algorithms/search/search.ts";
export type { Scale, SpaceOptions } from "./algorithms/search/space.ts";
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
export { type Draws as RandomDraws, type Stream, stream } from "./base/stream.ts";
export { type CalibratedNumber, type CalibrateOptions, Calibration, calibrate } from "./calibrate.ts";
export { type CompiledFunction, compileFunction, type FunctionOptions } from "./compiler/array/function.ts";
export type { Algorithm, Plan, PredictionKind, Tick } from "./contract.ts";
export { Dataset, Pipeline } from "./data/dataset.ts";
export { type FeatureOptions, fastfood, featureMaps, orthogonal, type RandomFeatures, rff, sorf } from "./data/features/index.ts";
export type { Name, NameIndex } from "./data/name-index.ts";
export { type Duplicates, Ratings, type TriplesOptions } from "./data/ratings.ts";
export type { Column, Row, SparseTable, Table } from "./data/table.ts";
export {
  Draws,
  type DrawsContent,
  type DrawsQuantity,
  type DrawsSummaryOptions,
  type EnergyReport,
  type Finding,
  summaryTable,
  type TreeReport,
  type Verdict,
} from "./draws/index.ts";
export { type Explanation, explain, type RowFacts } from "./explain.ts";
export { type FitOptions, type Fitted, fit, type ResumeOptions, type Trained } from "./fit.ts";
export { type Engine, type EngineDescription, openEngine } from "./host/engine.ts";
export type { Run, RunSummary } from "./loop/run.ts";
export {
  type CoordinateMinimum,
  type GradientMinimum,
  type GradientResumeOptions,
  type MinimizeCoordinatesOptions,
  type MinimizeGradientOptions,
  type MinimizeOptions,
  type MinimizeResumeOptions,
  type MinimizeUntil,
  type Minimum,
  minimize,
} from "./minimize.ts";
export type { Mode, ModeOptions } from "./mode.ts";
export { chooseLoss } from "./models/choose-loss.ts";
export { type LinearModel, type LinearOptions, linear } from "./models/linear/linear.ts";
export { type Loss, loss, lossFrom, lossNames } from "./models/loss.ts";
// Distributions have the plain names.
export {
  epsilonInsensitive as epsilonInsensitiveLoss,
  hinge as hingeLoss,
  huber as huberLoss,
  logistic as logisticLoss,
  multinomial as multinomialLoss,
  poisson as poissonLoss,
  quantile as quantileLoss,
  squared as squaredLoss,
  squaredHinge as squaredHingeLoss,
} from "./models/losses/index.ts";
export {
  type ActivationName,
  type AveragePoolOptions,
  activation,
  activationNames,
  averagePool,
  type BatchNormOptions,
  batchNorm,
  type CirculantConvolutionOptions,
  type CirculantNetOptions,
  type CirculantOptions,
  type CnnOptions,
  type ConvolutionOptions,
  channelShuffle,
  circulantConvolution,
  circulantDense,
  circulantNet,
  cnn,
  concatenating,
  constantInitial,
  convolution,
  countNetwork,
  type DepthwiseOptions,
  type DropoutOptions,
  dense,
  depthwise,
  dropout,
  type EmbeddingOptions,
  embedding,
  type Fans,
  flatten,
  frozen,
  type GroupedConvolutionOptions,
  gelu,
  globalAveragePool,
  glorotNormal,
  glorotUniform,
  grouped,
  gru,
  halfOfChannels,
  hardSwish,
  heNormal,
  heUniform,
  type Initialiser,
  type InvertedResidualOptions,
  initialiser,
  invertedResidual,
  type Layer,
  type LayerFunction,
  type LayerLike,
  type LayerNormOptions,
  layer,
  layerFrom,
  layerKinds,
  layerNorm,
  lecunNormal,
  lecunUniform,
  lstm,
  type MlpOptions,
  type MobileNetOptions,
  maxPool,
  mlp,
  mobileNetV1,
  mobileNetV2,
  type NetworkCount,
  type NetworkForm,
  type NormalisedOptions,
  noise,
  normalInitial,
  normalised,
  normalisedDepthwise,
  ones,
  // The random features of this name were there first.
  orthogonal as orthogonalInitial,
  type ParameterOptions,
  type PoolOptions,
  type RecurrentOptions,
  type ResidualOptions,
  randomCutout,
  randomFlip,
  randomShift,
  relu,
  relu6,
  reshaped,
  residual,
  type Scope,
  type SeparableOptions,
  type ShiftOptions,
  type ShuffleNetV1Options,
  type ShuffleNetV2Options,
  type ShuffleUnitOptions,
  type ShuffleUnitV1Options,
  separable,
  sequential,
  shuffleNetV1,
  shuffleNetV2,
  shuffleUnitV1,
  shuffleUnitV2,
  silu,
  uniformInitial,
  type WeightOptions,
  zeros,
} from "./models/neural/index.ts";
export { type NetworkModel, type NetworkOptions, network } from "./models/neural/network.ts";
export { type FactorisationModel, type FactorisationOptions, factorisation } from "./models/ratings/factorisation.ts";
export {
  bernoulli,
  bernoulliLogit,
  bernoulliLogitGlm,
  beta,
  betaBinomial,
  binomial,
  binomialLogit,
  ConditionedModel,
  type ConditionOptions,
  categorical,
  categoricalLogit,
  cauchy,
  type DataField,
  Distribution,
  dirichlet,
  distribution,
  type Extent,
  exponential,
  gamma,
  geometric,
  halfCauchy,
  halfNormal,
  halfStudent,
  integer,
  inverseGamma,
  laplace,
  lkjCholesky,
  logistic,
  lognormal,
  type ModelContext,
  type ModelData,
  matrix,
  mixture,
  model,
  multinomial,
  multivariateNormal,
  multivariateNormalCholesky,
  multivariateNormalPrecision,
  type NamedValues,
  negativeBinomial,
  negativeBinomialMean,
  normal,
  normalIdGlm,
  orderedLogistic,
  type ParameterConstraint,
  type ParameterOptions as ModelParameterOptions,
  pareto,
  poisson,
  poissonLog,
  poissonLogGlm,
  real,
  type StatisticalModel,
  student,
  tensor,
  truncated,
  uniform,
  vector,
  weibull,
  zeroInflated,
} from "./models/statistical/index.ts";
export { type CrossValidation, type FitPathOptions, LinearPath } from "./path.ts";
export {
  type FactorMetrics,
  FactorPredictor,
  type Pair,
  type Recommendation,
  type RecommendOptions,
} from "./predict/factorisation.ts";
export { LinearPredictor } from "./predict/linear.ts";
export { type AnyPredictor, predictor } from "./predict/load.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "./predict/metrics.ts";
export { NetworkPredictor } from "./predict/network.ts";
export { OutputPredictor, type Prediction } from "./predict/output-predictor.ts";
export { type SampleData, type Sampled, type SampleOptions, type SampleWatchOptions, sample } from "./sample.ts";
export {
  type HalvingOptions,
  type MakeTrial,
  type Measured,
  type SettingRange,
  type Trial,
  type TrialContext,
  type TrialTick,
  type Tuned,
  type TuneOptions,
  type TuneResumeOptions,
  type TuneUntil,
  tune,
} from "./tune.ts";
