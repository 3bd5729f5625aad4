import { DataError } from "../../errors/errors.ts";
import { isList, numberGiven, told } from "../number-cells.ts";
import { columnFinder, isArrays, isSparseTable, isTable, listed, namedCells, rowCountOf } from "../raw.ts";
import { denseRow, type RawColumn, type RowSource, type Shape, type SourceStep } from "../rows.ts";
import { checkStep, isRawColumn } from "../step-check.ts";
import type { Column, Row, SparseTable, Table } from "../table.ts";
import { sortedLevels } from "../target.ts";
import type { Source } from "./source.ts";

export interface ColumnsStep extends SourceStep {
  readonly kind: "columns";
  readonly columns: readonly RawColumn[];
  /**
   * Handling of a level that did not occur when the pipeline was made: "zero" gives all zeros after one-hot coding, and
   * "refuse" throws an error.
   */
  readonly unknown: "zero" | "refuse";
}

/**
 * Returns the columns of `table` except `others`, with sorted levels. The levels of a column are the levels that occur
 * in rows. If `all` is true, they are all levels that the table lists.
 */
export function fitColumns(table: Table, others: ReadonlySet<string>, all = false): RawColumn[] {
  return table.columns
    .filter((column) => !others.has(column.name))
    .map((column) => {
      if (column.kind === "number") return { name: column.name, kind: "number" };
      const used = new Set<number>(column.codes);
      const levels = column.levels.filter((_, code) => all || used.has(code));
      return { name: column.name, kind: "category", levels: sortedLevels(levels) };
    });
}

/**
 * Source step `columns`: the chosen columns of a table, cell by cell. A number stays a number (NaN = missing). A
 * category becomes its index in `levels` (NaN = missing, −1 = a level that the pipeline does not know). The next step
 * is always `oneHot`, or `impute` and then `oneHot`.
 *
 * Accepts a `Table` or objects by column name, with columns in any order and extra columns ignored. Arrays by position
 * are accepted if all columns are numeric.
 *
 * @throws DataError for an absent column, text in a number column, an unknown level with unknown: "refuse"
 */
export const columns: Source<ColumnsStep> = {
  kind: "columns",

  output(step) {
    checkStep("columns", Array.isArray(step.columns) && step.columns.every(isRawColumn), "columns with a name and a kind each");
    checkStep("columns", step.unknown === "zero" || step.unknown === "refuse", 'unknown: "zero" or "refuse"');
    return shapeOf(step);
  },

  open(step, raw, where): RowSource {
    const reader = isSparseTable(raw) || isArrays(raw) ? positionReader(step, raw, where) : nameReader(step, raw, where);
    const cells = step.columns.map(reader);
    const row = denseRow(cells.length);
    const rowCount = rowCountOf(raw);
    return {
      rowCount,
      shape: shapeOf(step),
      open: () => (i) => {
        for (let j = 0; j < cells.length; j++) row.values[j] = cells[j](i);
        return row;
      },
    };
  },
};

function shapeOf(step: ColumnsStep): Shape {
  const names = step.columns.map((column) => column.name);
  return { columnCount: names.length, format: "dense", type: step.type, stored: false, cells: step.columns, names: () => names };
}

type CellReader = (column: RawColumn, position: number) => (i: number) => number;

type PartReader = (texts: (i: number) => string | null, column: RawColumn, where: string) => (i: number) => number;

let parts: PartReader | undefined;

function partReader(): PartReader {
  if (parts) return parts;
  throw new DataError(
    "pipeline",
    "holds parts of dates, but their reader is not loaded; read the model by predictor()",
    "PIPELINE_STEP",
  );
}

/** Registers the reader of dates (dates.ts), which programs load only if they use dates. */
export function readPartsBy(reader: PartReader): void {
  parts = reader;
}

function positionReader(step: ColumnsStep, raw: SparseTable | readonly ArrayLike<number>[], where: string): CellReader {
  if (isSparseTable(raw)) throw unfit(where, "sparse rows");
  return (column, position) => {
    if (column.kind === "category" || column.of !== undefined)
      throw unfit(where, `arrays, and column "${column.name}" holds text`);
    const name = () => `column "${column.name}"`;
    return (i) => {
      const value = listOf(raw[i], step.columns.length, where, i)[position];
      return value === null || value === undefined ? NaN : numberGiven(value, where, i, name);
    };
  };
}

/** Cache of level indices for each list of levels, so that the index is not rebuilt for every predicted row. */
const indexes = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

export function levelIndex(levels: readonly string[]): ReadonlyMap<string, number> {
  let index = indexes.get(levels);
  if (!index) {
    index = new Map(levels.map((level, k) => [level, k]));
    indexes.set(levels, index);
  }
  return index;
}

function nameReader(step: ColumnsStep, raw: Table | readonly Row[], where: string): CellReader {
  const cells = namedCells(raw, where);
  const find = isTable(raw) ? columnFinder(raw, "column") : undefined;
  return (column) => {
    if (column.of !== undefined) return partReader()(cells.texts(column.of), column, where);
    if (column.kind === "number") return checked(cells.numbers(column.name), column.name, where);
    const index = levelIndex(column.levels);
    const place = (level: string, i: number): number => {
      const found = index.get(level);
      if (found !== undefined) return found;
      if (step.unknown === "zero") return -1;
      const known = `column "${column.name}" was made with (${listed(column.levels)})`;
      throw new DataError(where, `row ${i + 1}: "${level}" is not a level that ${known}`, "DATA_LEVEL");
    };
    const given = find?.(column.name);
    if (given?.kind === "category") return placeReader(given, place);
    const text = cells.texts(column.name);
    return (i) => {
      const level = text(i);
      return level === null ? NaN : place(level, i);
    };
  };
}

/** Returns the level index for a code of the table. Each level is looked up only once, when it first occurs. */
function placeReader({ codes, levels }: Column & { kind: "category" }, place: (level: string, i: number) => number) {
  const unknown = -2;
  const places = new Int32Array(levels.length).fill(unknown);
  return (i: number): number => {
    const code = codes[i];
    if (code < 0) return NaN;
    if (places[code] === unknown) places[code] = place(levels[code], i);
    return places[code];
  };
}

/** Checks that a row that is given by position has exactly `length` cells, and returns the row. */
export function listOf(row: unknown, length: number, where: string, i: number): ArrayLike<unknown> {
  if (!isList(row)) {
    throw new DataError(
      where,
      `row ${i + 1} is ${told(row)}, but must be a list of ${length} numbers, one for each column`,
      "DATA_SHAPE",
    );
  }
  if (row.length === length) return row;
  throw new DataError(where, `row ${i + 1} has ${row.length} values, but the data has ${length} columns`, "DATA_SHAPE");
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
