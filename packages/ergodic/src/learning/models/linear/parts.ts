/** What a linear model bound to a dataset is made of. */
import type { ParameterType } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Loss } from "../loss.ts";

export interface LinearProblemOptions {
  loss: Loss;
  outputs: number;
  intercept: boolean;
  /** Where parameters begin, as they are laid out; else at 0. */
  start?: Float64Array | undefined;
  l1: number;
  l2: number;
  group: number;
  groups: number[][];
  /** β ≥ 0. */
  nonNegative: boolean;
  /** One a column. */
  penaltyWeights: Float64Array | undefined;
  /** One a class. */
  classWeights: Float64Array | undefined;
  model: ParameterType;
  deterministic: boolean;
}

/** What the capabilities see of a linear problem. */
export interface LinearParts {
  data: Dataset;
  engine: Engine;
  options: LinearProblemOptions;
  columns: number;
  stride: number;
  /** f64 a row, coded for one output. */
  target: number;
  /** f64 a row, or 0. */
  weights: number;
}
