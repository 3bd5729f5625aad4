/**
 * A parsed table → `Dataset`. Names the target. Content that is not allowed in a dataset is refused here, because the
 * line and column of the fault are still known.
 *
 * @throws DataError DATA_COLUMN, DATA_MISSING, DATA_TARGET; OptionError OPTION_MISSING, and errors of
 * `Dataset.fromTable`
 */
import { checkNumber, Dataset, type DateParts, dateParts, type Impute, OptionError, type SparseTable } from "ergodic/data";
import { checkFlag, checkOneOf, fault, fileFault, listed, show } from "./fault.ts";
import { columnRemarks, precisionRemarks } from "./remarks.ts";
import { type ColumnKey, columnIndex, type ParsedTable } from "./table-builder.ts";

/** Options for making a dataset from a dense table. */
export interface DatasetOptions {
  /** Column to predict, given by its name or by its index from 0 (−1 is the last column). */
  target: ColumnKey;
  /** Column of row weights. */
  weights?: ColumnKey;
  /**
   * Column whose value is added to the output of each row, in the units of the link. For an exposure, use its
   * logarithm.
   */
  offset?: ColumnKey;
  /**
   * Values that replace missing values. Without this option, missing values are refused. A single word applies to all
   * columns: "mean", "median", "mode" or "level". "level" adds a level for missing values to string columns that have
   * gaps, and replaces missing numbers with the median. An object sets this per column, with "*" for all other columns:
   * `{ age: "median", city: "level" }`.
   */
  impute?: Impute;
  /**
   * Whether `impute` also adds, for each numeric column with gaps, an indicator column that is 1 at the gaps. Default
   * false.
   */
  indicator?: boolean;
  /**
   * Encoding of categories and missing values. "one-hot": every level becomes a column, and missing values need
   * `impute`. "none": categories stay categories and missing values stay missing, for trees. Default "one-hot".
   */
  encode?: "one-hot" | "none";
  /**
   * Names of date columns, such as 2024-03-05 or 2024-03-05 14:30. Each date becomes year, month, day, weekday and, if
   * there are times, hour.
   */
  dates?: readonly string[];
  /**
   * Treatment of a level that first appears at prediction: "zero" (default) sets all its columns to 0, and "refuse"
   * throws an error.
   */
  unknown?: "zero" | "refuse";
  /** Whether the distinct values of a numeric target are classes. */
  classes?: boolean;
  /** Number of bits for the hashing trick, which gives 2^hash columns. */
  hash?: number;
  /**
   * Storage of rows. Default: "sparse" if there are more than 200 columns and more than 4 times as many columns as
   * cells in a row, otherwise "dense".
   */
  layout?: "dense" | "sparse";
  /** Shape of a row, such as [height, width, channels]. The product of the sizes is the number of columns. */
  rowShape?: readonly number[];
  /** Type of the stored numbers. Default "f32". */
  type?: "f32" | "f64";
}

export const datasetKeys = [
  "target",
  "weights",
  "offset",
  "impute",
  "indicator",
  "encode",
  "dates",
  "unknown",
  "classes",
  "hash",
  "layout",
  "rowShape",
  "type",
];

/** Options for making a dataset from sparse rows that include their target. */
export interface SparseDatasetOptions {
  /**
   * Storage of rows: "sparse" (default), or "dense", which networks need. This option applies only to LIBSVM and VW,
   * because arrays are always dense.
   */
  layout?: "dense" | "sparse";
  /** Whether the distinct values of the target are classes. Default false. */
  classes?: boolean;
  /** Number of bits for the hashing trick, which maps column numbers to 2^hash columns. Only for LIBSVM and VW. */
  hash?: number;
  /** Type of the stored numbers. Default "f32". */
  type?: "f32" | "f64";
}

export const sparseDatasetKeys = ["layout", "classes", "hash", "type"];
/** Options for rows that are arrays. */
export const arrayDatasetKeys = ["classes", "type"];

export function denseDataset(reader: string, parsed: ParsedTable, options: Partial<DatasetOptions>): Dataset {
  const { table, names } = parsed;
  if (options.target === undefined) {
    throw new OptionError(
      reader,
      `no target was given; name the column to predict, target: one of ${listed(names)}`,
      "OPTION_MISSING",
    );
  }
  const target = keptName(parsed, "target", options.target);
  checkFlag(reader, "classes", options.classes);
  checkOneOf(reader, "unknown", options.unknown, ["zero", "refuse"]);
  checkOneOf(reader, "layout", options.layout, ["dense", "sparse"]);
  if (options.hash !== undefined) checkNumber(reader, "hash", options.hash, { low: 1, high: 30, integer: true });
  const [weights, offset] = (["weights", "offset"] as const).map((role) => {
    const key = options[role];
    return key === undefined ? undefined : keptName(parsed, role, key);
  });
  const { impute } = options;
  // This is checked before missing values, because a misspelt name can be the reason why values are not filled in.
  const named = typeof impute === "object" && impute !== null ? Object.keys(impute).filter((key) => key !== "*") : [];
  for (const key of named) columnIndex(table.source, "impute", names, key);
  const isFilled = (column: string): boolean =>
    options.encode === "none" ||
    (typeof impute === "object" && impute !== null
      ? Object.hasOwn(impute, column) || Object.hasOwn(impute, "*")
      : impute !== undefined);
  refuseMissing(parsed, { target, weights, offset }, isFilled);
  refuseOneClass(parsed, target);
  const { indicator, encode, unknown, classes, hash, layout, type } = options;
  const dates = options.dates === undefined ? undefined : datesOf(table.source, names, options.dates);
  const rowShape = options.rowShape ?? (hash === undefined ? ownShape(parsed, [target, weights, offset]) : undefined);
  // Hashed columns have no levels.
  const others = [target, weights, offset, ...(dates?.columns ?? []), ...(hash === undefined ? [] : names)];
  const known = new Set(others.filter((name) => name !== undefined));
  const roles = new Set([target, weights, offset].filter((name) => name !== undefined));
  const rounded = type === "f64" ? [] : precisionRemarks(table, roles);
  const remarks = [...(table.remarks ?? []), ...columnRemarks(table, known), ...rounded];
  return Dataset.fromTable(
    { ...table, remarks },
    given({ target, weights, offset, impute, indicator, encode, dates, unknown, classes, hash, format: layout, rowShape, type }),
  );
}

function datesOf(file: string, names: readonly string[], dates: unknown): DateParts {
  if (!Array.isArray(dates) || !dates.every((name) => typeof name === "string"))
    throw new OptionError("read", 'dates must be a list of column names, like ["signup"]', "OPTION_TYPE");
  for (const name of dates) columnIndex(file, "dates", names, name);
  return dateParts(...dates);
}

/** Returns the row shape from the file. Returns undefined if one of the file's columns has another role. */
function ownShape({ table, rowShape }: ParsedTable, taken: readonly (string | undefined)[]): readonly number[] | undefined {
  const left = table.columns.filter(({ name }) => !taken.includes(name)).length;
  return rowShape?.reduce((product, size) => product * size, 1) === left ? rowShape : undefined;
}

export function sparseDataset(
  reader: string,
  table: SparseTable,
  { classes, hash, layout, type }: SparseDatasetOptions,
): Dataset {
  checkFlag(reader, "classes", classes);
  checkOneOf(reader, "layout", layout, ["dense", "sparse"]);
  if (hash !== undefined) checkNumber(reader, "hash", hash, { low: 1, high: 30, integer: true });
  if (hash !== undefined && layout === "dense")
    throw new OptionError(
      table.source,
      'layout is "dense", but hashed columns are stored sparse; leave hash or layout out',
      "OPTION_CONFLICT",
    );
  const rows = Dataset.fromSparse(table, given({ classes, format: layout, type }));
  return hash === undefined ? rows : rows.hash(hash);
}

function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function keptName({ table, names }: ParsedTable, option: string, key: ColumnKey): string {
  const name = names[columnIndex(table.source, option, names, key)];
  if (table.columns.some((column) => column.name === name)) return name;
  throw new OptionError(
    table.source,
    `column ${show(name)} is both ${option} and dropped; take it out of drop`,
    "OPTION_CONFLICT",
  );
}

function refuseMissing(
  { table, missing }: ParsedTable,
  roles: Readonly<Record<string, string | undefined>>,
  isFilled: (column: string) => boolean,
): void {
  const values = (count: number) => (count === 1 ? "1 value is" : `${count} values are`);
  for (const { column, position, count, line, text } of missing) {
    const where = [table.source, line, position] as const;
    const first = `first ${show(text)}`;
    const role = Object.keys(roles).find((name) => roles[name] === column);
    if (role !== undefined) {
      throw fault(
        ...where,
        `${values(count)} missing in the ${role} ${show(column)} (${first}); remove these rows, or choose another column`,
        "DATA_MISSING",
      );
    }
    if (count === table.rowCount)
      throw fault(
        ...where,
        `column ${show(column)} has no value at all (${first}); drop it: drop: [${show(column)}]`,
        "DATA_MISSING",
      );
  }
  const gaps = missing.filter((gap) => !isFilled(gap.column));
  if (gaps.length === 0) return;
  const { column, position, count, line, text } = gaps[0];
  const others = gaps.slice(1).map((gap) => `${show(gap.column)} (${gap.count})`);
  const more =
    others.length === 0
      ? ""
      : ` and in ${others.slice(0, 5).join(", ")}${others.length > 5 ? ` and ${others.length - 5} more` : ""}`;
  throw fault(
    table.source,
    line,
    position,
    `${values(count)} missing in column ${show(column)} (first ${show(text)})${more}; fill them with impute: "mean", "median", "mode" or "level" (missing as a level of its own), drop the column, or remove these rows`,
    "DATA_MISSING",
  );
}

function refuseOneClass({ table, names }: ParsedTable, target: string): void {
  const column = table.columns.find(({ name }) => name === target);
  if (column?.kind !== "category" || column.levels.length !== 1) return;
  const message = `column ${names.indexOf(target) + 1}, the target ${show(target)}, holds only one class, ${show(column.levels[0])}: there is nothing to learn; choose another target`;
  throw fileFault(table.source, message, "DATA_TARGET");
}
