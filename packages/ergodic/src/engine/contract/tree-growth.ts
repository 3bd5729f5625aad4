/** Capability: trees fitted to the derivatives of the loss, one round after another. */

import type { Plan } from "./plan.ts";
import type { Tensor } from "./progression.ts";

/**
 * Capability: F(z) = Σ_i c_i ℓ(z_i, y_i), where z is the sum of trees, or their mean. Algorithms add one round of trees at
 * a time.
 */
export interface TreeGrowth {
  /** Returns a new state at the problem's starting point. */
  open(plan: Plan): TreeState;
}

/** The trees so far, with the outputs z of all rows. */
export interface TreeState {
  /** Number of rounds so far, without those of an earlier run. */
  readonly rounds: number;
  /** Whether a round uses some of the rows or columns, so that a later round can divide what this one could not. */
  readonly samples: boolean;
  /**
   * Adds a round: one tree per output, fitted to the derivatives of the loss at z. Returns the mean loss before the
   * round, and whether any tree divides the rows. `ends`: reason why there are no further rounds, if there are none.
   */
  round(): Promise<{ readonly loss: number; readonly divides: boolean; readonly ends?: string }>;
  /** Returns all trees in the layout of the problem's parameters, whose length grows with every round. */
  parameters(): Float64Array;
  /** Returns what a checkpoint needs besides the trees. Default: nothing. */
  sums?(): Record<string, Tensor>;
  /** Continues from the trees of a checkpoint, bit for bit. `tensors`: those of `sums`, and others. */
  restore(parameters: Float64Array, rounds: number, tensors: Readonly<Record<string, Tensor>>): void;
  /** Returns numbers for ticks. */
  report(): Record<string, number>;
  /** Frees the memory. */
  dispose(): void;
}
