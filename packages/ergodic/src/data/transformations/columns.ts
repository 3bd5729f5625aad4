/**
 * Source step `columns`: the chosen columns of a table, cell by cell. A number stays a number (NaN = missing); a category becomes
 * its index in `levels` (NaN = missing, −1 = a level that the pipeline does not know). Always followed, perhaps after `impute`, by
 * `oneHot`.
 *
 * Takes a `Table` or objects by column name, columns in any order and others ignored; arrays by position where all columns are
 * numbers.
 *
 * @throws DataError for an absent column, text in a number column, an unknown level with unknown: "refuse"
 */
import { DataError } from "../../base/errors.ts";
import {
  isArrays,
  isSparseTable,
  isTable,
  listed,
  numberCell,
  type RawRows,
  requireColumn,
  rowCountOf,
  tableNumbers,
  tableTexts,
  textCell,
} from "../raw.ts";
import { denseRow, type RawColumn, type RowSource, type Shape, type SourceStep } from "../rows.ts";
import type { Table } from "../table.ts";
import { sortedLevels } from "../target.ts";
import type { Source } from "./source.ts";

export interface ColumnsStep extends SourceStep {
  readonly kind: "columns";
  readonly columns: readonly RawColumn[];
  /** A level not seen when the pipeline was made: all zeros after one-hot, or an error. */
  readonly unknown: "zero" | "refuse";
}

/** The columns of `table` but for `others`, with the levels that occur, sorted. */
export function fitColumns(table: Table, others: ReadonlySet<string>): RawColumn[] {
  return table.columns
    .filter((column) => !others.has(column.name))
    .map((column) => {
      if (column.kind === "number") return { name: column.name, kind: "number" };
      const used = new Set<number>(column.codes);
      used.delete(-1);
      return { name: column.name, kind: "category", levels: sortedLevels([...used].map((code) => column.levels[code])) };
    });
}

export const columns: Source<ColumnsStep> = {
  kind: "columns",

  output: (step) => shapeOf(step),

  open(step, raw, where): RowSource {
    const cells = step.columns.map((column, position) => cellReader(column, position, step, raw, where));
    const row = denseRow(cells.length);
    const rowCount = rowCountOf(raw);
    return {
      rowCount,
      shape: shapeOf(step),
      forEach(visit) {
        for (let i = 0; i < rowCount; i++) {
          for (let j = 0; j < cells.length; j++) row.values[j] = cells[j](i);
          visit(row, i);
        }
      },
    };
  },
};

function shapeOf(step: ColumnsStep): Shape {
  const names = step.columns.map((column) => column.name);
  return { columnCount: names.length, format: "dense", type: step.type, stored: false, cells: step.columns, names: () => names };
}

function cellReader(column: RawColumn, position: number, step: ColumnsStep, raw: RawRows, where: string): (i: number) => number {
  if (isSparseTable(raw)) throw unfit(where, "sparse rows");
  if (isArrays(raw)) {
    if (column.kind === "category") throw unfit(where, `arrays, and column "${column.name}" holds text`);
    const rows = raw;
    return (i) => positioned(rows[i], position, step.columns.length, where, i);
  }
  if (column.kind === "number") {
    if (isTable(raw)) return checked(tableNumbers(requireColumn(raw, column.name, "column"), where), column.name, where);
    const rows = raw;
    return checked((i) => numberCell(rows[i], column.name, where, i), column.name, where);
  }
  const rows = raw;
  const text = isTable(rows)
    ? tableTexts(requireColumn(rows, column.name, "column"))
    : (i: number) => textCell(rows[i], column.name, where, i);
  const index = new Map(column.levels.map((level, k) => [level, k]));
  return (i) => {
    const level = text(i);
    if (level === null) return NaN;
    const found = index.get(level);
    if (found !== undefined) return found;
    if (step.unknown === "zero") return -1;
    const known = `column "${column.name}" was made with (${listed(column.levels)})`;
    throw new DataError(where, `row ${i + 1}: "${level}" is no level that ${known}`, "DATA_LEVEL");
  };
}

/** The number at a position of a row given as an array of exactly `length`. */
export function positioned(row: ArrayLike<number>, position: number, length: number, where: string, i: number): number {
  if (row.length !== length) {
    throw new DataError(where, `row ${i + 1} has ${row.length} values, but the data has ${length} columns`, "DATA_SHAPE");
  }
  return row[position];
}

function checked(read: (i: number) => number, name: string, where: string): (i: number) => number {
  return (i) => {
    const value = read(i);
    if (value === Infinity || value === -Infinity) {
      throw new DataError(where, `row ${i + 1}: column "${name}" is ${value}; give a finite number, or null`, "DATA_VALUE");
    }
    return value;
  };
}

function unfit(where: string, given: string): DataError {
  return new DataError(
    where,
    `the pipeline was made from a table with named columns, but got ${given}; give objects`,
    "DATA_SHAPE",
  );
}
