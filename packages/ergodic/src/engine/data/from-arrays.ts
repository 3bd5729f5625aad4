/**
 * Makes the first step of a pipeline from arrays that hold rows of numbers and their targets.
 *
 * If the first target that is not missing is a string or a boolean, the targets are classes; otherwise they are numbers.
 * null, undefined and "" are missing in both cases.
 *
 * @throws OptionError OPTION_TYPE for values that are not lists; DataError DATA_MISSING with row and column,
 * DATA_SHAPE, DATA_TARGET, DATA_EMPTY, DATA_COLUMN
 */
import { checkChoice } from "../errors/checks.ts";
import { checkKeys, DataError, OptionError } from "../errors/errors.ts";
import { checkNames } from "./check-table.ts";
import { checkType, shaped } from "./from-table.ts";
import { isList, numbersGiven, told } from "./number-cells.ts";
import type { Step } from "./rows.ts";
import { checkedOffset, checkedWeights, describeTarget } from "./target.ts";
import type { NumbersStep } from "./transformations/numbers.ts";

export interface ArraysOptions<Names extends string = string> {
  /** Rows of numbers. Alternatively, all values row by row in one array, together with the number of columns. */
  x: readonly ArrayLike<number>[] | { values: Float32Array | Float64Array; columnCount: number };
  /** Target of each row. Booleans are the classes "false" and "true", as in files. */
  y: ArrayLike<number> | readonly string[] | readonly boolean[];
  /**
   * Column names. If the names are literals, the compiler knows them and checks that rows for `predict` have all
   * columns. Default: x0, x1, …
   */
  names?: readonly Names[];
  /** Weight of each row. null (as in `dataset.weights`) means that all rows weigh 1. */
  weights?: ArrayLike<number> | null;
  /**
   * Offset added to the output of each row, in the units of the link, e.g. the logarithm of an exposure. Only for
   * linear models with one output.
   */
  offset?: ArrayLike<number> | null;
  /** Whether to treat the distinct values of a numeric y as classes. Strings and booleans are always classes. */
  classes?: boolean;
  /**
   * Array shape of a row, with the last index varying fastest: [height, width, channels]. The sizes multiply to the
   * number of columns.
   */
  rowShape?: readonly number[];
  /**
   * "none" keeps missing values (NaN, null or undefined) as they are, for models that read them, such as trees().
   * Default "one-hot": missing values are an error.
   */
  encode?: "one-hot" | "none";
  /** Name of the target. Default "y". */
  target?: string;
  /** Number type. Default: "f64" if x is a Float64Array, otherwise "f32". */
  type?: "f32" | "f64";
  /** Name of the data in errors. Default "arrays". */
  source?: string;
}

export interface ArraysStart {
  readonly steps: Step[];
  /** Rows that the step reads. */
  readonly rows: ArrayLike<number>[];
  readonly target: Float64Array;
  readonly weights: Float64Array | null;
  readonly offset: Float64Array | null;
  readonly source: string;
}

const where = "fromArrays";

export function stepsOfArrays(options: ArraysOptions): ArraysStart {
  if (typeof options !== "object" || options === null) throw wrong("the options are", options, "an object like { x, y }");
  checkKeys(
    where,
    options,
    ["x", "y", "names", "weights", "offset", "classes", "rowShape", "encode", "target", "type", "source"],
    {
      nullable: ["x", "y", "names", "weights", "offset", "source", "target"],
    },
  );
  const { x, y, source = "arrays", target: targetName = "y" } = options;
  for (const [name, value] of Object.entries({ source, target: targetName }))
    if (typeof value !== "string") throw wrong(`${name} is`, value, "a string");
  if (options.encode !== undefined) checkChoice(where, "encode", options.encode, ["one-hot", "none"]);
  if (!isList(y)) throw wrong("y is", y, "a list, with a target for each row");
  const rows = rowsOf(x, source);
  if (rows.length === 0) throw new DataError(source, "holds 0 rows, but at least 1 is needed", "DATA_EMPTY");
  if (y.length !== rows.length)
    throw new DataError(source, `x has ${rows.length} rows, but y has ${y.length} values`, "DATA_SHAPE");
  const columnCount = rows[0].length;
  if (columnCount === 0) throw new DataError(source, "has no columns", "DATA_EMPTY");
  const names = namesOf(options.names, columnCount, source);
  const classes = options.classes === true || ["string", "boolean"].includes(typeof Array.prototype.find.call(y, tellsKind));
  const labels = classes ? Array.from(y as ArrayLike<unknown>, (label, i) => labelGiven(label, source, i)) : [];
  const step: NumbersStep = {
    kind: "numbers",
    source,
    type: checkType(options.type ?? ("columnCount" in x && x.values instanceof Float64Array ? "f64" : "f32")),
    target: classes ? describeTarget(targetName, labels, source) : { name: targetName, kind: "number" },
    weights: null,
    ...(options.offset == null ? {} : { offset: "offset" }),
    format: "dense",
    columnCount,
    names,
    ...(options.encode === "none" ? { gaps: true } : {}),
  };
  const index = new Map(step.target.levels?.map((level, k) => [level, k]));
  const target = classes ? Float64Array.from(labels, (label) => index.get(label)!) : numbersGiven(y, source, "y");
  const bad = target.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new DataError(source, `row ${bad + 1}: y is ${y[bad]}, but must be a finite number`, "DATA_TARGET");
  const weights = labelsOf("weights", options.weights, rows.length, source);
  const offset = labelsOf("offset", options.offset, rows.length, source);
  return { steps: shaped([step], options.rowShape, where), rows, target, weights, offset, source };
}

function rowsOf(x: unknown, source: string): ArrayLike<number>[] {
  if (Array.isArray(x)) {
    // Row lengths and cells are checked when rows are read.
    if (x.length > 0 && !isList(x[0])) throw wrong("row 1 of x is", x[0], "a list of numbers");
    return x;
  }
  if (typeof x === "object" && x !== null && "columnCount" in x && "values" in x) return slices(x.values, x.columnCount, source);
  throw wrong("x is", x, "a list of rows, each a list of numbers, or { values, columnCount }");
}

function slices(values: unknown, columnCount: unknown, source: string): ArrayLike<number>[] {
  if (!(values instanceof Float32Array || values instanceof Float64Array))
    throw wrong("the values of x are", values, "a Float32Array or a Float64Array");
  if (typeof columnCount !== "number" || !Number.isInteger(columnCount) || columnCount < 1 || values.length % columnCount !== 0) {
    throw new DataError(source, `${values.length} values do not make rows of ${String(columnCount)} columns`, "DATA_SHAPE");
  }
  return Array.from({ length: values.length / columnCount }, (_, i) => values.subarray(i * columnCount, (i + 1) * columnCount));
}

function namesOf(names: unknown, columnCount: number, source: string): readonly string[] | null {
  if (names === undefined) return null;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
    throw wrong("names is", names, "a list of strings, one for each column");
  checkNames(names, source);
  if (names.length === columnCount) return [...names];
  throw new DataError(source, `x has ${columnCount} columns, but names has ${names.length}`, "DATA_SHAPE");
}

function labelsOf(name: "weights" | "offset", given: unknown, rowCount: number, source: string): Float64Array | null {
  if (given === undefined || given === null) return null;
  if (!isList(given)) throw wrong(`${name} is`, given, "a list of numbers, one for each row");
  if (given.length !== rowCount)
    throw new DataError(source, `x has ${rowCount} rows, but ${name} has ${given.length} values`, "DATA_SHAPE");
  const checked = name === "weights" ? checkedWeights : checkedOffset;
  return checked(numbersGiven(given, source, name === "weights" ? "the weight" : "the offset"), source);
}

const tellsKind = (value: unknown): boolean =>
  typeof value === "string" ? value !== "" : typeof value === "boolean" || (typeof value === "number" && !Number.isNaN(value));

/** Returns the class name of a label. */
function labelGiven(label: unknown, source: string, i: number): string {
  const named = ["string", "number", "boolean", "bigint"].includes(typeof label);
  if (named && label !== "" && !Number.isNaN(label)) return String(label);
  throw new DataError(
    source,
    `row ${i + 1}: y is ${told(label)}, but must name a class; fill the gap, or drop the row`,
    "DATA_MISSING",
  );
}

function wrong(given: string, value: unknown, wanted: string): OptionError {
  return new OptionError(where, `${given} ${told(value)}, but must be ${wanted}`, "OPTION_TYPE");
}
