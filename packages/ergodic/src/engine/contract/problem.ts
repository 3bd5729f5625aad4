/** A model bound to data, with the capabilities that it offers. */

import type { ColumnTarget } from "./column-targets.ts";
import type { Coordinates } from "./coordinates.ts";
import type { Curvature } from "./curvature.ts";
import type { Duals } from "./duals.ts";
import type { Factors } from "./factors.ts";
import type { Preconditioner } from "./preconditioner.ts";
import type { RowGradient } from "./row-gradients.ts";
import type { TreeGrowth } from "./tree-growth.ts";

/** A range of parameters: first index and count. `factor` converts parameters to the numbers in files (1 if absent). */
export type ParameterRange = readonly [from: number, count: number, factor?: number];

/** A model bound to a dataset. */
export interface Problem {
  /** Name of the model, for errors. */
  readonly name: string;
  /** Number of rows. */
  readonly rowCount: number;
  /** Number of floats in one copy of the parameters, including padding. */
  readonly parameterCount: number;
  /** Row gradients, if the problem offers them. */
  readonly rowGradient?: RowGradient;
  /** Coordinate moves, if the problem offers them. */
  readonly coordinates?: Coordinates;
  /** Dual problem, if the problem offers it. */
  readonly duals?: Duals;
  /** Loss and penalty by column, if the problem offers them. */
  readonly byColumns?: ColumnTarget;
  /** Hessian, if the problem offers it. */
  readonly curvature?: Curvature;
  /** Variables in which the whole objective is well conditioned, if the problem offers them. */
  readonly preconditioner?: Preconditioner;
  /** Matrix factors, if the problem offers them. */
  readonly factors?: Factors;
  /** Trees fitted to the derivatives of the loss, if the problem offers them. */
  readonly trees?: TreeGrowth;
  /** Trees with means in their leaves, which do not depend on each other, if the problem offers them. */
  readonly forest?: TreeGrowth;
  /**
   * Factor that converts a loss into the units of the target. Runs report losses in these units. Problems can rescale
   * the target so that steps do not depend on its unit. Default 1.
   */
  readonly lossUnit?: number;
  /** Returns the reason if a mean loss this small proves that the objective has no minimum. */
  endless?(loss: number): string | undefined;
  /** Initial parameters; zeros if absent. */
  readonly start?: Float64Array | undefined;
  /**
   * Parameter ranges by their names in files, so that a model can start from a checkpoint. Absent if the model cannot
   * start from a checkpoint.
   */
  readonly parts?: Readonly<Record<string, readonly ParameterRange[]>>;
  /** Frees the memory. */
  dispose(): void;
}
