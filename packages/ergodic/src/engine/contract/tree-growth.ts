/** Capability: trees fitted to the derivatives of the loss, one round after another. */

import type { Plan } from "./plan.ts";

/** Capability: F(z) = Σ_i c_i ℓ(z_i, y_i), where z is the sum of trees. Algorithms add one round of trees at a time. */
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
   * round, and whether any tree divides the rows.
   */
  round(): Promise<{ readonly loss: number; readonly divides: boolean }>;
  /** Returns all trees in the layout of the problem's parameters, whose length grows with every round. */
  parameters(): Float64Array;
  /** Continues from the trees of a checkpoint, bit for bit. */
  restore(parameters: Float64Array, rounds: number): void;
  /** Returns numbers for ticks. */
  report(): Record<string, number>;
  /** Frees the memory. */
  dispose(): void;
}
