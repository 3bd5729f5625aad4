/** Capability: loss and penalty by column. */

import type { Call } from "../memory/pool.ts";
import type { Penalty } from "./row-gradients.ts";

/**
 * Capability: F = Σ_i c_i ℓ(z_i, y_i) + penalty, where z_k = X β_k + b_k for each output k. The data is accessed by
 * column.
 */
export interface ColumnTarget {
  /** Number of rows. */
  readonly rowCount: number;
  /** Number of columns. */
  readonly columnCount: number;
  /** Number of outputs z per row. */
  readonly outputs: number;
  /** Whether there is an intercept. */
  readonly intercept: boolean;
  /** Whether coefficients must satisfy β ≥ 0. */
  readonly nonNegative: boolean;
  /** Penalty added to the loss. */
  readonly penalty: Penalty;
  /** Row weights c in the mean loss. */
  readonly rowWeights: Float64Array;
  /** Factor that multiplies the parameter of a stored intercept. Nearly 1 for data of 8 and 16 bits. */
  readonly one: number;
  /** Whether the loss is quadratic, with curvature c. */
  readonly quadratic: boolean;
  /** sup ∂²ℓ/∂z², if it is finite. */
  readonly curvature?: number;
  /** Whether all outputs share one loss. If so, the slope of each output depends on every output. */
  readonly joint: boolean;
  /** Binds the target with other row weights. In cross-validation, held-out rows get the weight 0. */
  bind(rowWeights: Float64Array): ColumnBinding;
}

/** A column target bound to memory. Members are addresses. Arrays over rows are f64[outputs][rows]. */
export interface ColumnBinding {
  /** Address of the COLUMNS block (memory/fields.ts). */
  readonly columns: number;
  /** Number of stored entries in all columns. */
  readonly entryCount: number;
  /**
   * Function table slots of kernels/learning/columns.ts that suit the storage format of the columns. `products` is 0
   * for dense columns.
   */
  readonly slots: Readonly<Record<"dot" | "add" | "addWeighted" | "spread" | "products", number>>;
  /** Address of the outputs. */
  readonly z: number;
  /** Address of the slopes c ∂ℓ/∂z. */
  readonly slopes: number;
  /** Address of the curvatures c ∂²ℓ/∂z². */
  readonly curvatures: number;
  /** Address of the row weights c, f64[rows]. */
  readonly weights: number;
  /**
   * Kernel calls that compute slopes c ∂ℓ/∂z and curvatures c ∂²ℓ/∂z² from z. There is one call per output, or a single
   * call for a joint loss. Afterwards, `loss()` returns Σ c ℓ.
   */
  readonly evaluation: readonly Call[];
  /** Returns Σ c ℓ of the last evaluation. */
  loss(): number;
  /** Returns a kernel as a function that runs on this thread, for work that is cheaper than a call to a worker. */
  here(kernel: string): (...args: number[]) => number;
  /**
   * Computes the sum over rows of c ℓ*(−α v/c), where v = −slopes is stored as f64[outputs][rows] at `v`. Absent if the
   * loss has no known conjugate.
   */
  readonly conjugate?: { calls(v: number, alpha: number): readonly Call[]; value(results: readonly number[]): number };
  /** Frees the memory. */
  dispose(): void;
}
