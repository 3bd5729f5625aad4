import { missingTexts, OptionError, type Remark, type Table } from "ergodic/data";
import { ColumnBuilder, type ColumnContext, type ColumnType } from "./column.ts";
import { commentRemark } from "./comment.ts";
import { fault, fileFault, listed, show, told } from "./fault.ts";
import { nearName } from "./near-name.ts";
import { isNumberText } from "./number.ts";

/** A column: its name, or its index from 0 (−1 = the last). */
export type ColumnKey = string | number;

/** Options of every reader of dense rows. */
export interface TableOptions {
  /** Columns to omit: names, or indices from 0 (−1 = the last). Default: none. */
  drop?: readonly ColumnKey[];
  /** Types by column name; other types are inferred. */
  types?: Readonly<Record<string, ColumnType>>;
  /**
   * Columns that contain strings, even if their cells look like numbers. The columns are given by name or by index from
   * 0 (−1 is the last column). Default: none.
   */
  categories?: readonly ColumnKey[];
  /**
   * Strings that mean "no value". Default: "", NA, NaN, nan, null, ?. In numeric columns, the default also includes
   * N/A, #N/A, NULL, None, -, . and similar strings, which are levels in columns of strings. A list of your own
   * replaces all of them.
   */
  missing?: readonly string[];
}

export const tableKeys = ["drop", "types", "categories", "missing"];

/** Missing values of a column, with the information that an error message needs. */
export interface MissingValues {
  column: string;
  position: number;
  count: number;
  line: number;
  text: string;
}

export interface ParsedTable {
  table: Table;
  /** Names of all columns of the file, including dropped ones. */
  names: string[];
  missing: MissingValues[];
  /** Shape of a row of the file's columns. */
  rowShape?: readonly number[];
}

export interface BuildPlan {
  /** Whether values are stored. If false, only types and levels are determined. */
  store?: boolean;
  /** The only columns to keep. */
  only?: ReadonlySet<string>;
  /** Number of rows per table. Default: all. */
  blockRows?: number;
  /** See ColumnContext. */
  typed?: boolean;
  /** See ColumnContext. */
  releasable?: boolean;
  /** All columns that are allowed, for formats that do not list their columns. Any other column is refused. */
  known?: readonly string[];
}

/**
 * Rows of named columns → `Table`s, shared by CSV, JSON lines and Parquet. Handles the kept columns and their types,
 * the position of the first missing value, and blocks with a fixed number of rows.
 *
 * @throws DataError DATA_COLUMN (drop or types name a column that does not exist); OptionError OPTION_TYPE
 */
export class TableBuilder {
  rowCount = 0;
  /** Builders in the order of the file's columns; undefined for a dropped column. */
  columns: (ColumnBuilder | undefined)[] = [];
  /** Names of all columns, including dropped ones. */
  names: string[] = [];
  /** Line that contains the names; 0 = none. */
  namesLine = 0;
  /** Number of rows per table. */
  blockRows: number;
  readonly file: string;
  readonly known: readonly string[] | undefined;

  #skipped = 0;
  #firstSkipped = { line: 0, fields: 0 };
  #comments = 0;
  #comment = "";
  readonly typed: boolean;
  readonly #options: TableOptions;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #context: ColumnContext;
  readonly #dropped: ReadonlySet<ColumnKey>;
  /** Column indices if the columns are known at the start, otherwise the keys that were given. */
  #categories: ReadonlySet<ColumnKey>;

  constructor(file: string, options: TableOptions & { decimal?: "." | "," }, plan: BuildPlan = {}) {
    const { missing = missingTexts, decimal = "." } = options;
    // A first pass can find that a category has no levels.
    checkOptions(options, plan.known === undefined ? 1 : 0);
    this.file = file;
    this.known = plan.known;
    this.typed = plan.typed ?? false;
    this.blockRows = plan.blockRows ?? Infinity;
    this.#options = options;
    this.#dropped = new Set(options.drop);
    this.#categories = new Set(options.categories);
    this.#only = plan.only;
    const missingNumbers = new Set(missing.filter((text) => isNumberText(text, ".")).map(Number));
    const { store = true, releasable = false } = plan;
    this.#context = {
      file,
      missing: new Set(missing),
      missingNumbers,
      gaps: options.missing === undefined,
      decimal,
      typed: this.typed,
      store,
      expectedRows: 0,
      releasable,
    };
  }

  /** Sets all columns before the first row. `line`: line with the names, if any. */
  begin(names: readonly string[], line = 0): void {
    const { drop = [], types = {}, categories = [] } = this.#options;
    const places = new Map(names.map((name, i) => [name, i]));
    const find = (option: string, key: ColumnKey) => places.get(key as string) ?? columnIndex(this.file, option, names, key);
    const dropped = new Set(drop.map((key) => find("drop", key)));
    for (const name of Object.keys(types)) find("types", name);
    this.#categories = new Set(categories.map((key) => find("categories", key)));
    this.names = [...names];
    this.namesLine = line;
    this.columns = names.map((name, i) => (dropped.has(i) ? undefined : this.#column(name, i)));
  }

  /** Adds a column that first appears after the start (JSON lines). Returns undefined if the column is dropped. */
  addColumn(name: string, line: number): ColumnBuilder | undefined {
    if (this.known !== undefined) {
      const advice = `declare it from the start: types: { ${show(name)}: "number" }, or drop it`;
      throw fault(
        this.file,
        line,
        1,
        `the column ${show(name)} was not among the first rows, which set the schema; ${advice}`,
        "DATA_COLUMN",
      );
    }
    const column = this.#dropped.has(name) ? undefined : this.#column(name, this.columns.length);
    this.columns.push(column);
    this.names.push(name);
    return column;
  }

  #column(name: string, index: number): ColumnBuilder | undefined {
    if (this.#only !== undefined && !this.#only.has(name)) return undefined;
    const { types = {} } = this.#options;
    const isCategory = this.#categories.has(index) || this.#categories.has(name);
    const type = Object.hasOwn(types, name) ? types[name] : isCategory ? "category" : undefined;
    return new ColumnBuilder(name, index + 1, type, this.#context);
  }

  /** Counts a row; true = a block is full. */
  endRow(): boolean {
    return ++this.rowCount === this.blockRows;
  }

  /**
   * Estimates the total number of rows, with a margin of two per cent. The rows read so far come from the first `read`
   * of `byteLength` bytes.
   */
  expect(byteLength: number, read: number): void {
    this.#context.expectedRows = Math.min(this.blockRows, Math.ceil((1.02 * this.rowCount * byteLength) / read));
  }

  /** Counts a row that is skipped because it has too many or too few fields. */
  skip(line: number, fields: number): void {
    if (this.#skipped++ === 0) this.#firstSkipped = { line, fields };
  }

  /** Counts lines that begin with `mark` and were not read. */
  skipComments(count: number, mark: string): void {
    this.#comments += count;
    this.#comment = mark;
  }

  /** Number of rows skipped since the last table. */
  get skipped(): number {
    return this.#skipped;
  }

  kept(): ColumnBuilder[] {
    return this.columns.filter((column) => column !== undefined);
  }

  /** Whether all types are given, so that no row can change them. */
  get declared(): boolean {
    return this.kept().every((column) => column.declared);
  }

  settle(): void {
    for (const column of this.kept()) column.settle();
  }

  types(): Record<string, ColumnType> {
    return Object.fromEntries(this.kept().map((column) => [column.name, column.type()]));
  }

  take(): Table {
    const remarks = this.#remarks();
    const table = { rowCount: this.rowCount, columns: this.kept().map((column) => column.take()), source: this.file };
    this.rowCount = 0;
    this.#skipped = 0;
    this.#comments = 0;
    return remarks.length > 0 ? { ...table, remarks } : table;
  }

  /** Remarks on the rows since the last table. */
  #remarks(): Remark[] {
    return [
      ...(this.#skipped > 0 ? [this.#skippedRemark()] : []),
      ...(this.#comments > 0 ? [commentRemark(this.#comments, this.rowCount, this.#comment)] : []),
      ...this.kept().flatMap((column) => column.codesRemark(this.rowCount) ?? []),
      ...this.kept().flatMap((column) => column.remark(this.rowCount) ?? []),
    ];
  }

  #skippedRemark(): Remark {
    const { line, fields } = this.#firstSkipped;
    const [rows, of] = [this.#skipped, this.#skipped + this.rowCount];
    const wanted = `${this.names.length} ${this.names.length === 1 ? "field" : "fields"}`;
    const message = `${rows} of ${of} rows do not have ${wanted} and ${rows === 1 ? "was" : "were"} skipped (first: line ${line}, with ${fields})`;
    return { kind: "skipped", rows, of, message };
  }

  missing(): MissingValues[] {
    return this.kept().flatMap(({ name, position, missing }) => (missing ? [{ column: name, position, ...missing }] : []));
  }
}

/** Checks a list of names and numbers. @throws OptionError for anything else */
export function checkColumnKeys(option: string, keys: unknown): void {
  if (Array.isArray(keys) && keys.every((key) => typeof key === "string" || typeof key === "number")) return;
  throw new OptionError("read", `${option} must be a list of column names or numbers, like ["id", -1]`, "OPTION_TYPE");
}

function checkOptions({ drop = [], types = {}, categories = [], missing = [] }: TableOptions, fewest: number): void {
  const where = "read";
  const wrong = (message: string) => new OptionError(where, message, "OPTION_TYPE");
  checkColumnKeys("drop", drop);
  checkColumnKeys("categories", categories);
  if (!Array.isArray(missing) || !missing.every((text) => typeof text === "string")) {
    throw wrong('missing must be a list of texts, like ["", "NA", "-999"]');
  }
  if (Object.prototype.toString.call(types) !== "[object Object]")
    throw wrong(`types is ${told(types)}, but must name columns with their types, like { zip: "category" }`);
  for (const [name, type] of Object.entries(types)) {
    const levels = Array.isArray(type) && new Set(type).size === type.length && type.every((level) => typeof level === "string");
    if (type === "number" || type === "category" || (levels && type.length >= fewest)) continue;
    const given = Array.isArray(type)
      ? `[${type.slice(0, 8).map(told).join(", ")}${type.length > 8 ? `, … (${type.length} in all)` : ""}]`
      : told(type);
    throw wrong(`the type of ${show(name)} is ${given}, but must be "number", "category", or a list of different levels`);
  }
}

/** Returns the index of a column that is given by name or by index. */
export function columnIndex(file: string, option: string, names: readonly string[], key: ColumnKey): number {
  if (typeof key === "number") {
    const index = key < 0 ? names.length + key : key;
    if (Number.isInteger(index) && index >= 0 && index < names.length) return index;
    throw fileFault(
      file,
      `${option} asks for column ${key}, but columns are numbered 0 to ${names.length - 1}; give a number in that range, or a name`,
      "DATA_COLUMN",
    );
  }
  if (typeof key !== "string")
    throw new OptionError(
      file,
      `${option} is ${told(key)}, but must be a column's name, or its number, like "age" or -1 (the last)`,
      "OPTION_TYPE",
    );
  const index = names.indexOf(key);
  if (index >= 0) return index;
  const near = nearName(key, names);
  const mark = delimiterIn(names, key);
  const advice =
    near !== undefined
      ? `did you mean ${show(near)}?`
      : `the columns are ${listed(names)}${mark === undefined ? "" : `; pass delimiter: ${show(mark)} if that is what separates them`}`;
  throw fileFault(file, `${option} asks for a column ${show(key)} that is not there; ${advice}`, "DATA_COLUMN");
}

/**
 * Guesses the real delimiter. The real delimiter is a character that splits some name into parts, one of which is the
 * requested name.
 */
const delimiterIn = (names: readonly string[], wanted: string): string | undefined =>
  [";", "\t", "|", ","].find((mark) => names.some((name) => name.includes(mark) && name.split(mark).includes(wanted)));
