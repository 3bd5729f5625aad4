/**
 * Access to raw rows: detects their form and finds their columns by name. Errors name the row, counted from 1, and the
 * column.
 */
import { DataError } from "../errors/errors.ts";
import { saysMissing } from "./missing-texts.ts";
import { told } from "./number-cells.ts";
import type { Column, Row, RowOf, SparseTable, Table } from "./table.ts";

/** Input of a pipeline: a table, a sparse table, objects by column name, or arrays by column position. */
export type RawRows<Names extends string = string> = Table | SparseTable | readonly RowOf<Names>[] | readonly ArrayLike<number>[];

export function isTable(raw: RawRows): raw is Table {
  return "columns" in raw;
}

export function isSparseTable(raw: RawRows): raw is SparseTable {
  return "rowStart" in raw;
}

/** Whether rows are arrays of numbers rather than objects by name. */
export function isArrays(raw: RawRows): raw is readonly ArrayLike<number>[] {
  if (!Array.isArray(raw)) return false;
  const first: unknown = raw[0];
  return Array.isArray(first) || ArrayBuffer.isView(first);
}

export function rowCountOf(raw: RawRows): number {
  return isTable(raw) || isSparseTable(raw) ? raw.rowCount : raw.length;
}

/** Returns the name of the rows in errors: the table's source or, for other rows, `otherwise`. */
export function sourceOf(raw: RawRows, otherwise: string): string {
  return isTable(raw) || isSparseTable(raw) ? raw.source : otherwise;
}

export function findColumn(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

/** Returns the column `name`. @throws DataError naming the table's columns */
export function requireColumn(table: Table, name: string, role: string): Column {
  const column = findColumn(table, name);
  if (column) return column;
  throw new DataError(
    table.source,
    `has no ${role} "${name}"; its columns are ${listed(table.columns.map((c) => c.name))}`,
    "DATA_COLUMN",
  );
}

/**
 * Same as `requireColumn`, but faster if many columns are looked up. Uses a map, because a table can have a million
 * columns.
 */
export function columnFinder(table: Table, role: string): (name: string) => Column {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  return (name) => byName.get(name) ?? requireColumn(table, name, role);
}

/** Cells of named columns, as functions of the row index: see `tableNumbers` and `tableTexts`. */
export interface NamedCells {
  numbers(name: string): (i: number) => number;
  texts(name: string): (i: number) => string | null;
}

/** Returns readers of named columns. @throws DataError, as `requireColumn` */
export function namedCells(raw: Table | readonly Row[], where: string): NamedCells {
  if (!isTable(raw)) {
    return {
      numbers: (name) => (i) => numberCell(raw[i], name, where, i),
      texts: (name) => (i) => textCell(raw[i], name, where, i),
    };
  }
  const find = columnFinder(raw, "column");
  return { numbers: (name) => tableNumbers(find(name), where), texts: (name) => tableTexts(find(name)) };
}

/**
 * Returns the cell of column `name` as a number. A missing cell (null, undefined, or a string that means "no value")
 * gives NaN.
 */
export function numberCell(row: Row, name: string, where: string, index: number): number {
  const cell = presentCell(row, name, where, index);
  if (typeof cell === "number") return cell;
  if (typeof cell === "boolean") return cell ? 1 : 0;
  if (isMissing(cell) || (typeof cell === "string" && cell.trim() === "")) return NaN;
  if (typeof cell !== "string" && typeof cell !== "bigint") throw notNumber(where, index, name, told(cell));
  const value = Number(cell);
  if (Number.isFinite(value)) return value;
  if (saysMissing(String(cell))) return NaN;
  throw notNumber(where, index, name, told(cell));
}

/** Returns the cell of column `name` as a string, or null if the cell is missing. */
export function textCell(row: Row, name: string, where: string, index: number): string | null {
  const cell = presentCell(row, name, where, index);
  if (isMissing(cell) || (typeof cell === "number" && Number.isNaN(cell))) return null;
  if (["string", "number", "boolean", "bigint"].includes(typeof cell)) return String(cell);
  const problem = `row ${index + 1}: ${told(cell)} is not a string, but column "${name}" holds text`;
  throw new DataError(where, problem, "DATA_KIND");
}

/** `found`: description of the cell. */
function notNumber(where: string, index: number, name: string, found: string): DataError {
  return new DataError(where, `row ${index + 1}: ${found} is not a number, but column "${name}" holds numbers`, "DATA_KIND");
}

/**
 * Returns a function that reads the numbers of a column by row (NaN = missing). If the column is a category, its
 * strings are converted to numbers.
 */
export function tableNumbers(column: Column, where: string): (i: number) => number {
  if (column.kind === "number") return (i) => column.values[i];
  const isMissing = column.levels.map(saysMissing);
  const values = column.levels.map((level) => (level.trim() === "" ? NaN : Number(level)));
  return (i) => {
    const code = column.codes[i];
    if (code < 0 || isMissing[code]) return NaN;
    if (!Number.isFinite(values[code])) throw notNumber(where, i, column.name, told(column.levels[code]));
    return values[code];
  };
}

export function tableTexts(column: Column): (i: number) => string | null {
  if (column.kind === "category") return (i) => (column.codes[i] < 0 ? null : column.levels[column.codes[i]]);
  return (i) => (Number.isNaN(column.values[i]) ? null : String(column.values[i]));
}

/** Lists up to eight names for an error. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`);
  return names.length > 8 ? `${shown.join(", ")} and ${names.length - 8} more` : shown.join(", ");
}

function presentCell(row: Row, name: string, where: string, index: number): Row[string] {
  if (typeof row !== "object" || row === null) {
    const problem = `row ${index + 1} is ${told(row)}, but must be an object with a value for each column`;
    throw new DataError(where, problem, "DATA_SHAPE");
  }
  if (Object.hasOwn(row, name)) return row[name];
  throw new DataError(
    where,
    `row ${index + 1} has no column "${name}" (it has ${listed(Object.keys(row))}); give it, or null if the value is not known`,
    "DATA_COLUMN",
  );
}

function isMissing(cell: Row[string]): cell is null | undefined | "" {
  return cell === null || cell === undefined || cell === "";
}
