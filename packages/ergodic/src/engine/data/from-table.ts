/** Makes the first steps of a pipeline from a table or sparse rows. For arrays, see from-arrays.ts. */
import { checkBoolean, checkChoice, holds, isPlainObject, made, refuse } from "../errors/checks.ts";
import { checkKeys, DataError, OptionError } from "../errors/errors.ts";
import { shown } from "../errors/shown.ts";
import { checkNames, checkRaw } from "./check-table.ts";
import { runSteps, shapeAfter } from "./pipeline.ts";
import { columnFinder, listed, requireColumn, tableTexts } from "./raw.ts";
import type { RawColumn, SourceStep, Step, TargetColumn } from "./rows.ts";
import type { SparseTable, Table } from "./table.ts";
import { describeTarget } from "./target.ts";
import { type ColumnsStep, fitColumns } from "./transformations/columns.ts";
import type { HashedColumnsStep } from "./transformations/hashed-columns.ts";
import { fitImpute, GAP, type ImputeMethod } from "./transformations/impute.ts";
import type { NumbersStep } from "./transformations/numbers.ts";
import { chooseFormat, type OneHotStep } from "./transformations/one-hot.ts";
import { rowShapeStep } from "./transformations/row-shape.ts";

/** Columns to split into parts of dates, from `dateParts()`. */
export interface DateParts {
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Returns the columns that replace a date column. `texts` contains all strings of that column. @internal */
  partsOf(name: string, texts: readonly string[]): RawColumn[];
}

/** Method of filling missing cells, for all columns or by column. */
export type Impute = ImputeMethod | Readonly<Record<string, ImputeMethod>>;

/** Options of `Dataset.fromTable`. `Out`: table columns that do not become columns of the dataset. */
export interface TableOptions<Out extends string = string> {
  /** Column to predict. */
  target: Out;
  /** Column of row weights. */
  weights?: Out;
  /**
   * Column with the offset added to the output of each row, in the units of the link, e.g. the logarithm of an
   * exposure. Only for linear models with one output. Rows for prediction must have this column, too.
   */
  offset?: string;
  /** Columns to exclude. */
  drop?: readonly Out[];
  /**
   * Method of filling missing cells. Without a method, missing cells cause an error. A single method applies to all
   * columns: numeric columns take their mean, median or mode, and text columns take their most common level. With
   * "level", missing cells of a text column get a separate level, and numeric columns take the median. A method can
   * also be given per column, with "*" for all other columns: `{ age: "median", city: "level" }`. In columns without a
   * method, missing cells cause an error, at prediction too.
   */
  impute?: Impute;
  /**
   * Whether to add an indicator column for each numeric column with missing cells. The indicator is 1 if the value is
   * missing. Needs `impute`. Default false.
   */
  indicator?: boolean;
  /**
   * Date columns to split into year, month, day, weekday and, if there are times, hour: `dateParts("signup")`. Dates
   * look like 2024-03-05 or 2024-03-05 14:30.
   */
  dates?: DateParts;
  /**
   * Encoding of categories and missing cells. "one-hot": every level becomes a column, and missing cells need `impute`.
   * "none": categories stay categories and missing cells stay missing, for models that read both, such as trees().
   * Default "one-hot".
   */
  encode?: "one-hot" | "none";
  /** Encoding of a level that first occurs at prediction: "zero" (default, all columns 0), or "refuse" (an error). */
  unknown?: "zero" | "refuse";
  /** Whether to treat the distinct values of a numeric target as classes. */
  classes?: boolean;
  /** Number of bits for the hashing trick, which makes 2^hash columns without a list of levels. */
  hash?: number;
  /**
   * Storage of rows. Default "dense", but "sparse" if there are more than 200 columns and more than 4 columns per raw
   * column.
   */
  format?: "dense" | "sparse";
  /**
   * Array shape of a row, with the last index varying fastest: [height, width, channels]. The sizes multiply to the
   * number of columns.
   */
  rowShape?: readonly number[];
  /** Number type. Default "f32". */
  type?: "f32" | "f64";
}

export interface SparseOptions {
  /** Name of the target. Default "y". */
  target?: string;
  /** Whether to treat the distinct targets as classes. */
  classes?: boolean;
  /** Storage of rows: "sparse" (default), or "dense", as networks require. */
  format?: "dense" | "sparse";
  /** Number type. Default "f32". */
  type?: "f32" | "f64";
}

const tableKeys = [
  "target",
  "weights",
  "offset",
  "drop",
  "impute",
  "indicator",
  "encode",
  "dates",
  "unknown",
  "classes",
  "hash",
  "format",
  "rowShape",
  "type",
];

/**
 * Makes the steps for a table. `all`: whether to include listed levels and classes that do not occur in any row. Later
 * rows can have them.
 */
export function stepsOfTable(table: Table, options: TableOptions, all = false): Step[] {
  const { source } = made("fromTable", table, "columns", "a table of named columns", "await readTable(file)");
  checkKeys("fromTable", options, tableKeys);
  checkRaw(table);
  const { impute, indicator = false, encode = "one-hot", dates, unknown = "zero", hash } = options;
  checkEncode(options);
  checkBoolean("fromTable", "indicator", indicator);
  if (options.classes !== undefined) checkBoolean("fromTable", "classes", options.classes);
  checkImpute(impute);
  if (indicator && impute === undefined)
    throw new OptionError("fromTable", 'indicator needs impute, which fills the gaps; add impute: "median"', "OPTION_CONFLICT");
  const targetColumn = requireColumn(table, options.target, "target column");
  const classes = targetColumn.kind === "category" || options.classes === true;
  const target: TargetColumn = classes
    ? describeTarget(
        options.target,
        all && targetColumn.kind === "category" ? targetColumn.levels : presentTexts(tableTexts(targetColumn), table.rowCount),
        source,
      )
    : { name: options.target, kind: "number" };
  if (options.weights !== undefined) requireColumn(table, options.weights, "weight column");
  if (options.offset !== undefined) requireColumn(table, options.offset, "offset column");
  (options.drop ?? []).forEach(columnFinder(table, "column to drop"));

  const labels = [options.target, options.weights, options.offset].filter((name) => name !== undefined);
  const others = new Set([...labels, ...(options.drop ?? [])]);
  const fitted = fitColumns(table, others, all);
  if (dates && !holds(dates, "partsOf")) refuse("fromTable", "dates", dates, "parts of dates", 'dateParts("signup")');
  if (dates) refuseUnknown("dates", dates.columns, fitted, table.source);
  if (impute !== undefined && typeof impute !== "string")
    refuseUnknown(
      "impute",
      Object.keys(impute).filter((name) => name !== "*"),
      fitted,
      table.source,
    );
  const columns = fitted.flatMap((column) => (dates?.columns.includes(column.name) ? partsOf(dates, column, table) : [column]));
  checkNames(
    columns.map(({ name }) => name),
    table.source,
  );
  if (columns.length === 0) throw new DataError(source, `has no column left besides ${listed([...others])}`, "DATA_EMPTY");
  const base: Omit<SourceStep, "kind"> = {
    source,
    type: checkType(options.type),
    target,
    weights: options.weights ?? null,
    ...(options.offset === undefined ? {} : { offset: options.offset }),
  };
  if (hash !== undefined) {
    const own = dates ? "dates" : indicator ? "indicator" : undefined;
    if (own !== undefined)
      throw new OptionError(
        "fromTable",
        `both hash and ${own} were given, but hashed columns cannot be combined with others; leave one out`,
        "OPTION_CONFLICT",
      );
    const kinds = columns.map(({ name, kind }) => ({ name, kind }));
    const step: HashedColumnsStep = { kind: "hashedColumns", ...base, columns: kinds, bits: hash };
    return shaped([step], options.rowShape, "fromTable");
  }
  if (encode === "none") return [{ kind: "columns", ...base, columns, unknown } as ColumnsStep, { kind: "cells" }];
  const gaps = gapsOf(table).filter(({ name }) => !others.has(name));
  const hasGaps = new Set(gaps.map(({ name }) => name));
  const methods = columns.map((column) => methodOf(column, impute, hasGaps.has(column.of ?? column.name)));
  const covered = new Set(columns.flatMap(({ of, name }, j) => (methods[j] === null ? [] : [of ?? name])));
  refuseMissing(
    source,
    gaps.filter(({ name }) => !covered.has(name)),
  );
  const levelled = columns.map((column, j) => (methods[j] === "level" ? withGap(column) : column));
  const cells: ColumnsStep = { kind: "columns", ...base, columns: levelled, unknown };
  const oneHot: OneHotStep = { kind: "oneHot", format: options.format ?? chooseFormat(levelled) };
  const filled = impute === undefined ? [] : [fitImpute(runSteps([cells], table, source), methods, indicator, source)];
  return shaped([cells, ...filled, oneHot], options.rowShape, "fromTable");
}

export function stepsOfSparse(table: SparseTable, options: SparseOptions): Step[] {
  made("fromSparse", table, "rowStart", "compressed sparse rows", "{ source, columnCount, rowStart, columns, values, target }");
  checkKeys("fromSparse", options, ["target", "classes", "format", "type"]);
  checkRaw(table);
  const { target: name = "y", format = "sparse" } = options;
  checkChoice("fromSparse", "format", format, ["dense", "sparse"]);
  if (options.classes !== undefined) checkBoolean("fromSparse", "classes", options.classes);
  const step: NumbersStep = {
    kind: "numbers",
    source: table.source,
    type: checkType(options.type),
    target: options.classes ? describeTarget(name, Array.from(table.target, String), table.source) : { name, kind: "number" },
    weights: null,
    ...(table.offset ? { offset: "offset" } : {}),
    format,
    columnCount: table.columnCount,
    names: table.names ?? null,
    ...(table.hashed ? { hashed: true } : {}),
  };
  if (step.columnCount > 0) return [step];
  throw new DataError(table.source, "has no columns", "DATA_EMPTY");
}

/** Returns the steps, followed by the row shape if there is one. */
export function shaped(steps: Step[], rowShape: readonly number[] | undefined, where: string): Step[] {
  return rowShape === undefined ? steps : [...steps, rowShapeStep(rowShape, shapeAfter(steps).columnCount, where)];
}

export function checkType(type: "f32" | "f64" | undefined): "f32" | "f64" {
  if (type === undefined || type === "f32" || type === "f64") return type ?? "f32";
  throw new OptionError(
    "dataset",
    `type is ${shown(type)}, but must be "f32" or "f64"; make i8 and i16 with as()`,
    "OPTION_RANGE",
  );
}

function presentTexts(text: (i: number) => string | null, rowCount: number): string[] {
  return Array.from({ length: rowCount }, (_, i) => text(i)).filter((level) => level !== null);
}

/** Returns the columns with missing cells, each with its number of missing cells. */
function gapsOf(table: Table): { name: string; count: number }[] {
  return table.columns
    .map((column) => {
      const count =
        column.kind === "number"
          ? column.values.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0)
          : column.codes.reduce((sum, code) => sum + (code < 0 ? 1 : 0), 0);
      return { name: column.name, count };
    })
    .filter(({ count }) => count > 0);
}

function refuseMissing(source: string, gaps: readonly { name: string; count: number }[]): void {
  if (gaps.length === 0) return;
  const all = gaps.reduce((sum, { count }) => sum + count, 0);
  const most = [...gaps].sort((a, b) => b.count - a.count);
  const where = most.slice(0, 6).map(({ name, count }) => `"${name}" (${count})`);
  const rest = gaps.length > 6 ? ` and ${gaps.length - 6} more` : "";
  const advice = 'fill them with impute: "mean", "median", "mode" or "level", or drop the columns';
  const message = `${all} ${all === 1 ? "value is" : "values are"} missing in column${gaps.length > 1 ? "s" : ""} ${where.join(", ")}${rest}; ${advice}`;
  throw new DataError(source, message, "DATA_MISSING");
}

/** Refuses options that only apply to one-hot columns. */
function checkEncode(options: TableOptions): void {
  const { encode } = options;
  if (encode === undefined) return;
  checkChoice("fromTable", "encode", encode, ["one-hot", "none"]);
  const own = (["impute", "indicator", "hash", "format", "rowShape"] as const).find((name) => options[name] !== undefined);
  if (encode === "one-hot" || own === undefined) return;
  const message = `encode is "none", which keeps cells as they are, but ${own} was given too; leave one out`;
  throw new OptionError("fromTable", message, "OPTION_CONFLICT");
}

const imputeMethods = ["mean", "median", "mode", "level"];

function checkImpute(impute: unknown): asserts impute is Impute | undefined {
  if (impute === undefined) return;
  const byColumn = isPlainObject(impute) ? Object.values(impute) : [];
  const given = byColumn.length > 0 ? byColumn : [impute];
  if (given.every((method) => imputeMethods.includes(method as string))) return;
  const wrong = given.find((method) => !imputeMethods.includes(method as string));
  const message = `impute is ${shown(wrong)}, but must be "mean", "median", "mode" or "level", or one of these by column, as in { age: "median", city: "level" }`;
  throw new OptionError("fromTable", message, "OPTION_RANGE");
}

/** Returns the fill method of a column, or null if its missing cells cause an error. */
function methodOf({ name, of, kind }: RawColumn, impute: Impute | undefined, hasGaps: boolean): ImputeMethod | null {
  const by = (key: string): ImputeMethod | undefined =>
    typeof impute === "object" && Object.hasOwn(impute, key) ? impute[key] : undefined;
  const own = by(of ?? name);
  const method = own ?? (typeof impute === "string" ? impute : by("*"));
  if (method === undefined) return null;
  const fits = (kind === "number") === (method === "mean" || method === "median") || method === "mode";
  if (own && !fits && of === undefined) {
    const message =
      kind === "number"
        ? `impute is "level" for "${name}", which holds numbers; use "median", with indicator: true for a column that marks the gaps`
        : `impute is "${method}" for "${name}", which holds text; use "mode" or "level"`;
    throw new OptionError("fromTable", message, "OPTION_RANGE");
  }
  if (kind === "number") return method === "level" ? "median" : method;
  return method === "level" && (own || hasGaps) ? "level" : "mode";
}

/** Returns the column with a level for missing cells. */
function withGap(column: RawColumn): RawColumn {
  if (column.kind === "number" || column.levels.includes(GAP)) return column;
  return { ...column, levels: [...column.levels, GAP] };
}

function partsOf(dates: DateParts, column: RawColumn, { source }: Table): RawColumn[] {
  if (column.kind === "number")
    throw new DataError(source, `dates names "${column.name}", which holds numbers; dates are text like 2024-03-05`, "DATA_KIND");
  return dates.partsOf(column.name, column.levels);
}

/** Throws an error if an option names a column that the table lacks or that has another role. */
function refuseUnknown(option: string, names: readonly string[], columns: readonly RawColumn[], source: string): void {
  const known = new Set(columns.map(({ name }) => name));
  const stranger = names.find((name) => !known.has(name));
  if (stranger === undefined) return;
  const message = `${option} asks for a column "${stranger}" that does not exist, or is not an input; the inputs are ${listed([...known])}`;
  throw new DataError(source, message, "DATA_COLUMN");
}
