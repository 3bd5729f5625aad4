/** Capability: loss and penalty column by column. */

import type { Call } from "../memory/pool.ts";
import type { Penalty } from "./row-gradients.ts";

/** Capability: F = Σ_i c_i ℓ(z_i, y_i) + penalty, z_k = X β_k + b_k for each output k, column by column. */
export interface ColumnTarget {
  /** Rows of data. */
  readonly rowCount: number;
  /** Columns of data. */
  readonly columnCount: number;
  /** Outputs z per row. */
  readonly outputs: number;
  /** Whether there is an intercept. */
  readonly intercept: boolean;
  /** β ≥ 0. */
  readonly nonNegative: boolean;
  /** What is added to the loss. */
  readonly penalty: Penalty;
  /** c: the rows' weights in the mean. */
  readonly rowWeights: Float64Array;
  /** What a stored intercept's parameter is multiplied with: nearly 1 for data of 8 and 16 bits. */
  readonly one: number;
  /** A quadratic loss of curvature c. */
  readonly quadratic: boolean;
  /** sup ∂²ℓ/∂z², where bounded. */
  readonly curvature?: number;
  /** Outputs share one loss, so that each one's slopes depend on all. */
  readonly joint: boolean;
  /** With row weights of its own: folds of cross-validation are rows of weight 0. */
  bind(rowWeights: Float64Array): ColumnBinding;
}

/** Addresses; arrays over rows are f64[outputs][rows]. */
export interface ColumnBinding {
  /** COLUMNS block (memory/fields.ts), and the slots of kernels/learning/columns.ts on its format. */
  readonly columns: number;
  /** Stored numbers of all columns. */
  readonly entryCount: number;
  /** Slots of kernels/learning/columns.ts on the columns' format; `products` is 0 where they are dense. */
  readonly slots: Readonly<Record<"dot" | "add" | "addWeighted" | "spread" | "products", number>>;
  /** Address of the outputs. */
  readonly z: number;
  /** Address of c ∂ℓ/∂z. */
  readonly slopes: number;
  /** Address of c ∂²ℓ/∂z². */
  readonly curvatures: number;
  /** f64[rows]: c. */
  readonly weights: number;
  /** Fill slopes c ∂ℓ/∂z and curvatures c ∂²ℓ/∂z² from z, one call an output, or one in all where the loss is joint; then `loss()` is Σ c ℓ. */
  readonly evaluation: readonly Call[];
  /** Σ c ℓ of the last evaluation. */
  loss(): number;
  /** A kernel, called on this thread: for what is less than a call to a worker. */
  here(kernel: string): (...args: number[]) => number;
  /** Σ c ℓ*(−α v/c) over the rows of v = −slopes, f64[outputs][rows] at `v`; absent where the loss states no conjugate. */
  readonly conjugate?: { calls(v: number, alpha: number): readonly Call[]; value(results: readonly number[]): number };
  /** Gives memory back. */
  dispose(): void;
}
