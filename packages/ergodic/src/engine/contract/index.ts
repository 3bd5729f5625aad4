/**
 * Types shared by all parts of the library. Data flows one way: data → (model × algorithm) → loop → predict.
 *
 * A model bound to data is a `Problem`, which *offers* capabilities (row gradients, coordinates, columns, duals,
 * factors). An algorithm *needs* some of these capabilities, and turns a problem into a `Progression`. Without knowing
 * the algorithm, the loop can advance, watch, checkpoint and resume a progression.
 */

export type { Algorithm, AlgorithmDefaults } from "./algorithm.ts";
export type { ColumnBinding, ColumnTarget } from "./column-targets.ts";
export type { Companion, CoordinateMove, CoordinateState, Coordinates, Gap } from "./coordinates.ts";
export type { Curvature, CurvatureBinding, Curved } from "./curvature.ts";
export type { DualBinding, Duals } from "./duals.ts";
export type { Certificate, Conditionals, EndedChains, FactorTables, TableFactor } from "./factor-graphs.ts";
export type { FactorBinding, Factors } from "./factors.ts";
export type { Json, JsonObject } from "./json.ts";
export type {
  BindOptions,
  DensityBinding,
  DiscretePlace,
  LogDensity,
  MinibatchBinding,
  Minibatches,
  ParameterPlace,
  TemperedBinding,
} from "./log-density.ts";
export type { Beginning, Link, Model, PredictionKind, Prepared, SavedModel } from "./model.ts";
export type { ElementType, ParameterType, Plan } from "./plan.ts";
export type { ChangeOfVariables, Preconditioner } from "./preconditioner.ts";
export type { ParameterRange, Problem } from "./problem.ts";
export type { Advance, Progression, Snapshot, Tensor, Tick } from "./progression.ts";
export type { LaneBinding, Penalty, RowGradient } from "./row-gradients.ts";
export type { TreeGrowth, TreeState } from "./tree-growth.ts";
