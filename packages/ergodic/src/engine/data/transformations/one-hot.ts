import { DataError } from "../../errors/errors.ts";
import type { Format } from "../layout.ts";
import { denseRow, type RawColumn, type Shape, SparseRow, type Step, type Transformation } from "../rows.ts";
import { checkStep, isFormat } from "../step-check.ts";
import { levelName } from "./level-name.ts";

export interface OneHotStep extends Step {
  readonly kind: "oneHot";
  readonly format: Format;
}

/**
 * Rows can only be sparse if there are more than LEAST_COLUMNS columns, and more than LEAST_SPARED columns per cell.
 * The reason is that a sparse entry takes more time and twice the memory of a dense number.
 */
const LEAST_COLUMNS = 200;
const LEAST_SPARED = 4;

/**
 * Chooses the storage format. Sparse rows save time and memory if a row has few non-zeros among many columns. Small
 * tables are always dense.
 */
export function chooseFormat(cells: readonly RawColumn[]): Format {
  const width = widthOf(cells);
  return width > LEAST_COLUMNS && width > LEAST_SPARED * cells.length ? "sparse" : "dense";
}

const columnsOf = (cell: RawColumn): number => (cell.kind === "category" ? cell.levels.length : 1);
const widthOf = (cells: readonly RawColumn[]): number => cells.reduce((sum, cell) => sum + columnsOf(cell), 0);

/** Returns, for each cell, the index of its first column. */
function offsetsOf(cells: readonly RawColumn[]): number[] {
  let next = 0;
  return cells.map((cell) => (next += columnsOf(cell)) - columnsOf(cell));
}

/**
 * Step `oneHot`: converts the cells of a table to columns of numbers. A number column is unchanged. A category with L
 * levels becomes L columns named "column=level", with 1 for the row's level and 0 elsewhere. An unknown level is all
 * zeros.
 *
 * @throws DataError naming row and column of a missing cell
 */
export const oneHot: Transformation<OneHotStep> = {
  kind: "oneHot",

  output(step, input) {
    const { cells } = input;
    checkStep("oneHot", isFormat(step.format), "a format");
    if (!cells) throw new DataError("pipeline", "oneHot must follow the cells of a table", "PIPELINE_STEP");
    let made: readonly string[] | undefined;
    const names = (): readonly string[] => {
      made ??= cells.flatMap((column) =>
        column.kind === "category" ? column.levels.map((level) => levelName(column.name, level)) : [column.name],
      );
      return made;
    };
    const shape: Shape = { columnCount: widthOf(cells), format: step.format, type: input.type, stored: true, names };
    if (step.format === "dense") return shape;
    const numbers = offsetsOf(cells).filter((_, j) => cells[j].kind === "number");
    return { ...shape, table: { numbers, most: cells.length } };
  },

  start(step, input, where) {
    const cells = input.cells!;
    const offsets = offsetsOf(cells);
    const categories = cells.map((column) => column.kind === "category");
    const check = (value: number, j: number, i: number) => {
      if (!Number.isNaN(value)) return;
      const advice = 'give it, or make the training data with impute: "mean", "median" or "mode", which fills gaps here, too';
      throw new DataError(where, `row ${i + 1} has no value in column "${cells[j].name}"; ${advice}`, "DATA_MISSING");
    };
    if (step.format === "dense") {
      const out = denseRow(widthOf(cells));
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
