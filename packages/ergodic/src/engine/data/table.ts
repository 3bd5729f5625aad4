/**
 * Tables that readers produce and `Dataset` accepts. The columns of these tables are not encoded as numbers yet.
 *
 * `Table`: columns by name. A number column holds float64 values, with NaN for missing values. A category column holds
 * one index into `levels` per row (−1 = missing). `levels` can be in any order. `SparseTable`: compressed sparse rows,
 * with ascending columns within a row. `source` (a file name, "stdin", "arrays") prefixes every error about the table.
 */

export type Column<Name extends string = string> =
  | { name: Name; kind: "number"; values: Float64Array }
  | { name: Name; kind: "category"; codes: Int32Array; levels: readonly string[] };

/**
 * A table of raw columns from a reader: numbers, with NaN for missing values, or categories. `Names`: names of its
 * columns, if the compiler knows them.
 */
export interface Table<Names extends string = string> {
  /** Number of rows. */
  rowCount: number;
  /** Columns, in order. */
  columns: readonly Column<Names>[];
  /** Name of the table in errors. */
  source: string;
  /** Remarks from the reader. */
  remarks?: readonly Remark[];
}

/** A remark about rows that is not an error. */
export interface Remark {
  /**
   * "skipped": rows that were not read; "comment": lines that were not read; "missing": strings in a number column that
   * mean "no value"; "new level": rows with a level that the model does not know; "identifier", "date", "text": a
   * column that looks like an identifier, a date or free text; "precision": a column of numbers that differ too little
   * for their storage type; "dialect": a delimiter or decimal mark that was detected.
   */
  readonly kind: "skipped" | "comment" | "missing" | "new level" | "identifier" | "date" | "text" | "precision" | "dialect";
  /** Name of the column, if the remark is about a single column. */
  readonly column?: string;
  /** Number of affected rows. */
  readonly rows: number;
  /** Total number of rows. */
  readonly of: number;
  /** The remark as a sentence. */
  readonly message: string;
}

/** Compressed sparse rows with their target, from a reader. Columns ascend within a row. */
export interface SparseTable {
  /** Number of rows. */
  rowCount: number;
  /** Number of columns. */
  columnCount: number;
  /** rowCount + 1 offsets into `columnIndex` and `values`. */
  rowStart: Uint32Array;
  /** Column of each entry, ascending within a row. */
  columnIndex: Uint32Array;
  /** Value of each entry. */
  values: Float32Array | Float64Array;
  /** Target of each row. */
  target: Float64Array;
  /** Weight of each row. Default: all 1. */
  weights?: Float64Array;
  /** Offset added to the output of each row. Default: none. */
  offset?: Float64Array;
  /** Column names. */
  names?: string[];
  /** Whether columns are hashes of names, so that a table with another number of columns has other columns. Default false. */
  hashed?: boolean;
  /** Name of the table in errors. */
  source: string;
  /** Remarks from the reader. */
  remarks?: readonly Remark[];
}

/** Cell of a raw row: a number, a string, a Boolean, or nothing. */
export type Cell = number | string | boolean | null | undefined;

/** A raw row as a user writes it: an object with one cell per column name. */
export type Row = Readonly<Record<string, Cell>>;

/** A raw row with these columns. If the compiler does not know the names, any columns are allowed. */
export type RowOf<Names extends string> = { readonly [N in Names]: Cell };
