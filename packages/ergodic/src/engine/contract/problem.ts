/** A model bound to data, with the capabilities that it offers. */

import type { ColumnTarget } from "./column-targets.ts";
import type { Coordinates } from "./coordinates.ts";
import type { Curvature } from "./curvature.ts";
import type { Duals } from "./duals.ts";
import type { Factors } from "./factors.ts";
import type { RowGradient } from "./row-gradients.ts";

/** Some parameters: their first place, how many they are, and what the numbers of files are times them (absent: 1). */
export type ParameterRange = readonly [from: number, count: number, factor?: number];

/** A model bound to a dataset. */
export interface Problem {
  /** The model's name, for errors. */
  readonly name: string;
  /** Rows of data. */
  readonly rowCount: number;
  /** Floats in one copy of the parameters, padding included. */
  readonly parameterCount: number;
  /** Gradients of rows, if the problem offers them. */
  readonly rowGradient?: RowGradient;
  /** Moves along coordinates, if the problem offers them. */
  readonly coordinates?: Coordinates;
  /** Its dual, if the problem offers it. */
  readonly duals?: Duals;
  /** Loss and penalty column by column, if the problem offers them. */
  readonly byColumns?: ColumnTarget;
  /** Its Hessian, if the problem offers it. */
  readonly curvature?: Curvature;
  /** Two sides of factors, if the problem offers them. */
  readonly factors?: Factors;
  /** What 1 of its losses is in the units of the target, in which runs report: problems may rescale the target, so that steps do not go by its unit. Absent: 1. */
  readonly lossUnit?: number;
  /** Why there is no minimum, where a mean loss as small as this one shows it. */
  endless?(loss: number): string | undefined;
  /** Where the parameters start; zeros if absent. */
  readonly start?: Float64Array | undefined;
  /** Its numbers as a file names them: each one or several ranges of the parameters, so that a model can begin from a checkpoint's. Absent: none can. */
  readonly parts?: Readonly<Record<string, readonly ParameterRange[]>>;
  /** Gives memory back. */
  dispose(): void;
}
