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
  /** Weights w in the layout of the parameters. The weights of the intercept and of padding are 0. */
  weights: Float64Array;
  /** Columns of each group. */
  groups: number[][];
  /** Whether coefficients must be non-negative. */
  nonNegative: boolean;
  /** Number of parameter vectors, which are stored one after another. */
  outputs: number;
  /** Floats per parameter vector. */
  stride: number;
}

/**
 * Capability: mean loss over a list of rows, with its gradient. A kernel from the function table writes the gradient as
 * pieces (memory/fields.ts).
 */
export interface RowGradient {
  /**
   * Number of derivatives per row, one per output. Present if the gradient of a row is the row multiplied by these
   * derivatives. Control variates need this number.
   */
  readonly derivativesPerRow?: number;
  /** Whether rows are sparse. */
  readonly sparse: boolean;
  /** Penalty added to the mean loss. */
  readonly penalty: Penalty;
  /**
   * Largest curvature of the loss along any row, sup ℓ'' max w‖x‖², if known. The default step sizes of SAG and SAGA
   * depend on this curvature.
   */
  readonly smoothness?: number | undefined;
  /**
   * Binds scratch memory and a model block for one lane. `buffered`: whether single rows also give a dense gradient.
   * `outputs`: networks also store their outputs, in the type of the parameters.
   */
  bind(lane: { batch: number; buffered: boolean; purpose: string; lane?: number; outputs?: boolean }): LaneBinding;
  /**
   * Probability that a random row touches a coordinate, in the layout of the parameters. 1 for dense data, 0 in
   * padding.
   */
  readonly density: Float64Array;
  /** Step multiplier of each coordinate, in the layout of the parameters. If absent, all are 1. */
  readonly rates?: Float64Array | undefined;
  /**
   * Number of leading parameters that have gradients. If absent, all parameters have gradients. The other parameters
   * are state that has no gradient: running statistics, which the model updates in place, or frozen layers. Such state
   * is copied, averaged and stored with the parameters, but rules do not change it.
   */
  readonly trainedCount?: number;
  /**
   * Whether gradients draw random numbers, seeded by the update index at the binding's `updateAt`. If true, the loss at
   * a point differs from update to update.
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
  /** Slot in the function table: (model, rows, count) → a result that is ignored. Prefetches rows. */
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
  /** Address of an f64 that receives the lane's update index, if the model's random draws depend on this index. */
  readonly updateAt?: number;
  /** Frees the memory. */
  dispose(): void;
}
