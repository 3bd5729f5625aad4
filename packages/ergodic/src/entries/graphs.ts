/** `ergodic/graphs`: factor graphs and knowledge bases, inference with certificates, and weight learning. */
import "../engine/optimise/at-start.ts"; // left out by bundlers

export { Answer, type BestState, type VariableMarginal } from "../graphs/answers/index.ts";
export * from "../graphs/infer/all.ts";
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
  type StateSum,
  type UnknownBelief,
  type WeightedRule,
  weightedRule,
} from "../graphs/knowledge/index.ts";
export * from "../graphs/learn/all.ts";
export type { GraphFitOptions } from "../graphs/learn/graph.ts";
export type { GraphLikelihood, GraphLikelihoodOptions } from "../graphs/learn/graph-likelihood.ts";
export type { LearnedGraph } from "../graphs/learn/learned-graph.ts";
export type { GraphLearner, LearningPlan } from "../graphs/learn/learner.ts";
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
export type { GraphTemperingOptions } from "../graphs/sampling/gibbs/tempered-chains.ts";
