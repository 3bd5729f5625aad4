/** Public exports of knowledge bases, listed explicitly. */
export type { Atom, AtomKind } from "./atom.ts";
export type { CalibrationBin, CalibrationTable } from "./calibration.ts";
export type { Cell, CellType, ColumnLists, ColumnTypes } from "./facts.ts";
export type { GroundingPlan, PlanStep, RulePlan } from "./grounding-plan.ts";
export type { JoinColumn, Joiner, JoinQuery, JoinSession } from "./joiner.ts";
export {
  type Beliefs,
  type KnowledgeBase,
  type KnowledgeBaseOptions,
  knowledgeBase,
  type UnknownBelief,
} from "./knowledge-base.ts";
export { type Query, type QueryOptions, query } from "./query.ts";
export { type Relation, relation } from "./relation.ts";
export { type RuleOptions, type Semantics, type WeightedRule, weightedRule } from "./rule.ts";
export type { Reason, Reasons, StateSum } from "./why.ts";
