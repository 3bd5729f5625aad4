/** Settings of a linear model that is bound to a dataset. */
import type { ParameterType } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Loss } from "../loss.ts";

export interface LinearProblemOptions {
  loss: Loss;
  outputs: number;
  intercept: boolean;
  /** Initial parameters, in the model's layout. Default: 0. */
  start?: Float64Array | undefined;
  l1: number;
  l2: number;
  group: number;
  groups: number[][];
  /** β ≥ 0. */
  nonNegative: boolean;
  /** One weight per column. */
  penaltyWeights: Float64Array | undefined;
  /** One weight per class. */
  classWeights: Float64Array | undefined;
  model: ParameterType;
  deterministic: boolean;
}

/** Parts of a linear problem that implementations of its capabilities share. */
export interface LinearParts {
  data: Dataset;
  engine: Engine;
  options: LinearProblemOptions;
  columns: number;
  stride: number;
  /** Address of the targets, f64 per row, coded for one output. */
  target: number;
  /** Address of the row weights, f64 per row, or 0. */
  weights: number;
}
