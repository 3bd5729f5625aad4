import { DataError, OptionError } from "../../errors/errors.ts";
import { shown } from "../../errors/shown.ts";
import type { Step, Transformation } from "../rows.ts";

export interface RowShapeStep extends Step {
  readonly kind: "rowShape";
  readonly sizes: readonly number[];
}

/**
 * Step `rowShape`: declares that the columns of a row form an array with the given sizes, such as [height, width,
 * channels] for an image. The last index varies fastest.
 *
 * Numbers are unchanged. Steps that make other columns (oneHot, hash, feature maps) discard the shape.
 *
 * @throws DataError PIPELINE_STEP unless the sizes multiply to the number of columns; OptionError OPTION_RANGE if they
 * come from a user
 */
export const rowShape: Transformation<RowShapeStep> = {
  kind: "rowShape",

  output({ sizes }, input) {
    const problem = misfit(sizes, input.columnCount);
    if (problem) throw new DataError("pipeline", `rowShape ${problem}`, "PIPELINE_STEP");
    return { ...input, rowShape: sizes };
  },

  start: () => (row) => row,
};

/** Returns the step for the user option `rowShape`. `where` prefixes the error. */
export function rowShapeStep(sizes: readonly number[], columnCount: number, where: string): RowShapeStep {
  const problem = misfit(sizes, columnCount);
  if (problem) throw new OptionError(where, `rowShape ${problem}`, "OPTION_RANGE");
  return { kind: "rowShape", sizes: [...sizes] };
}

function misfit(sizes: readonly number[], columnCount: number): string | null {
  if (!Array.isArray(sizes) || sizes.length === 0 || !sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    const numbers = Array.isArray(sizes) && sizes.every((size) => typeof size === "number");
    return `is ${numbers ? JSON.stringify(sizes) : shown(sizes)}, but must be a list of whole numbers from 1, like [height, width, channels]`;
  }
  const cells = sizes.reduce((product, size) => product * size, 1);
  if (cells === columnCount) return null;
  return `is [${sizes.join(", ")}], ${cells} values, but a row has ${columnCount} columns; give sizes that multiply to ${columnCount}`;
}
