/** The first steps of a pipeline, made from a table or sparse rows as the options say; from arrays: from-arrays.ts. */
import { checkChoice } from "../base/checks.ts";
import { checkKeys, DataError, OptionError } from "../base/errors.ts";
import { shown } from "../base/shown.ts";
import { checkRaw } from "./check-table.ts";
import { runSteps, shapeAfter } from "./pipeline.ts";
import { columnFinder, listed, requireColumn, tableTexts } from "./raw.ts";
import type { SourceStep, Step, TargetColumn } from "./rows.ts";
import type { SparseTable, Table } from "./table.ts";
import { describeTarget } from "./target.ts";
import { type ColumnsStep, fitColumns } from "./transformations/columns.ts";
import type { HashedColumnsStep } from "./transformations/hashed-columns.ts";
import { fitImpute, type ImputeMethod } from "./transformations/impute.ts";
import type { NumbersStep } from "./transformations/numbers.ts";
import { chooseFormat, type OneHotStep } from "./transformations/one-hot.ts";
import { rowShapeStep } from "./transformations/row-shape.ts";

/** `Out`: the columns that do not become the dataset's. */
export interface TableOptions<Out extends string = string> {
  /** Column to predict. */
  target: Out;
  /** Column of row weights. */
  weights?: Out;
  /**
   * Column that is added to the output of each row, in the units of the link: of an exposure its logarithm. For linear models of one output. Rows that are
   * predicted have it, too.
   */
  offset?: string;
  /** Columns to leave out. */
  drop?: readonly Out[];
  /** Fills missing cells; without it they are refused. */
  impute?: ImputeMethod;
  /** A level first met at prediction: all zeros (default), or an error. */
  unknown?: "zero" | "refuse";
  /** Takes the distinct values of a number target as classes. */
  classes?: boolean;
  /** The hashing trick: 2^hash columns, no list of levels. */
  hash?: number;
  /** Default "dense", or "sparse" for over 1000 columns that are mostly zero. */
  format?: "dense" | "sparse";
  /** What a row is an array of, last index fastest: [height, width, channels]. The sizes multiply to the number of columns. */
  rowShape?: readonly number[];
  /** Default "f32". */
  type?: "f32" | "f64";
}

export interface SparseOptions {
  /** The target's name; default "y". */
  target?: string;
  /** Takes the distinct targets as classes. */
  classes?: boolean;
  /** How rows are stored: "sparse" (default), or "dense", as networks take them. */
  format?: "dense" | "sparse";
  /** Default "f32". */
  type?: "f32" | "f64";
}

const tableKeys = ["target", "weights", "offset", "drop", "impute", "unknown", "classes", "hash", "format", "rowShape", "type"];

export function stepsOfTable(table: Table, options: TableOptions): Step[] {
  const { source } = table;
  checkKeys("fromTable", options, tableKeys);
  checkRaw(table);
  const { impute, unknown = "zero", hash } = options;
  if (impute !== undefined && !["mean", "median", "mode"].includes(impute)) {
    throw new OptionError("fromTable", `impute is "${impute}", but must be "mean", "median" or "mode"`, "OPTION_RANGE");
  }
  const targetColumn = requireColumn(table, options.target, "target column");
  const classes = targetColumn.kind === "category" || options.classes === true;
  const target: TargetColumn = classes
    ? describeTarget(options.target, presentTexts(tableTexts(targetColumn), table.rowCount), source)
    : { name: options.target, kind: "number" };
  if (options.weights !== undefined) requireColumn(table, options.weights, "weight column");
  if (options.offset !== undefined) requireColumn(table, options.offset, "offset column");
  (options.drop ?? []).forEach(columnFinder(table, "column to drop"));

  const labels = [options.target, options.weights, options.offset].filter((name) => name !== undefined);
  const others = new Set([...labels, ...(options.drop ?? [])]);
  const columns = fitColumns(table, others);
  if (columns.length === 0) throw new DataError(source, `has no column left beside ${listed([...others])}`, "DATA_EMPTY");
  const base: Omit<SourceStep, "kind"> = {
    source,
    type: checkType(options.type),
    target,
    weights: options.weights ?? null,
    ...(options.offset === undefined ? {} : { offset: options.offset }),
  };
  if (hash !== undefined) {
    const kinds = columns.map(({ name, kind }) => ({ name, kind }));
    const step: HashedColumnsStep = { kind: "hashedColumns", ...base, columns: kinds, bits: hash };
    return shaped([step], options.rowShape, "fromTable");
  }
  const cells: ColumnsStep = { kind: "columns", ...base, columns, unknown };
  const oneHot: OneHotStep = { kind: "oneHot", format: options.format ?? chooseFormat(columns) };
  if (impute === undefined) refuseMissing(table, others);
  const filled = impute === undefined ? [] : [fitImpute(runSteps([cells], table, source), impute, source)];
  return shaped([cells, ...filled, oneHot], options.rowShape, "fromTable");
}

export function stepsOfSparse(table: SparseTable, options: SparseOptions): Step[] {
  checkKeys("fromSparse", options, ["target", "classes", "format", "type"]);
  checkRaw(table);
  const { target: name = "y", format = "sparse" } = options;
  checkChoice("fromSparse", "format", format, ["dense", "sparse"]);
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
  };
  if (step.columnCount > 0) return [step];
  throw new DataError(table.source, "has no columns", "DATA_EMPTY");
}

/** These steps, and the rows' shape where there is one. */
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

function refuseMissing(table: Table, others: ReadonlySet<string>): void {
  const gaps = table.columns
    .filter((column) => !others.has(column.name))
    .map((column) => {
      const count =
        column.kind === "number"
          ? column.values.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0)
          : column.codes.reduce((sum, code) => sum + (code < 0 ? 1 : 0), 0);
      return { name: column.name, count };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  if (gaps.length === 0) return;
  const all = gaps.reduce((sum, { count }) => sum + count, 0);
  const where = gaps.slice(0, 6).map(({ name, count }) => `"${name}" (${count})`);
  const rest = gaps.length > 6 ? ` and ${gaps.length - 6} more` : "";
  const advice = 'fill them with impute: "mean", "median" or "mode", or drop the columns';
  const message = `${all} ${all === 1 ? "value is" : "values are"} missing in column${gaps.length > 1 ? "s" : ""} ${where.join(", ")}${rest}; ${advice}`;
  throw new DataError(table.source, message, "DATA_MISSING");
}
