import { DataError } from "../../errors/errors.ts";
import { denseRow, type Step, type Transformation } from "../rows.ts";

export interface CellsStep extends Step {
  readonly kind: "cells";
}

/**
 * Step `cells`: keeps the cells of a table as they are, for models that read categories and gaps themselves. A number
 * stays a number, a category is the index of its level, and NaN means missing. A level that the pipeline does not know
 * counts as missing.
 */
export const cells: Transformation<CellsStep> = {
  kind: "cells",

  output(_, input) {
    if (!input.cells) throw new DataError("pipeline", "cells must follow the cells of a table", "PIPELINE_STEP");
    return { ...input, stored: true, gaps: true };
  },

  start(_, { cells: columns }) {
    const out = denseRow(columns!.length);
    const isCategory = columns!.map(({ kind }) => kind === "category");
    return (row) => {
      for (let j = 0; j < isCategory.length; j++) {
        const value = row.values[j];
        out.values[j] = isCategory[j] && value < 0 ? NaN : value;
      }
      return out;
    };
  },
};
