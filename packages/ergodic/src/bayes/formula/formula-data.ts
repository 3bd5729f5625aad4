/**
 * Converts the data of a formula to columns of numbers or levels. The data are columns by name, a list of rows, or a
 * table from a reader.
 *
 * Strings and Booleans become levels, sorted by character code, or in the order given by `levels`. Missing values are
 * refused with an error that names row and column.
 *
 * @throws DataError
 */

import type { Cell, Row, Table } from "../../engine/data/table.ts";
import { refusedName } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";

/** Data by column name. A column has a number, string or Boolean per row. */
export type FormulaColumns = Readonly<Record<string, ArrayLike<Cell>>>;

/** Data of a formula: columns by name, a list of rows, or a table. */
export type FormulaData = FormulaColumns | readonly Row[] | Table;

export interface NumberColumn {
  readonly kind: "number";
  readonly values: Float64Array;
}

export interface LevelColumn {
  readonly kind: "levels";
  readonly levels: readonly string[];
  /** Level index of each row; −1 for a new level. */
  readonly codes: Int32Array;
  /** Whether every level looks like a number. */
  readonly isNumeric: boolean;
  /** Whether the levels have a meaningful order, either because the user gave one or because the levels are numbers. */
  readonly isOrdered: boolean;
}

export type DataColumn = NumberColumn | LevelColumn;

/** Columns of data, independent of the input format. */
export class Columns {
  readonly rowCount: number;
  readonly #where: string;
  readonly #data: FormulaData;
  readonly #levels: Readonly<Record<string, readonly string[]>>;
  readonly #known = new Map<string, DataColumn>();
  readonly #texts = new Set<string>();

  /** `levels`: levels of columns, in order. `levels` may include columns of the data that the formula does not use. */
  constructor(where: string, data: FormulaData, levels: Readonly<Record<string, readonly string[]>>) {
    this.#where = where;
    this.#data = data;
    this.#levels = levels;
    if (typeof data !== "object" || data === null)
      throw this.#wrong(
        `the data are ${shown(data)}, but must be columns by name, { y: [1, 2], x: ["a", "b"] }, or a list of rows`,
        "DATA_SHAPE",
      );
    this.rowCount = Array.isArray(data) ? data.length : isTable(data) ? data.rowCount : lengthOfFirst(data as FormulaColumns);
    if (this.rowCount === 0) throw this.#wrong("there are no rows; give at least one", "DATA_EMPTY");
    const unknown = Object.keys(levels).find((name) => !this.names.includes(name));
    if (unknown !== undefined)
      throw this.#withoutColumn(`levels names the column "${unknown}"`, unknown, "take it out of levels");
  }

  /** Names of all columns. */
  get names(): string[] {
    const data = this.#data;
    if (Array.isArray(data)) return Object.keys((data[0] ?? {}) as Row);
    if (isTable(data)) return data.columns.map(({ name }) => name);
    return Object.entries(data as FormulaColumns).flatMap(([name, cells]) =>
      typeof cells === "object" && cells !== null ? [name] : [],
    );
  }

  /** Names of the requested columns that contain strings or Booleans. */
  get texts(): string[] {
    return [...this.#texts];
  }

  /** Returns a column. `of`: the term that reads the column, for error messages. */
  column(name: string, of: string): DataColumn {
    const known = this.#known.get(name);
    if (known) return known;
    const refused = refusedName(name);
    if (refused) throw this.#wrong(refused, "DATA_COLUMN");
    const made = this.#read(name, of);
    this.#known.set(name, made);
    return made;
  }

  #read(name: string, of: string): DataColumn {
    const data = this.#data;
    if (!this.names.includes(name))
      throw this.#withoutColumn(`the term "${of}" needs the column "${name}"`, name, "add it, or take it out of the formula");
    if (isTable(data)) {
      const found = data.columns.find((column) => column.name === name)!;
      if (found.kind === "number") return this.#column(name, found.values);
      return this.#column(
        name,
        Array.from(found.codes, (code) => (code < 0 ? null : found.levels[code])),
      );
    }
    if (Array.isArray(data))
      return this.#column(
        name,
        (data as readonly Row[]).map((row) => row[name]),
      );
    return this.#column(name, (data as FormulaColumns)[name]);
  }

  #column(name: string, cells: ArrayLike<Cell>): DataColumn {
    if (cells.length !== this.rowCount)
      throw this.#wrong(
        `the column "${name}" has ${cells.length} rows, but ${this.names[0]} has ${this.rowCount}; give every column the same number`,
        "DATA_SHAPE",
      );
    for (let i = 0; i < cells.length; i++) if (isMissing(cells[i])) throw this.#missing(name, i, cells[i]);
    const kind = typeof cells[0];
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i];
      if (typeof cell !== kind)
        throw this.#wrong(
          `the column "${name}" has ${shown(cell)} in row ${i + 1}, but ${shown(cells[0])} in row 1; make them all numbers, or all strings`,
          "DATA_SHAPE",
        );
      if (typeof cell === "number" && !Number.isFinite(cell))
        throw this.#wrong(
          `the column "${name}" is ${cell} in row ${i + 1}, but must be finite; correct it, or remove the row`,
          "DATA_RANGE",
        );
      if (typeof cell !== "number" && typeof cell !== "string" && typeof cell !== "boolean")
        throw this.#wrong(
          `the column "${name}" has ${shown(cell)} in row ${i + 1}, but a cell must be a number, a string or a Boolean`,
          "DATA_SHAPE",
        );
    }
    if (kind === "number") {
      if (Object.hasOwn(this.#levels, name)) return this.#coded(name, Array.from(cells, String), true);
      return { kind: "number", values: Float64Array.from(cells as ArrayLike<number>) };
    }
    this.#texts.add(name);
    return this.#coded(
      name,
      Array.from(cells, String),
      kind === "string" && Array.from(cells as ArrayLike<string>).every(isNumeric),
    );
  }

  #coded(name: string, cells: readonly string[], isNumeric: boolean): LevelColumn {
    const given = Object.hasOwn(this.#levels, name) ? this.#levels[name] : undefined;
    const levels = given ?? [...new Set(cells)].sort(byCode);
    const places = new Map(levels.map((level, k) => [level, k]));
    const codes = Int32Array.from(cells, (cell, i) => {
      const code = places.get(cell);
      if (code === undefined)
        throw this.#wrong(
          `the column "${name}" has the level "${cell}" in row ${i + 1}, but levels lists ${levels.join(", ")}; add it to levels`,
          "DATA_LEVEL",
        );
      return code;
    });
    return { kind: "levels", levels, codes, isNumeric: isNumeric && given === undefined, isOrdered: given !== undefined };
  }

  #withoutColumn(said: string, name: string, advice: string): DataError {
    const near = nearest(name, this.names);
    const remedy = near === undefined ? advice : `did you mean "${near}"?`;
    return this.#wrong(`${said}, but there are ${this.names.join(", ") || "none"}; ${remedy}`, "DATA_MISSING");
  }

  #missing(name: string, row: number, cell: unknown): DataError {
    const given = typeof cell === "string" ? JSON.stringify(cell) : String(cell);
    return this.#wrong(
      `the column "${name}" is missing in row ${row + 1} (${given}); remove the row, or fill it in`,
      "DATA_MISSING",
    );
  }

  #wrong(message: string, code: string): DataError {
    return new DataError(this.#where, message, code);
  }
}

export const isTable = (data: FormulaData): data is Table =>
  "rowCount" in data && typeof data.rowCount === "number" && "columns" in data && Array.isArray(data.columns);

/** Whether a cell is missing: null, undefined, NaN, or a missing-value marker of R or CSV files. */
export const isMissing = (cell: unknown): boolean =>
  cell === null || cell === undefined || Number.isNaN(cell) || cell === "NA" || cell === "";

const isNumeric = (text: string): boolean => text.trim() !== "" && Number.isFinite(Number(text));
const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function lengthOfFirst(data: FormulaColumns): number {
  const first = Object.values(data).find((cells) => typeof cells === "object" && cells !== null);
  return first?.length ?? 0;
}

/** Returns the distinct numbers of a column as levels, in ascending order. */
export function levelsOfNumbers(values: Float64Array): LevelColumn {
  const sorted = Float64Array.from(new Set(values)).sort();
  const levels = Array.from(sorted, String);
  const places = new Map(levels.map((level, k) => [level, k]));
  return {
    kind: "levels",
    levels,
    codes: Int32Array.from(values, (value) => places.get(String(value))!),
    isNumeric: false,
    isOrdered: true,
  };
}
