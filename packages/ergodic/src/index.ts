/** What is public: an explicit list. */

import "./at-start.ts"; // left out by bundlers

export { type MiniBucketsOptions, miniBuckets } from "./algorithms/bounds/mini-buckets.ts";
export { type ContrastiveDivergenceOptions, contrastiveDivergence } from "./algorithms/contrastive/contrastive-divergence.ts";
export { exactLikelihood } from "./algorithms/contrastive/exact-likelihood.ts";
export type { GraphLearner, LearningPlan } from "./algorithms/contrastive/learner.ts";
export { pseudoLikelihood } from "./algorithms/contrastive/pseudo-likelihood.ts";
export { learnerFromJson, learnerNames } from "./algorithms/contrastive/registry.ts";
export { type AlternatingOptions, alternatingLeastSquares } from "./algorithms/coordinate/alternating.ts";
export { type CoordinateDescent, coordinateDescent } from "./algorithms/coordinate/coordinate-descent.ts";
export type { CoordinateDescentOptions } from "./algorithms/coordinate/coordinate-options.ts";
export type { CoordinateTarget, CoordinateTargetOptions } from "./algorithms/coordinate/coordinate-target.ts";
export { type DualCoordinateDescentOptions, dualCoordinateDescent } from "./algorithms/coordinate/dual-coordinate-descent.ts";
export { type FactorDescentOptions, factorCoordinateDescent } from "./algorithms/coordinate/factor-descent.ts";
export { coordinateProblem, coordinateTarget } from "./algorithms/coordinate/target.ts";
export { type EliminationOptions, elimination } from "./algorithms/elimination/elimination.ts";
export { type RuleCost, ruleCost, type SparseBehaviour, sparseBehaviour } from "./algorithms/gradient/cost.ts";
export { ruleEquation } from "./algorithms/gradient/equation.ts";
export { type GradientDescent, gradientDescent } from "./algorithms/gradient/gradient-descent.ts";
export { hostRule } from "./algorithms/gradient/host-rule.ts";
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
export { type LedgerRow, type MeasuredRule, measureRule, ruleLedger, ruleLedgerRow } from "./algorithms/gradient/ledger.ts";
export { chain, type RuleFactory, rule } from "./algorithms/gradient/rule.ts";
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
  scheduleNames,
  stepDecay,
  warmUp,
} from "./algorithms/gradient/schedule.ts";
export { sag, saga, svrg, type Variance, varianceFromJson } from "./algorithms/gradient/variance.ts";
export { type GraphGibbsOptions, graphGibbs } from "./algorithms/graph-gibbs/graph-gibbs.ts";
export type { GraphTemperingOptions } from "./algorithms/graph-gibbs/ladder.ts";
export { type ImportanceSamplingOptions, importanceSampling } from "./algorithms/importance/importance-sampling.ts";
export { algorithmFromJson } from "./algorithms/index.ts";
export type {
  InferenceAlgorithm,
  InferencePlan,
  InferenceTask,
  PartAnswer,
  PartInference,
} from "./algorithms/inference/algorithm.ts";
export { automatic } from "./algorithms/inference/automatic.ts";
export { inferenceFromJson, inferenceNames } from "./algorithms/inference/registry.ts";
export { type GraphAnnealingOptions, graphAnnealing } from "./algorithms/local-search/graph-annealing.ts";
export {
  type IteratedConditionalModesOptions,
  iteratedConditionalModes,
} from "./algorithms/local-search/iterated-conditional-modes.ts";
export {
  type LoopyBeliefPropagationOptions,
  loopyBeliefPropagation,
} from "./algorithms/message-passing/loopy-belief-propagation.ts";
export { type NaiveMeanFieldOptions, naiveMeanField } from "./algorithms/message-passing/naive-mean-field.ts";
export { type NewtonCholeskyOptions, newtonCholesky } from "./algorithms/newton/newton-cholesky.ts";
export { type ReplicaGibbsOptions, replicaGibbs } from "./algorithms/replica-gibbs/replica-gibbs.ts";
export {
  type AdaptationOptions,
  type AdviOptions,
  type BlockOptions,
  type BlockUpdate,
  type BlockValues,
  type Conditional,
  type CycleOptions,
  conjugate,
  type DualAveragingOptions,
  type EllipticalSliceOptions,
  type EnumerateOptions,
  type EstimateOptions,
  ellipticalSlice,
  enumerate,
  fullRank,
  type GibbsBlocks,
  type GibbsValues,
  gibbs,
  type HmcOptions,
  hmc,
  type IndependenceOptions,
  independence,
  type MalaOptions,
  type MetricKind,
  type MetropolisHastingsOptions,
  type MetropolisWithinGibbsOptions,
  mala,
  meanField,
  metropolisHastings,
  metropolisWithinGibbs,
  type NutsOptions,
  nuts,
  type ParallelTemperingOptions,
  type PathfinderOptions,
  type Proposal,
  type Propose,
  type PsgldOptions,
  parallelTempering,
  pathfinder,
  prior,
  psgld,
  type RandomWalkOptions,
  randomWalk,
  type Sampler,
  type ScheduleOptions,
  type SequentialMonteCarloOptions,
  type SghmcOptions,
  type SgldOptions,
  type SgnhtOptions,
  type SliceOptions,
  type StepDecay,
  type SvgdOptions,
  samplerFromJson,
  samplerNames,
  sequentialMonteCarlo,
  sghmc,
  sgld,
  sgnht,
  slice,
  svgd,
  type UpdateBy,
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
  type AnnealedImportanceSamplingOptions,
  annealedImportanceSampling,
} from "./algorithms/tempering/annealed-importance-sampling.ts";
export { type GraphLadderOptions, graphTempering } from "./algorithms/tempering/graph-tempering.ts";
export {
  type CoordinateAscentOptions,
  type CoordinateAscentResult,
  coordinateAscent,
  type FactorParameters,
  type GaussianMixtureOptions,
  type GaussianMixtureResult,
  gaussianMixture,
  type TopicsOptions,
  type TopicsResult,
  topics,
} from "./algorithms/variational/index.ts";
export { Answer, type BestState, type VariableMarginal } from "./answers/index.ts";
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
} from "./base/files.ts";
export { murmur3 } from "./base/murmur3.ts";
export { type Draws as RandomDraws, type Stream, stream } from "./base/stream.ts";
export { type CompiledFunction, compileFunction, type FunctionOptions } from "./compiler/array/function.ts";
export type { Algorithm, Certificate, FactorTables, Plan, PredictionKind, TableFactor, Tick } from "./contract.ts";
export { Dataset, Pipeline } from "./data/dataset.ts";
export { dateParts } from "./data/dates.ts";
export {
  type FeatureOptions,
  fastfood,
  featureMaps,
  orthogonal,
  type ProductOptions,
  type Products,
  products,
  type RandomFeatures,
  randomFeaturesFromJson,
  rff,
  sorf,
} from "./data/features/index.ts";
export type { DateParts, Impute } from "./data/from-table.ts";
export { missingAmongNumbers, missingTexts } from "./data/missing-texts.ts";
export type { Name, NameIndex } from "./data/name-index.ts";
export { newLevels } from "./data/new-levels.ts";
export { type Duplicates, type RatingColumns, Ratings, type TriplesOptions } from "./data/ratings.ts";
export type { Column, Remark, Row, RowOf, SparseTable, Table } from "./data/table.ts";
export { type Estimate, type LooResult, paretoKhat } from "./diagnostics/index.ts";
export {
  type CheckedStatistic,
  type ComparedModel,
  type CompareOptions,
  type Comparison,
  compare,
  type Derived,
  Draws,
  type DrawsContent,
  type DrawsFrame,
  type DrawsQuantity,
  type DrawsSourceFile,
  type DrawsSummaryOptions,
  type DrawsTarget,
  type DrawValue,
  densityOverlay,
  type EnergyReport,
  type FileHandleSource,
  type Finding,
  type FolderHandle,
  fromCmdStanCsv,
  fromDataFrame,
  type HistogramOptions,
  histogramPlot,
  intervalPlot,
  type LooPitOptions,
  looPit,
  type PlotOptions,
  type PosteriorColumn,
  type PosteriorPrediction,
  type PosteriorPredictor,
  type PosteriorPredictorOptions,
  type PosteriorRow,
  type PosteriorTable,
  type PredictedLevel,
  type PredictedNumber,
  type PredictiveCheck,
  type PredictiveKind,
  type PredictiveOptions,
  type PredictiveResult,
  predictiveCheck,
  predictivePit,
  rankBars,
  type SaveDrawsOptions,
  type Statistic,
  type SummariseOptions,
  saveDraws,
  summaryTable,
  type TreeReport,
  type TrustLevel,
  toCmdStanCsv,
  toDataFrame,
  tracePlot,
  usualStatistics,
  type Verdict,
} from "./draws/index.ts";
export { type Engine, type EngineDescription, openEngine } from "./host/engine.ts";
export { configureThreads as configure, type ThreadName, type ThreadOptions } from "./host/threads.ts";
export type { Run, RunSummary } from "./loop/run.ts";
export { chooseLoss } from "./models/choose-loss.ts";
export {
  type FamilyName,
  type FormulaColumns,
  type FormulaData,
  familyNames,
  type RegressionOptions,
  type RegressionPriors,
  regression,
} from "./models/formula/index.ts";
export { type FunctionDensity, type FunctionDensityOptions, functionDensity } from "./models/functional/index.ts";
export type { StateName, States } from "./models/graphs/domains.ts";
export type { Evidence } from "./models/graphs/evidence.ts";
export type { GraphFactor, NestedNumbers, Weight, WeightedOptions, WeightState } from "./models/graphs/factor-types.ts";
export { factorGraphFromJson } from "./models/graphs/from-json.ts";
export { type LogicalFunction, logicalFunctionNames, logicalFunctionOf, logicalFunctions } from "./models/graphs/functions.ts";
export { FactorGraph, factorGraph, type VariableOptions } from "./models/graphs/graph.ts";
export { is, type Literal, type LiteralLike, not, type VariableName } from "./models/graphs/literals.ts";
export type { FactorKind } from "./models/graphs/structure.ts";
export {
  type Atom,
  type AtomKind,
  type Beliefs,
  type CalibrationBin,
  type CalibrationTable,
  type Cell,
  type CellType,
  type ColumnLists,
  type ColumnTypes,
  type GroundingPlan,
  type JoinColumn,
  type Joiner,
  type JoinQuery,
  type JoinSession,
  type KnowledgeBase,
  type KnowledgeBaseOptions,
  knowledgeBase,
  type PlanStep,
  type Query,
  type QueryOptions,
  query,
  type Reason,
  type Reasons,
  type Relation,
  type RuleOptions,
  type RulePlan,
  relation,
  type Semantics,
  type UnknownBelief,
  type WeightedRule,
  weightedRule,
} from "./models/knowledge/index.ts";
export type { LinearModel, LinearOptions } from "./models/linear/linear.ts";
export { type Loss, type LossName, loss } from "./models/loss.ts";
export { lossFromJson, lossNames } from "./models/losses/by-name.ts";
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
  initialiserFromJson,
  invertedResidual,
  type Layer,
  type LayerFunction,
  type LayerLike,
  type LayerNormOptions,
  layer,
  layerFromJson,
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
export type { NetworkModel, NetworkOptions } from "./models/neural/network.ts";
export type { FactorisationModel } from "./models/ratings/factorisation.ts";
export type { FactorisationOptions } from "./models/ratings/settings.ts";
export {
  bernoulli,
  bernoulliLogit,
  bernoulliLogitGlm,
  beta,
  betaBinomial,
  binomial,
  binomialLogit,
  type Censoring,
  ConditionedModel,
  type ConditionOptions,
  categorical,
  categoricalLogit,
  cauchy,
  censored,
  constraintWords,
  type DataBounds,
  type DataField,
  type DataOfModel,
  Distribution,
  type DistributionRow,
  dirichlet,
  discreteUniform,
  distribution,
  distributionLedger,
  type Extent,
  exponential,
  gamma,
  geometric,
  halfCauchy,
  halfNormal,
  halfStudent,
  hiddenMarkov,
  integer,
  inverseGamma,
  laplace,
  lkjCholesky,
  logistic,
  lognormal,
  type Marginal,
  type MarginaliseOptions,
  type ModelContext,
  type ModelData,
  type ModelTools,
  matrix,
  mixture,
  model,
  multinomial,
  multivariateNormal,
  multivariateNormalCholesky,
  multivariateNormalPrecision,
  type NamedContext,
  type NamedValues,
  type NamesOf,
  type Numbers,
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
  type Reported,
  real,
  type StatisticalModel,
  student,
  tensor,
  truncated,
  uniform,
  vector,
  vonMises,
  weibull,
  zeroInflated,
} from "./models/statistical/index.ts";
export type { AnyPredictor } from "./predict/any-predictor.ts";
export {
  type FactorMetrics,
  FactorPredictor,
  type Pair,
  type Rated,
  type Recommendation,
  type RecommendOptions,
} from "./predict/factorisation.ts";
export { LinearPredictor } from "./predict/linear.ts";
export { type PredictorOptions, predictor } from "./predict/load.ts";
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
export { type CalibratedNumber, type CalibrateOptions, Calibration, calibrate } from "./verbs/calibrate.ts";
export {
  type CrossValidated,
  type CrossValidateOptions,
  crossValidate,
  type FoldResult,
  type Spread,
} from "./verbs/cross-validate.ts";
export { type Explanation, explain, type RowFacts } from "./verbs/explain.ts";
export { fit } from "./verbs/fit/fit.ts";
export type { Mode } from "./verbs/fit/found-mode.ts";
export type { GraphFitOptions } from "./verbs/fit/graph.ts";
export type { GraphLikelihood, GraphLikelihoodOptions } from "./verbs/fit/graph-likelihood.ts";
export { linear } from "./verbs/fit/kinds/linear.ts";
export { modelFromJson } from "./verbs/fit/kinds/model-from-json.ts";
export { network } from "./verbs/fit/kinds/network.ts";
export { factorisation } from "./verbs/fit/kinds/ratings.ts";
export type { FitOptions, Trainable, TrainableModel } from "./verbs/fit/kinds/trainable.ts";
export type { Fitted, Trained } from "./verbs/fit/launch.ts";
export type { LearnedGraph } from "./verbs/fit/learned-graph.ts";
export type { ModeOptions } from "./verbs/fit/mode-options.ts";
export type { Spread as ModeSpread } from "./verbs/fit/mode-starts.ts";
export { type CrossValidation, type FitPathOptions, LinearPath } from "./verbs/fit/path.ts";
export type { ResumeOptions } from "./verbs/fit/resume.ts";
export { type InferOptions, type InferWatchOptions, infer } from "./verbs/infer/infer.ts";
export type { Inferred } from "./verbs/infer/tables-of.ts";
export { type DrawsModel, loadDraws, withModel } from "./verbs/load-draws.ts";
export type { LedgerItem } from "./verbs/measure/ledger.ts";
export { measure } from "./verbs/measure/measure.ts";
export type { Energy, Latencies, Measurable, Measurement, MeasureOptions, Scenario } from "./verbs/measure/measurement.ts";
export type { MeasureInputs } from "./verbs/measure/queries.ts";
export type { MeasureClock, RateTrial } from "./verbs/measure/scenarios.ts";
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
} from "./verbs/minimize/minimize.ts";
export {
  type RegressionCoefficient,
  type RegressionTable,
  type RegressionTableOptions,
  regressionTable,
} from "./verbs/regression-table.ts";
export { type SampleData, type Sampled, type SampleOptions, type SampleWatchOptions, sample } from "./verbs/sample.ts";
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
} from "./verbs/tune.ts";
