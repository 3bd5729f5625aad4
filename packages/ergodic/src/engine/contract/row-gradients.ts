/** Capability: row gradients. */

import type { ElementType } from "./plan.ts";

/** Penalty added to the mean loss: l1 Σ w_j|p_j| + l2/2 Σ w_j p_j² + group Σ_g √|g| ‖p_g‖. */
export interface Penalty {
  /** Strength of Σ w|p|. */
  l1: number;
  /** Strength of Σ w p²/2. */
  l2: number;
  /** Strength of Σ_g √|g| ‖p_g‖. */
  group: number;
  /** Weights w, laid out like the parameters; 0 for the intercept and padding. */
  weights: Float64Array;
  /** Columns of each group. */
  groups: number[][];
  /** Whether coefficients must be non-negative. */
  nonNegative: boolean;
  /** Number of parameter vectors, stored consecutively. */
  outputs: number;
  /** Floats per parameter vector. */
  stride: number;
}

/**
 * Capability: mean loss over a list of rows, with its gradient. A kernel in the function table writes the gradient as
 * pieces (memory/fields.ts).
 */
export interface RowGradient {
  /**
   * Number of derivatives per row, one per output. Present if a row's gradient is the row times these derivatives.
   * Control variates need this number.
   */
  readonly derivativesPerRow?: number;
  /** Whether rows are sparse. */
  readonly sparse: boolean;
  /** Penalty added to the mean loss. */
  readonly penalty: Penalty;
  /**
   * Largest curvature of the loss along a row, sup ℓ'' max w‖x‖², if known. Default step sizes of SAG and SAGA use it.
   */
  readonly smoothness?: number | undefined;
  /**
   * Binds scratch memory and a model block for one lane. `buffered`: whether single rows also give a dense gradient.
   * `outputs`: networks also store their outputs, in the type of the parameters.
   */
  bind(lane: { batch: number; buffered: boolean; purpose: string; lane?: number; outputs?: boolean }): LaneBinding;
  /** Probability that a row touches each coordinate, laid out like the parameters. 1 for dense data, 0 in padding. */
  readonly density: Float64Array;
  /** Step multiplier of each coordinate, laid out like the parameters. If absent, all are 1. */
  readonly rates?: Float64Array | undefined;
  /**
   * Number of leading parameters that have gradients; all if absent. The other parameters are state that the model
   * updates in place (running statistics) or keeps fixed (frozen layers). This state is copied, averaged and stored
   * with the parameters, but no rule changes it.
   */
  readonly trainedCount?: number;
  /**
   * Whether gradients draw random numbers, seeded by `updateAt` of a binding. If so, the loss at a point differs
   * between updates.
   */
  readonly draws?: boolean;
}

/** Row gradients bound to memory for one lane. */
export interface LaneBinding {
  /**
   * Slot in the function table: (model, parameters, rows, count, control, pieces) → mean loss. Writes the gradient to
   * the pieces.
   */
  readonly gradientSlot: number;
  /** Slot in the function table: (model, parameters, rows, count) → mean loss, without a gradient. */
  readonly objectiveSlot: number;
  /** Slot in the function table: (model, rows, count) → anything. Prefetches rows. */
  readonly touchSlot: number;
  /** Address of the model's block. */
  readonly model: number;
  /** Address of the gradient pieces. */
  readonly pieces: number;
  /** Address to which the objective writes the outputs of a batch (f64). */
  readonly outputsAt: number;
  /** Address of the f64 that scales the model's parameters. */
  readonly scaleAt: number;
  /** Number format of the pieces. */
  readonly piece: { type: ElementType; indexed: boolean };
  /** Address of an f64 to which the lane's update index is written, if the model's random draws depend on it. */
  readonly updateAt?: number;
  /** Frees the memory. */
  dispose(): void;
}
