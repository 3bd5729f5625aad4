import { DataError } from "../../errors/errors.ts";
import type { Format } from "../layout.ts";
import { numberGiven } from "../number-cells.ts";
import { isArrays, isSparseTable, isTable, namedCells, numberCell, type RawRows, rowCountOf, tableNumbers } from "../raw.ts";
import { denseRow, type ReadRow, type RowSource, type Shape, type SourceStep, SparseRow } from "../rows.ts";
import { checkStep, isCount, isFormat, isTexts } from "../step-check.ts";
import type { Row, SparseTable } from "../table.ts";
import { listOf } from "./columns.ts";
import type { Source } from "./source.ts";

export interface NumbersStep extends SourceStep {
  readonly kind: "numbers";
  readonly format: Format;
  readonly columnCount: number;
  /** Column names. null: x0, x1, … */
  readonly names: readonly string[] | null;
  /** Whether the columns are hashes of names. */
  readonly hashed?: boolean;
  /** Whether a value can be missing: NaN, null or undefined. */
  readonly gaps?: boolean;
}

/**
 * Source step `numbers`: rows that already consist of numbers, dense or sparse, with or without names.
 *
 * Accepts arrays by position, a `Table` or objects by column name, and a `SparseTable` by column index (or by name if
 * both sides have names). In sparse rows and in objects, a column that is absent has the value 0. A column that the
 * pipeline does not know is dropped, because a model has no weight for it. Sparse test files often have columns that
 * the training file lacks. Dense rows need every column. Hashed names need the pipeline's number of columns, because a
 * hash of another length gives unrelated columns.
 *
 * @throws DataError for an absent column, a row of another length, names hashed into another number of columns, a value that is not
 * finite
 */
export const numbers: Source<NumbersStep> = {
  kind: "numbers",

  output(step) {
    checkStep("numbers", isFormat(step.format) && isCount(step.columnCount), "a format and a number of columns");
    const { names } = step;
    checkStep("numbers", !step.gaps || step.format === "dense", "dense rows if values can be missing");
    checkStep("numbers", names === null || (isTexts(names) && names.length === step.columnCount), "a name per column, or null");
    return shapeOf(step);
  },

  open(step, raw, where): RowSource {
    const shape = shapeOf(step);
    const read = step.format === "dense" ? denseReader(step, shape, raw, where) : sparseReader(step, shape, raw, where);
    const rowCount = rowCountOf(raw);
    return {
      rowCount,
      shape,
      ...(isSparseTable(raw) ? { entryCount: raw.rowStart[rowCount] } : {}),
      open: () => (i) => {
        const row = read(i);
        for (let k = 0; k < row.count; k++) {
          const value = row.values[k];
          if (value - value === 0 || (step.gaps && Number.isNaN(value))) continue;
          const name = shape.names()[row.columns ? row.columns[k] : k];
          throw new DataError(where, `row ${i + 1}: column "${name}" is ${value}, but must be a finite number`, "DATA_VALUE");
        }
        return row;
      },
    };
  },
};

function shapeOf(step: NumbersStep): Shape {
  let names = step.names;
  return {
    columnCount: step.columnCount,
    format: step.format,
    type: step.type,
    stored: true,
    ...(step.gaps ? { gaps: true } : {}),
    names: () => (names ??= Array.from({ length: step.columnCount }, (_, j) => `x${j}`)),
    name: (j) => names?.[j] ?? `x${j}`,
  };
}

function denseReader(step: NumbersStep, shape: Shape, raw: RawRows, where: string): ReadRow {
  const row = denseRow(step.columnCount);
  if (isSparseTable(raw)) {
    const read = entriesReader(step, raw);
    return (i) => {
      const entries = read(i);
      row.values.fill(0);
      for (let k = 0; k < entries.count; k++) row.values[entries.columns![k]] = entries.values[k];
      return row;
    };
  }
  if (isArrays(raw)) {
    const rows = raw;
    const name = columnOf(shape);
    return (i) => {
      const given = listOf(rows[i], step.columnCount, where, i);
      for (let j = 0; j < step.columnCount; j++) {
        // Checked inline because passing the number to a function would box it.
        const value = given[j];
        if (typeof value === "number") row.values[j] = value;
        else row.values[j] = step.gaps && (value === null || value === undefined) ? NaN : numberGiven(value, where, i, name, j);
      }
      return row;
    };
  }
  const named = namedCells(raw, where);
  const cells = shape.names().map((name) => named.numbers(name));
  return (i) => {
    for (let j = 0; j < cells.length; j++) row.values[j] = cells[j](i);
    return row;
  };
}

function sparseReader(step: NumbersStep, shape: Shape, raw: RawRows, where: string): ReadRow {
  if (isSparseTable(raw)) return entriesReader(step, raw);
  const out = new SparseRow();
  if (isArrays(raw)) {
    const rows = raw;
    const name = columnOf(shape);
    return (i) => {
      out.count = 0;
      const given = listOf(rows[i], step.columnCount, where, i);
      for (let j = 0; j < step.columnCount; j++) {
        const value = numberGiven(given[j], where, i, name, j);
        if (value !== 0) out.push(j, value);
      }
      return out;
    };
  }
  const index = new Map(shape.names().map((name, j) => [name, j]));
  if (isTable(raw)) {
    const known = raw.columns.filter((column) => index.has(column.name));
    const cells = known
      .map((column) => ({ j: index.get(column.name)!, read: tableNumbers(column, where) }))
      .sort((a, b) => a.j - b.j);
    return (i) => {
      out.count = 0;
      for (const { j, read } of cells) {
        const value = read(i);
        if (value !== 0) out.push(j, value);
      }
      return out;
    };
  }
  const rows: readonly Row[] = raw;
  return (i) => {
    out.count = 0;
    const found = Object.keys(rows[i]).flatMap((name) => index.get(name) ?? []);
    for (const j of found.sort((a, b) => a - b)) {
      const value = numberCell(rows[i], shape.names()[j], where, i);
      if (value !== 0) out.push(j, value);
    }
    return out;
  };
}

function columnOf(shape: Shape): (j: number) => string {
  return (j) => `column "${shape.names()[j]}"`;
}

/** Reads the rows of a sparse table in the pipeline's column order. */
function entriesReader(step: NumbersStep, table: SparseTable): ReadRow {
  const { rowStart, columnIndex, values } = table;
  if (step.hashed && table.hashed && table.columnCount !== step.columnCount) {
    const had = `names are hashed into ${table.columnCount} columns, the model's into ${step.columnCount}`;
    throw new DataError(table.source, `${had}; read them with bits: ${31 - Math.clz32(step.columnCount)}`, "DATA_SHAPE");
  }
  const out = new SparseRow();
  const renamed = renaming(step, table);
  if (!renamed) {
    return (i) => {
      out.count = 0;
      for (let k = rowStart[i]; k < rowStart[i + 1]; k++)
        if (columnIndex[k] < step.columnCount) out.push(columnIndex[k], values[k]);
      return out;
    };
  }
  return (i) => {
    out.count = 0;
    const entries: [number, number][] = [];
    for (let k = rowStart[i]; k < rowStart[i + 1]; k++) {
      if (renamed[columnIndex[k]] >= 0) entries.push([renamed[columnIndex[k]], values[k]]);
    }
    for (const [column, value] of entries.sort((a, b) => a[0] - b[0])) out.push(column, value);
    return out;
  };
}

/** Returns the pipeline column of each table column (−1 = unknown), or null if the two orders already agree. */
function renaming(step: NumbersStep, table: SparseTable): Int32Array | null {
  const { names } = step;
  if (!names || !table.names || table.names.every((name, j) => j >= names.length || name === names[j])) return null;
  const index = new Map(names.map((name, j) => [name, j]));
  return Int32Array.from(table.names, (name) => index.get(name) ?? -1);
}
