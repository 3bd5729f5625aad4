/** Capability: gradients of rows. */

import type { ElementType } from "./plan.ts";

/** Added to the mean loss: l1 Σ w_j|p_j| + l2/2 Σ w_j p_j² + group Σ_g √|g| ‖p_g‖. */
export interface Penalty {
  /** Strength of Σ w|p|. */
  l1: number;
  /** Strength of Σ w p²/2. */
  l2: number;
  /** Strength of Σ_g √|g| ‖p_g‖. */
  group: number;
  /** w, laid out like the parameters; 0 for the intercept and padding. */
  weights: Float64Array;
  /** Columns of each group. */
  groups: number[][];
  /** Coefficients must not be negative. */
  nonNegative: boolean;
  /** Vectors of parameters, one after another. */
  outputs: number;
  /** Floats of one such vector. */
  stride: number;
}

/** Capability: the mean loss of listed rows and its gradient, as pieces (memory/fields.ts), from a kernel in the table. */
export interface RowGradient {
  /** Derivatives of one row that determine its gradient (its outputs), where it is derivative × row: control variates need this. */
  readonly derivativesPerRow?: number;
  /** Whether rows are sparse. */
  readonly sparse: boolean;
  /** What is added to the mean loss. */
  readonly penalty: Penalty;
  /** Largest curvature of the loss along one row, where known: sup ℓ'' max w‖x‖². SAG's and SAGA's default step sizes use it. */
  readonly smoothness?: number | undefined;
  /** Scratch memory and model block for one lane. `buffered`: single rows, too, give a dense gradient. `outputs`: networks leave them, too, in their parameters' type. */
  bind(lane: { batch: number; buffered: boolean; purpose: string; lane?: number; outputs?: boolean }): LaneBinding;
  /** Probability that a row touches each coordinate, laid out like the parameters; 1 where dense, 0 in padding. */
  readonly density: Float64Array;
  /** Multiplies the step of each coordinate, laid out like the parameters; absent: 1. */
  readonly rates?: Float64Array | undefined;
  /**
   * Numbers at the start of the parameters that gradients are for; absent: all. What follows is state that the model itself updates in place
   * (running statistics) or keeps (frozen layers): copied, averaged and kept with the parameters, but no rule touches it.
   */
  readonly trainedCount?: number;
  /** Gradients draw random numbers, by `updateAt` of a binding: the loss at a point is another one in each update. */
  readonly draws?: boolean;
}

/** Gradients of rows bound to memory for one lane. */
export interface LaneBinding {
  /** Kernels: (model, parameters, rows, count, control, pieces) → mean loss; (model, parameters, rows, count) → mean loss. */
  readonly gradientSlot: number;
  /** In the table: (model, rows, count) → mean loss, without a gradient. */
  readonly objectiveSlot: number;
  /** (model, rows, count) → anything: reads rows ahead of their use. */
  readonly touchSlot: number;
  /** Address of the model's block. */
  readonly model: number;
  /** Address of the pieces of a gradient. */
  readonly pieces: number;
  /** Where the objective leaves the outputs of a batch (f64). */
  readonly outputsAt: number;
  /** Address of the f64 by which the model multiplies its parameters. */
  readonly scaleAt: number;
  /** What the pieces hold. */
  readonly piece: { type: ElementType; indexed: boolean };
  /** Address of an f64 that takes the lane's number of each update, where the model draws random numbers by it. */
  readonly updateAt?: number;
  /** Gives memory back. */
  dispose(): void;
}
