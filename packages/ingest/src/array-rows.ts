import { type Column, Dataset, OptionError, type Table } from "ergodic/data";
import type { SparseDatasetOptions } from "./dataset.ts";
import { checkFlag, fileFault, show } from "./fault.ts";

/**
 * Converts rows that are arrays of one shape, from IDX files or images, to a `Dataset` or to `Table`s. The columns are
 * named x0, x1, …, and the target is named y.
 *
 * A dataset uses the rows unchanged, usually bytes. A table, which is used for prediction, contains copies of the rows
 * as float64 columns.
 *
 * @throws DataError DATA_TARGET, and the errors of `Dataset.fromArrays`
 */
export interface ArrayRows {
  source: string;
  rows: readonly ArrayLike<number>[];
  columnCount: number;
  /** Shape of a row. Absent if a row is a plain list of numbers. */
  rowShape?: readonly number[];
  /** Targets: numbers or class names; absent if no targets were found. */
  target?: ArrayLike<number> | readonly string[];
  /** Names of the rows: image files. */
  names?: readonly string[];
  /** Last part of the error message if there is no target: what the user can do. */
  advice: string;
}

/** Options for making a dataset from rows with their targets. */
export type ArrayDatasetOptions = Omit<SparseDatasetOptions, "layout" | "hash">;

export const labelColumn = "y";
/** Column of a table with the names of image files. */
export const fileColumn = "file";

/**
 * Returns the shape of a row from the sizes of the array after its first size. An image without channels gets one
 * channel, and a plain list has no shape.
 */
export function rowShapeOf(sizes: readonly number[]): readonly number[] | undefined {
  if (sizes.length === 2) return [...sizes, 1];
  return sizes.length > 2 ? sizes : undefined;
}

/** Makes a dataset. Labels are treated as classes, unless `classes` is false. */
export function arrayDataset(reader: string, found: ArrayRows, { classes = true, type }: ArrayDatasetOptions): Dataset {
  const { source, rows, rowShape, target, advice } = found;
  checkFlag(reader, "classes", classes);
  if (target === undefined) throw fileFault(source, `there are no labels to learn; ${advice}`, "DATA_TARGET");
  const names = typeof target[0] === "string";
  if (names && !classes) {
    throw new OptionError(reader, "classes is false, but folder names are not numbers; leave the option out", "OPTION_CONFLICT");
  }
  if (classes && Array.prototype.every.call(target, (label) => label === target[0])) {
    const one = `all ${rows.length} rows belong to one class, ${show(String(target[0]))}`;
    throw fileFault(source, `${one}: there is nothing to learn; add rows of another class`, "DATA_TARGET");
  }
  return Dataset.fromArrays({
    x: rows,
    y: target,
    classes,
    target: labelColumn,
    source,
    ...(type === undefined ? {} : { type }),
    ...(rowShape === undefined ? {} : { rowShape }),
  });
}

/** Yields tables of `blockRows` rows. `named`: whether names become a column. */
export function* arrayTables(found: ArrayRows, blockRows: number, named = false): Generator<Table> {
  const { source, rows, columnCount, target, names } = found;
  for (let start = 0; start < rows.length; start += blockRows) {
    const block = rows.slice(start, start + blockRows);
    const columns = Array.from({ length: columnCount }, (_, j): Column => {
      return { name: `x${j}`, kind: "number", values: Float64Array.from(block, (row) => row[j]) };
    });
    if (target !== undefined) columns.push(targetColumn(Array.prototype.slice.call(target, start, start + blockRows)));
    if (named && names !== undefined) columns.push(textColumn(fileColumn, names.slice(start, start + blockRows)));
    yield { rowCount: block.length, columns, source };
  }
}

function targetColumn(labels: number[] | string[]): Column {
  if (typeof labels[0] === "string") return textColumn(labelColumn, labels as string[]);
  return { name: labelColumn, kind: "number", values: Float64Array.from(labels as number[]) };
}

function textColumn(name: string, texts: readonly string[]): Column {
  const levels = [...new Set(texts)].sort();
  const index = new Map(levels.map((level, code) => [level, code]));
  return { name, kind: "category", codes: Int32Array.from(texts, (text) => index.get(text)!), levels };
}
