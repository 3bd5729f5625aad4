/** The first steps of a pipeline, made from a table, sparse rows or arrays as the options say. */
import { checkKeys, DataError, OptionError } from "../base/errors.ts";
import { checkNames, checkRaw } from "./check-table.ts";
import { runSteps, shapeAfter } from "./pipeline.ts";
import { listed, requireColumn, tableTexts } from "./raw.ts";
import type { SourceStep, Step, TargetColumn } from "./rows.ts";
import type { SparseTable, Table } from "./table.ts";
import { describeTarget } from "./target.ts";
import { type ColumnsStep, fitColumns } from "./transformations/columns.ts";
import type { HashedColumnsStep } from "./transformations/hashed-columns.ts";
import { fitImpute, type ImputeMethod } from "./transformations/impute.ts";
import type { NumbersStep } from "./transformations/numbers.ts";
import { chooseFormat, type OneHotStep } from "./transformations/one-hot.ts";
import { rowShapeStep } from "./transformations/row-shape.ts";

export interface TableOptions {
  /** Column to predict. */
  target: string;
  /** Column of row weights. */
  weights?: string;
  /** Columns to leave out. */
  drop?: string[];
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
  /** Default "f32". */
  type?: "f32" | "f64";
}

export interface ArraysOptions {
  x: readonly ArrayLike<number>[] | { values: Float32Array | Float64Array; columnCount: number };
  y: ArrayLike<number> | readonly string[];
  names?: readonly string[];
  weights?: ArrayLike<number>;
  /** Takes the distinct values of numeric y as classes; text is always classes. */
  classes?: boolean;
  /** What a row is an array of, last index fastest: [height, width, channels]. The sizes multiply to the number of columns. */
  rowShape?: readonly number[];
  /** The target's name; default "y". */
  target?: string;
  /** Default: "f64" for a Float64Array, else "f32". */
  type?: "f32" | "f64";
  /** Names the data in errors; default "arrays". */
  source?: string;
}

const tableKeys = ["target", "weights", "drop", "impute", "unknown", "classes", "hash", "format", "rowShape", "type"];

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
  for (const name of options.drop ?? []) requireColumn(table, name, "column to drop");

  const others = new Set([options.target, ...(options.weights === undefined ? [] : [options.weights]), ...(options.drop ?? [])]);
  const columns = fitColumns(table, others);
  if (columns.length === 0) throw new DataError(source, `has no column left beside ${listed([...others])}`, "DATA_EMPTY");
  const base: Omit<SourceStep, "kind"> = { source, type: checkType(options.type), target, weights: options.weights ?? null };
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
  checkKeys("fromSparse", options, ["target", "classes", "type"]);
  checkRaw(table);
  const name = options.target ?? "y";
  const step: NumbersStep = {
    kind: "numbers",
    source: table.source,
    type: checkType(options.type),
    target: options.classes ? describeTarget(name, Array.from(table.target, String), table.source) : { name, kind: "number" },
    weights: null,
    format: "sparse",
    columnCount: table.columnCount,
    names: table.names ?? null,
  };
  if (step.columnCount > 0) return [step];
  throw new DataError(table.source, "has no columns", "DATA_EMPTY");
}

/** The step, and the rows as a table that it reads. */
export function stepsOfArrays(options: ArraysOptions): { steps: Step[]; rows: ArrayLike<number>[]; target: Float64Array } {
  checkKeys("fromArrays", options, ["x", "y", "names", "weights", "classes", "rowShape", "target", "type", "source"]);
  const { x, y, source = "arrays", target: targetName = "y" } = options;
  const rows = "columnCount" in x ? slices(x.values, x.columnCount, source) : [...x];
  if (rows.length === 0) throw new DataError(source, "holds 0 rows, but at least 1 is needed", "DATA_EMPTY");
  if (y.length !== rows.length)
    throw new DataError(source, `x has ${rows.length} rows, but y has ${y.length} values`, "DATA_SHAPE");
  const columnCount = rows[0].length;
  if (columnCount === 0) throw new DataError(source, "has no columns", "DATA_EMPTY");
  if (options.names) {
    checkNames(options.names, source);
    if (options.names.length !== columnCount) {
      throw new DataError(source, `x has ${columnCount} columns, but names has ${options.names.length}`, "DATA_SHAPE");
    }
  }
  const classes = typeof y[0] === "string" || options.classes === true;
  const texts = classes ? Array.from(y as ArrayLike<number | string>, String) : [];
  const step: NumbersStep = {
    kind: "numbers",
    source,
    type: checkType(options.type ?? ("columnCount" in x && x.values instanceof Float64Array ? "f64" : "f32")),
    target: classes ? describeTarget(targetName, texts, source) : { name: targetName, kind: "number" },
    weights: null,
    format: "dense",
    columnCount,
    names: options.names ? [...options.names] : null,
  };
  const levels = step.target.levels;
  const index = new Map(levels?.map((level, k) => [level, k]));
  const target = levels ? Float64Array.from(texts, (text) => index.get(text)!) : Float64Array.from(y as ArrayLike<number>);
  const bad = target.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new DataError(source, `row ${bad + 1}: y is ${y[bad]}, but must be a finite number`, "DATA_TARGET");
  return { steps: shaped([step], options.rowShape, "fromArrays"), rows, target };
}

function shaped(steps: Step[], rowShape: readonly number[] | undefined, where: string): Step[] {
  return rowShape === undefined ? steps : [...steps, rowShapeStep(rowShape, shapeAfter(steps).columnCount, where)];
}

function slices(values: Float32Array | Float64Array, columnCount: number, source: string): ArrayLike<number>[] {
  if (!Number.isInteger(columnCount) || columnCount < 1 || values.length % columnCount !== 0) {
    throw new DataError(source, `${values.length} values do not make rows of ${columnCount} columns`, "DATA_SHAPE");
  }
  return Array.from({ length: values.length / columnCount }, (_, i) => values.subarray(i * columnCount, (i + 1) * columnCount));
}

function checkType(type: "f32" | "f64" | undefined): "f32" | "f64" {
  if (type === undefined || type === "f32" || type === "f64") return type ?? "f32";
  throw new OptionError("dataset", `type is "${type}", but must be "f32" or "f64"; make i8 and i16 with as()`, "OPTION_RANGE");
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
