/** Exports of statistical models, their distributions and transforms, as an explicit list. */

export * from "../distributions/index.ts";
export { ConditionedModel, type NamedValues } from "./conditioned.ts";
export { type Bounds, type ConstraintWord, constraintWords, type ParameterConstraint } from "./constraints.ts";
export type { MarginaliseOptions, ModelContext, ModelTools, ParameterOptions } from "./context.ts";
export {
  type DataBounds,
  type DataField,
  type DataFields,
  type DataOf,
  type Extent,
  integer,
  type ModelData,
  matrix,
  type Numbers,
  real,
  tensor,
  vector,
} from "./fields.ts";
export type { GivenValue, GivenValues } from "./given-values.ts";
export { type HiddenMarkov, hiddenMarkov } from "./hidden-markov.ts";
export { hierarchyOf } from "./hierarchy.ts";
export type { Marginal, States, StateTerms } from "./marginalise.ts";
export { type ConditionOptions, type DataOfModel, model, type NamesOf, type StatisticalModel } from "./model.ts";
export type { FieldsOf, NamedContext, Reported } from "./named.ts";
export type { QuantityPlace } from "./programs.ts";
