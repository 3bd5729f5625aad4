/**
 * What readers produce and `Dataset` takes in: plain tables, before any column becomes a number of a model.
 *
 * `Table`: columns by name; a number column keeps float64 with NaN for a missing value, a category column keeps one level index
 * a row (−1 = missing) into `levels`, in any order. `SparseTable`: compressed sparse rows, columns ascending within a row.
 * `source` (a file name, "stdin", "arrays") opens every error about the table.
 */

export type Column<Name extends string = string> =
  | { name: Name; kind: "number"; values: Float64Array }
  | { name: Name; kind: "category"; codes: Int32Array; levels: readonly string[] };

/** A table of raw columns, as readers give it: numbers with NaN for missing values, or categories. `Names`: of its columns, where the compiler knows them. */
export interface Table<Names extends string = string> {
  /** Rows. */
  rowCount: number;
  /** Columns, in order. */
  columns: readonly Column<Names>[];
  /** Names the table in errors. */
  source: string;
  /** What is worth knowing of how it was read. */
  remarks?: readonly Remark[];
}

/** What is worth knowing of rows, and no error. */
export interface Remark {
  /**
   * "skipped": rows that were not taken; "comment": lines that were not read; "missing": texts that mean "no value" among numbers; "new level": rows with a level that the model does not know; "identifier", "date", "text": a column that looks like one;
   * "precision": a column whose numbers differ too little for the type that they are stored in.
   */
  readonly kind: "skipped" | "comment" | "missing" | "new level" | "identifier" | "date" | "text" | "precision";
  /** The column, where it is about one. */
  readonly column?: string;
  /** How many rows it is about … */
  readonly rows: number;
  /** … of how many. */
  readonly of: number;
  /** As a sentence. */
  readonly message: string;
}

/** Compressed sparse rows with their target, as readers give them; columns ascend within a row. */
export interface SparseTable {
  /** Rows. */
  rowCount: number;
  /** Columns. */
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
  /** What is added to the output of each row. Default: nothing. */
  offset?: Float64Array;
  /** Names of the columns. */
  names?: string[];
  /** Names the table in errors. */
  source: string;
  /** What is worth knowing of the rows, as their reader found it. */
  remarks?: readonly Remark[];
}

/** What a column of a raw row holds: a number, a text, a flag, or nothing. */
export type Cell = number | string | boolean | null | undefined;

/** A raw row as a user writes it: column name → cell. */
export type Row = Readonly<Record<string, Cell>>;

/** A raw row with these columns; with any, where the compiler does not know them. */
export type RowOf<Names extends string> = { readonly [N in Names]: Cell };
