import type { Column, Table } from "../../engine/data/table.ts";
import { isList } from "../../engine/errors/checks.ts";
import { DataError, MemoryLimitError, OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";
import { Ints } from "./ints.ts";

/** A value in a relation. */
export type Cell = string | number | boolean;
/** Type of a column's values. */
export type CellType = "text" | "number" | "boolean";
/** Column types by name, for tables whose types TypeScript cannot infer. */
export type ColumnTypes = Readonly<Record<string, CellType>>;
/**
 * Columns by name: lists of equal length with strings, numbers or Booleans. null, undefined and NaN are missing values.
 */
export type ColumnLists = Readonly<Record<string, ArrayLike<Cell | null | undefined>>>;

const typeNames: readonly CellType[] = ["text", "number", "boolean"];

/** Largest number of entries in a Map. */
const MOST_DISTINCT = 2 ** 24 - 1;

export function checkDistinct(what: string, count: number): void {
  if (count < MOST_DISTINCT) return;
  throw new MemoryLimitError(
    "knowledgeBase",
    `${what} would hold more than ${MOST_DISTINCT.toLocaleString("en")} different values, the most that can be told apart; split the tables`,
    "MEMORY_LIMIT",
  );
}

/** One column: its distinct values, and the index of each row's value among them (−1 if missing). */
export class FactColumn {
  protected static readonly typeName: string = "FactColumn";
  readonly name: string;
  /** Undefined until there is a value that is not missing. */
  type: CellType | undefined;
  readonly levels: Cell[] = [];
  readonly numbers = new Map<Cell, number>();
  readonly codes = new Ints();
  /** Whether any row lacks a value. */
  gaps = false;

  constructor(name: string, type?: CellType) {
    this.name = name;
    this.type = type;
  }

  code(value: Cell): number {
    let code = this.numbers.get(value);
    if (code === undefined) {
      checkDistinct(`column "${this.name}"`, this.levels.length);
      code = this.levels.push(value) - 1;
      this.numbers.set(value, code);
    }
    return code;
  }
}

/** Rows in columnar form, the storage of a relation or a query. */
export class Facts {
  protected static readonly typeName: string = "Facts";
  readonly name: string;
  readonly kind: "relation" | "query";
  readonly columns: readonly FactColumn[];
  rowCount = 0;

  constructor(kind: "relation" | "query", name: string, columns: readonly FactColumn[]) {
    this.kind = kind;
    this.name = name;
    this.columns = columns;
  }

  get place(): string {
    return `${this.kind} "${this.name}"`;
  }

  /** Returns the index of a column. @throws OptionError that suggests the nearest name if there is no such column */
  columnNumber(where: string, name: string): number {
    const found = this.columns.findIndex((column) => column.name === name);
    if (found >= 0) return found;
    const names = this.columns.map((column) => column.name);
    const near = nearest(name, names);
    throw new OptionError(
      where,
      `${this.place} has no column "${name}"${near ? `; did you mean "${near}"?` : ""} (it has ${names.join(", ")})`,
      "OPTION_UNKNOWN",
    );
  }

  /** Encodes new rows for `append`, as a list of codes per column. The rows are not stored until they are appended. */
  encode(given: GivenRows): Int32Array[] {
    return this.columns.map((column) => encodeColumn(this.place, column, given));
  }

  append(codes: readonly Int32Array[]): void {
    this.columns.forEach((column, k) => {
      column.codes.append(codes[k]);
      column.gaps ||= codes[k].includes(-1);
    });
    this.rowCount += codes[0].length;
  }
}

/** Rows in any supported form. The rows are read column by column. */
export interface GivenRows {
  readonly count: number;
  readonly names: readonly string[];
  /** Returns a column of a reader's table. */
  column(name: string): Column | undefined;
  cell(name: string, row: number): unknown;
}

/** Reads rows given as objects, as lists by column or as a reader's table. @throws DataError */
export function givenRows(where: string, given: unknown): GivenRows {
  if (isList(given)) return fromObjects(where, given);
  if (isTable(given)) {
    const byName = new Map(given.columns.map((column) => [column.name, column]));
    return { count: given.rowCount, names: [...byName.keys()], column: (name) => byName.get(name), cell: () => undefined };
  }
  const isPlain = Object.prototype.toString.call(given) === "[object Object]";
  const entries = isPlain ? Object.entries(given as object) : [];
  if (entries.length === 0)
    throw new DataError(
      where,
      `${shown(given)} was given, but must be a list of rows, or lists by column: write [{ city: "Rome" }] or { city: ["Rome"] }`,
      "DATA_SHAPE",
    );
  const lists = new Map<string, ArrayLike<unknown>>();
  for (const [name, list] of entries) {
    if (!isList(list))
      throw new DataError(where, `column "${name}" is ${shown(list)}, but must be a list of values`, "DATA_SHAPE");
    const [[firstName, first]] = lists.size > 0 ? lists : [[name, list] as const];
    if (list.length !== first.length)
      throw new DataError(
        where,
        `column "${name}" has ${list.length} values, but "${firstName}" has ${first.length}; give each row a value, null for a missing one`,
        "DATA_SHAPE",
      );
    lists.set(name, list);
  }
  const count = [...lists.values()][0].length;
  return { count, names: [...lists.keys()], column: () => undefined, cell: (name, row) => lists.get(name)?.[row] };
}

function fromObjects(where: string, rows: ArrayLike<unknown>): GivenRows {
  const names = new Set<string>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (Object.prototype.toString.call(row) !== "[object Object]")
      throw new DataError(where, `row ${i + 1} is ${shown(row)}, but must be an object: { city: "Rome" }`, "DATA_SHAPE");
    for (const name in row as object) names.add(name);
  }
  return {
    count: rows.length,
    names: [...names],
    column: () => undefined,
    cell: (name, row) => (rows[row] as Record<string, unknown>)[name],
  };
}

function isTable(given: unknown): given is Table {
  const { rowCount, columns, source } = (given ?? {}) as Partial<Table>;
  return typeof rowCount === "number" && Array.isArray(columns) && typeof source === "string";
}

/**
 * Creates the columns. If types are given, their names are the column names. Otherwise, the rows give the names.
 *
 * @throws DataError, OptionError
 */
export function columnsFor(where: string, given: GivenRows, types: ColumnTypes | undefined): FactColumn[] {
  if (types === undefined) {
    if (given.count === 0)
      throw new DataError(where, 'there are no rows; give some, or the types of its columns: { city: "text" }', "DATA_EMPTY");
    return given.names.map((name) => new FactColumn(name));
  }
  const entries = Object.entries(types);
  if (entries.length === 0) throw new OptionError(where, 'there are no types; write { city: "text" }', "OPTION_RANGE");
  return entries.map(([name, type]) => {
    if (!typeNames.includes(type))
      throw new OptionError(
        where,
        `the type of "${name}" is ${shown(type)}, but must be one of ${typeNames.join(", ")}`,
        "OPTION_RANGE",
      );
    return new FactColumn(name, type);
  });
}

function encodeColumn(where: string, column: FactColumn, given: GivenRows): Int32Array {
  const { name } = column;
  if (given.count > 0 && !given.names.includes(name))
    throw new DataError(where, `the rows have no column "${name}" (they have ${given.names.join(", ")}); add it`, "DATA_COLUMN");
  const codes = new Int32Array(given.count);
  const table = given.column(name);
  if (table?.kind === "category") {
    const known = new Int32Array(table.levels.length).fill(-1);
    for (let row = 0; row < codes.length; row++) {
      const level = table.codes[row];
      if (level >= 0 && known[level] < 0) known[level] = encodeCell(where, column, table.levels[level], row);
      codes[row] = level < 0 ? -1 : known[level];
    }
    return codes;
  }
  for (let row = 0; row < codes.length; row++)
    codes[row] = encodeCell(where, column, table ? table.values[row] : given.cell(name, row), row);
  return codes;
}

function encodeCell(where: string, column: FactColumn, cell: unknown, row: number): number {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return -1;
  const value = column.type === "boolean" ? converted(column, cell) : cell;
  const type = typeOf(value);
  column.type ??= type;
  if (type === undefined || type !== column.type) {
    const wanted = column.type ? `a ${column.type}, as others are` : "a text, a number or a Boolean";
    throw new DataError(
      where,
      `row ${row + 1}: column "${column.name}" is ${shown(cell)}, but must be ${wanted}; convert it, or leave it out as null`,
      "DATA_TYPE",
    );
  }
  return column.code(value as Cell);
}

/** Readers do not produce Booleans, so "true", "false", 0 and 1 are converted in columns declared as Boolean. */
function converted(column: FactColumn, cell: unknown): unknown {
  if (column.type !== "boolean") return cell;
  if (cell === 1 || cell === "true") return true;
  return cell === 0 || cell === "false" ? false : cell;
}

export function typeOf(value: unknown): CellType | undefined {
  if (typeof value === "string") return "text";
  return typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : undefined;
}
