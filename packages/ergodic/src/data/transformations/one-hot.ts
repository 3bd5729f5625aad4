import { DataError } from "../../base/errors.ts";
import type { Format } from "../layout.ts";
import { denseRow, type RawColumn, SparseRow, type Step, type Transformation } from "../rows.ts";
import { checkStep, isFormat } from "../step-check.ts";

export interface OneHotStep extends Step {
  readonly kind: "oneHot";
  readonly format: Format;
}

/** Sparse pays where a row has few non-zeros for its columns; small tables stay dense whatever they hold. */
export function chooseFormat(cells: readonly RawColumn[]): Format {
  const width = cells.reduce((sum, column) => sum + (column.kind === "category" ? column.levels.length : 1), 0);
  return width > 1000 && width > 8 * cells.length ? "sparse" : "dense";
}

/**
 * Step `oneHot`: cells of a table → columns of numbers. A number column stays; a category column of L levels becomes L columns
 * named "column=level", 1 at the row's level and 0 elsewhere; an unknown level is all zeros.
 *
 * @throws DataError naming row and column where a cell is missing
 */
export const oneHot: Transformation<OneHotStep> = {
  kind: "oneHot",

  output(step, input) {
    const { cells } = input;
    checkStep("oneHot", isFormat(step.format), "a format");
    if (!cells) throw new DataError("pipeline", "oneHot must follow the cells of a table", "PIPELINE_STEP");
    const columnCount = cells.reduce((sum, column) => sum + (column.kind === "category" ? column.levels.length : 1), 0);
    let made: readonly string[] | undefined;
    const names = (): readonly string[] => {
      made ??= cells.flatMap((column) =>
        column.kind === "category" ? column.levels.map((level) => `${column.name}=${level}`) : [column.name],
      );
      return made;
    };
    return { columnCount, format: step.format, type: input.type, stored: true, names };
  },

  start(step, input, where) {
    const cells = input.cells!;
    const offsets: number[] = [];
    let width = 0;
    for (const column of cells) {
      offsets.push(width);
      width += column.kind === "category" ? column.levels.length : 1;
    }
    const categories = cells.map((column) => column.kind === "category");
    const check = (value: number, j: number, i: number) => {
      if (!Number.isNaN(value)) return;
      const advice = 'give it, or fill gaps with impute: "mean", "median" or "mode" when the dataset is made';
      throw new DataError(where, `row ${i + 1} has no value in column "${cells[j].name}"; ${advice}`, "DATA_MISSING");
    };
    if (step.format === "dense") {
      const out = denseRow(width);
      return (row, i) => {
        out.values.fill(0);
        for (let j = 0; j < cells.length; j++) {
          const value = row.values[j];
          check(value, j, i);
          if (!categories[j]) out.values[offsets[j]] = value;
          else if (value >= 0) out.values[offsets[j] + value] = 1;
        }
        return out;
      };
    }
    const out = new SparseRow();
    return (row, i) => {
      out.count = 0;
      for (let j = 0; j < cells.length; j++) {
        const value = row.values[j];
        check(value, j, i);
        if (categories[j]) {
          if (value >= 0) out.push(offsets[j] + value, 1);
        } else if (value !== 0) out.push(offsets[j], value);
      }
      return out;
    };
  },
};
