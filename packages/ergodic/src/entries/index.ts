/** What is public: an explicit list. */

import "./at-start.ts"; // left out by bundlers

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
} from "../bayes/approximate/index.ts";
export { type CalibratedNumber, type CalibrateOptions, Calibration, calibrate } from "../bayes/calibrate.ts";
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
} from "../bayes/draws/index.ts";
export {
  type FamilyName,
  type FormulaColumns,
  type FormulaData,
  familyNames,
  type RegressionOptions,
  type RegressionPriors,
  regression,
} from "../bayes/formula/index.ts";
export { type DrawsModel, loadDraws, withModel } from "../bayes/load-draws.ts";
export type { Mode } from "../bayes/mode/found-mode.ts";
export type { ModeOptions } from "../bayes/mode/mode-options.ts";
export type { Spread as ModeSpread } from "../bayes/mode/mode-starts.ts";
export { type FunctionDensity, type FunctionDensityOptions, functionDensity } from "../bayes/model/functional/index.ts";
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
} from "../bayes/model/index.ts";
export { type SampleData, type Sampled, type SampleOptions, type SampleWatchOptions, sample } from "../bayes/sample.ts";
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
} from "../bayes/samplers/index.ts";
export { type CompiledFunction, compileFunction, type FunctionOptions } from "../engine/compiler/array/function.ts";
export type { Algorithm, Certificate, FactorTables, Plan, PredictionKind, TableFactor, Tick } from "../engine/contract/index.ts";
export { Dataset, Pipeline } from "../engine/data/dataset.ts";
export { dateParts } from "../engine/data/dates.ts";
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
} from "../engine/data/features/index.ts";
export type { DateParts, Impute } from "../engine/data/from-table.ts";
export { missingAmongNumbers, missingTexts } from "../engine/data/missing-texts.ts";
export type { Name, NameIndex } from "../engine/data/name-index.ts";
export { newLevels } from "../engine/data/new-levels.ts";
export { type Duplicates, type RatingColumns, Ratings, type TriplesOptions } from "../engine/data/ratings.ts";
export type { Column, Remark, Row, RowOf, SparseTable, Table } from "../engine/data/table.ts";
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
} from "../engine/errors/errors.ts";
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
export type { CoordinateDescentOptions } from "../engine/optimise/coordinates/coordinate-options.ts";
export type { CoordinateTarget, CoordinateTargetOptions } from "../engine/optimise/coordinates/coordinate-target.ts";
export type { CoordinateDescent } from "../engine/optimise/coordinates/descend-coordinates.ts";
export { coordinateProblem, coordinateTarget } from "../engine/optimise/coordinates/target.ts";
export { type RuleCost, ruleCost, type SparseBehaviour, sparseBehaviour } from "../engine/optimise/cost.ts";
export { ruleEquation } from "../engine/optimise/equation.ts";
export type { GradientDescent } from "../engine/optimise/fits.ts";
export { hostRule } from "../engine/optimise/host-rule.ts";
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
} from "../engine/optimise/index.ts";
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
export { type LedgerRow, type MeasuredRule, measureRule, ruleLedger, ruleLedgerRow } from "../engine/optimise/ledger.ts";
export { chain, type RuleFactory, rule } from "../engine/optimise/rule.ts";
export { type RuleProgram, type RuleProgramOptions, ruleProgram } from "../engine/optimise/rule-program.ts";
export { RuleRunner, type RuleSnapshot } from "../engine/optimise/runner.ts";
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
} from "../engine/optimise/schedule.ts";
export { sag, saga, svrg, type Variance, varianceFromJson } from "../engine/optimise/variance.ts";
export { murmur3 } from "../engine/random/murmur3.ts";
export { type Draws as RandomDraws, type Stream, stream } from "../engine/random/stream.ts";
export { type Estimate, type LooResult, paretoKhat } from "../engine/statistics/index.ts";
export { Answer, type BestState, type VariableMarginal } from "../graphs/answers/index.ts";
export { type ImportanceSamplingOptions, importanceSampling } from "../graphs/bounds/importance-sampling.ts";
export { type MiniBucketsOptions, miniBuckets } from "../graphs/bounds/mini-buckets.ts";
export { type EliminationOptions, elimination } from "../graphs/exact/elimination.ts";
export {
  type LoopyBeliefPropagationOptions,
  loopyBeliefPropagation,
} from "../graphs/exact/loopy-belief-propagation.ts";
export { type NaiveMeanFieldOptions, naiveMeanField } from "../graphs/exact/naive-mean-field.ts";
export { type InferOptions, type InferWatchOptions, infer } from "../graphs/infer/infer.ts";
export type { Inferred } from "../graphs/infer/tables-of.ts";
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
} from "../graphs/knowledge/index.ts";
export { type ContrastiveDivergenceOptions, contrastiveDivergence } from "../graphs/learn/contrastive-divergence.ts";
export { exactLikelihood } from "../graphs/learn/exact-likelihood.ts";
export type { GraphFitOptions } from "../graphs/learn/graph.ts";
export type { GraphLikelihood, GraphLikelihoodOptions } from "../graphs/learn/graph-likelihood.ts";
export type { LearnedGraph } from "../graphs/learn/learned-graph.ts";
export type { GraphLearner, LearningPlan } from "../graphs/learn/learner.ts";
export { pseudoLikelihood } from "../graphs/learn/pseudo-likelihood.ts";
export { learnerFromJson, learnerNames } from "../graphs/learn/registry.ts";
export type { StateName, States } from "../graphs/model/domains.ts";
export type { Evidence } from "../graphs/model/evidence.ts";
export type { GraphFactor, NestedNumbers, Weight, WeightedOptions, WeightState } from "../graphs/model/factor-types.ts";
export { factorGraphFromJson } from "../graphs/model/from-json.ts";
export { type LogicalFunction, logicalFunctionNames, logicalFunctionOf, logicalFunctions } from "../graphs/model/functions.ts";
export { FactorGraph, factorGraph, type VariableOptions } from "../graphs/model/graph.ts";
export { is, type Literal, type LiteralLike, not, type VariableName } from "../graphs/model/literals.ts";
export type { FactorKind } from "../graphs/model/structure.ts";
export type {
  InferenceAlgorithm,
  InferencePlan,
  InferenceTask,
  PartAnswer,
  PartInference,
} from "../graphs/reduce/algorithm.ts";
export { automatic } from "../graphs/reduce/automatic.ts";
export { inferenceFromJson, inferenceNames } from "../graphs/reduce/registry.ts";
export { type GraphGibbsOptions, graphGibbs } from "../graphs/sampling/gibbs/graph-gibbs.ts";
export type { GraphTemperingOptions } from "../graphs/sampling/gibbs/ladder.ts";
export { type ReplicaGibbsOptions, replicaGibbs } from "../graphs/sampling/replicas/replica-gibbs.ts";
export {
  type AnnealedImportanceSamplingOptions,
  annealedImportanceSampling,
} from "../graphs/sampling/tempering/annealed-importance-sampling.ts";
export { type GraphLadderOptions, graphTempering } from "../graphs/sampling/tempering/graph-tempering.ts";
export { type GraphAnnealingOptions, graphAnnealing } from "../graphs/search/graph-annealing.ts";
export {
  type IteratedConditionalModesOptions,
  iteratedConditionalModes,
} from "../graphs/search/iterated-conditional-modes.ts";
export { fit } from "../join/fit.ts";
export type { ResumeOptions } from "../join/resume.ts";
export { type AlternatingOptions, alternatingLeastSquares } from "../learning/coordinates/alternating.ts";
export { coordinateDescent } from "../learning/coordinates/coordinate-descent.ts";
export { type DualCoordinateDescentOptions, dualCoordinateDescent } from "../learning/coordinates/dual-coordinate-descent.ts";
export { type FactorDescentOptions, factorCoordinateDescent } from "../learning/coordinates/factor-descent.ts";
export { gradientDescent } from "../learning/descent/gradient-descent.ts";
export { type Explanation, explain, type RowFacts } from "../learning/explain.ts";
export { algorithmFromJson } from "../learning/fit/algorithm-from-json.ts";
export {
  type CrossValidated,
  type CrossValidateOptions,
  crossValidate,
  type FoldResult,
  type Spread,
} from "../learning/fit/cross-validate.ts";
export { linear } from "../learning/fit/kinds/linear.ts";
export { network } from "../learning/fit/kinds/network.ts";
export { factorisation } from "../learning/fit/kinds/ratings.ts";
export type { FitOptions, Trainable, TrainableModel } from "../learning/fit/kinds/trainable.ts";
export type { Fitted, Trained } from "../learning/fit/launch.ts";
export { modelFromJson } from "../learning/fit/model-from-json.ts";
export { type CrossValidation, type FitPathOptions, LinearPath } from "../learning/fit/path.ts";
export {
  type RegressionCoefficient,
  type RegressionTable,
  type RegressionTableOptions,
  regressionTable,
} from "../learning/fit/regression-table.ts";
export { chooseLoss } from "../learning/models/choose-loss.ts";
export type { LinearModel, LinearOptions } from "../learning/models/linear/linear.ts";
export { type Loss, type LossName, loss } from "../learning/models/loss.ts";
export { lossFromJson, lossNames } from "../learning/models/losses/by-name.ts";
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
} from "../learning/models/losses/index.ts";
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
} from "../learning/models/neural/index.ts";
export type { NetworkModel, NetworkOptions } from "../learning/models/neural/network.ts";
export type { FactorisationModel } from "../learning/models/ratings/factorisation.ts";
export type { FactorisationOptions } from "../learning/models/ratings/settings.ts";
export { type NewtonCholeskyOptions, newtonCholesky } from "../learning/newton/newton-cholesky.ts";
export type { AnyPredictor } from "../predict/any-predictor.ts";
export {
  type FactorMetrics,
  FactorPredictor,
  type Pair,
  type Rated,
  type Recommendation,
  type RecommendOptions,
} from "../predict/factorisation.ts";
export { LinearPredictor } from "../predict/linear.ts";
export { type PredictorOptions, predictor } from "../predict/load.ts";
export type { LedgerItem } from "../predict/measure/ledger.ts";
export { measure } from "../predict/measure/measure.ts";
export type { Energy, Latencies, Measurable, Measurement, MeasureOptions, Scenario } from "../predict/measure/measurement.ts";
export type { MeasureInputs } from "../predict/measure/queries.ts";
export type { MeasureClock, RateTrial } from "../predict/measure/scenarios.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "../predict/metrics.ts";
export { NetworkPredictor } from "../predict/network.ts";
export { OutputPredictor, type Prediction } from "../predict/output-predictor.ts";
export {
  type Asked,
  type Best,
  type History,
  Search,
  type SearchOptions,
  search,
} from "../search/algorithms/ask-tell.ts";
export { defineSearch, keepState, type SearchFactory } from "../search/algorithms/define-search.ts";
export type { BlackBox, BlackBoxContext } from "../search/algorithms/evaluation.ts";
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
} from "../search/algorithms/index.ts";
export type { SearchAlgorithm, SearchSnapshot, SearchStart, SearchState } from "../search/algorithms/search.ts";
export type { Scale, SpaceOptions } from "../search/algorithms/space.ts";
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
} from "../search/minimize/minimize.ts";
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
} from "../search/tune.ts";
