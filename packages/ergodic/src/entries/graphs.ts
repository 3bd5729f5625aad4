/** `ergodic/graphs`: factor graphs and knowledge bases, inference with certificates, and learning of weights. */
import "./at-start.ts"; // left out by bundlers

export { Answer, type BestState, type VariableMarginal } from "../graphs/answers/index.ts";
export { type ImportanceSamplingOptions, importanceSampling } from "../graphs/bounds/importance-sampling.ts";
export { type MiniBucketsOptions, miniBuckets } from "../graphs/bounds/mini-buckets.ts";
export { type EliminationOptions, elimination } from "../graphs/exact/elimination.ts";
export { type LoopyBeliefPropagationOptions, loopyBeliefPropagation } from "../graphs/exact/loopy-belief-propagation.ts";
export { type NaiveMeanFieldOptions, naiveMeanField } from "../graphs/exact/naive-mean-field.ts";
export { automatic } from "../graphs/infer/automatic.ts";
export { type InferOptions, type InferWatchOptions, infer } from "../graphs/infer/infer.ts";
export { inferenceFromJson, inferenceNames } from "../graphs/infer/registry.ts";
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
export type { InferenceAlgorithm, InferencePlan, InferenceTask, PartAnswer, PartInference } from "../graphs/parts/algorithm.ts";
export {
  type AnnealedImportanceSamplingOptions,
  annealedImportanceSampling,
} from "../graphs/sampling/ensembles/annealed-importance-sampling.ts";
export { type GraphLadderOptions, graphTempering } from "../graphs/sampling/ensembles/graph-tempering.ts";
export { type GraphGibbsOptions, graphGibbs } from "../graphs/sampling/gibbs/graph-gibbs.ts";
export type { GraphTemperingOptions } from "../graphs/sampling/gibbs/tempered-chains.ts";
export { type ReplicaGibbsOptions, replicaGibbs } from "../graphs/sampling/replicas/replica-gibbs.ts";
export { type GraphAnnealingOptions, graphAnnealing } from "../graphs/search/graph-annealing.ts";
export { type IteratedConditionalModesOptions, iteratedConditionalModes } from "../graphs/search/iterated-conditional-modes.ts";
