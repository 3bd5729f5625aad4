/**
 * Reads the target column, the row weights and the offsets.
 *
 * A target is a number or the index of a class in sorted `levels`. Levels are sorted numerically if all are numbers,
 * and by code unit otherwise. Two classes thus get the usual indices 0 and 1. Targets are finite. Weights are finite
 * and >= 0, and not all 0.
 */
import { DataError } from "../errors/errors.ts";
import {
  findColumn,
  isArrays,
  isSparseTable,
  isTable,
  listed,
  numberCell,
  type RawRows,
  requireColumn,
  rowCountOf,
  tableNumbers,
  tableTexts,
  textCell,
} from "./raw.ts";
import type { TargetColumn } from "./rows.ts";
import type { Row, Table } from "./table.ts";

/**
 * Largest plausible number of classes. A larger number suggests a mistake, such as a numeric column read as text, or an
 * identifier.
 */
const MOST_CLASSES = 10_000;

/** Returns the distinct levels, sorted numerically if all are numbers, and by code unit otherwise. */
export function sortedLevels(levels: Iterable<string>): string[] {
  const distinct = [...new Set(levels)];
  const numeric = distinct.every((level) => level.trim() !== "" && Number.isFinite(Number(level)));
  return numeric ? distinct.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1)) : distinct.sort();
}

export function describeTarget(name: string, values: Iterable<string>, where: string): TargetColumn {
  const levels = sortedLevels(values);
  if (levels.length > MOST_CLASSES) {
    const problem = `target "${name}" has ${levels.length} classes, more than ${MOST_CLASSES}; is it a number, or an identifier?`;
    throw new DataError(where, problem, "DATA_TARGET");
  }
  return { name, kind: "category", levels };
}

/**
 * Returns the targets of raw rows, or null if the rows have none. `wanted`: true = required, false = ignored, undefined
 * = read if present.
 *
 * @throws DataError for a missing target, a class that the pipeline does not know, a value that is not a number
 */
export function readTarget(target: TargetColumn, raw: RawRows, wanted: boolean | undefined, where: string): Float64Array | null {
  if (wanted === false) return null;
  const rowCount = rowCountOf(raw);
  if (!holds(raw, target.name)) {
    if (!wanted) return null;
    if (isTable(raw)) requireColumn(raw, target.name, "target column");
    throw new DataError(where, `the rows hold no target "${target.name}"`, "DATA_TARGET");
  }
  if (isSparseTable(raw) && !wanted && raw.target.every(Number.isNaN)) return null;
  const read = target.kind === "number" ? numberReader(target, raw, where) : classReader(target, raw, where);
  return Float64Array.from({ length: rowCount }, (_, i) => {
    const value = read(i);
    if (Number.isFinite(value)) return value;
    throw new DataError(
      where,
      `row ${i + 1} has no value in the target "${target.name}" (${value}); remove such rows`,
      "DATA_TARGET",
    );
  });
}

/** Returns the weights of raw rows, or null if all rows weigh 1. */
export function readWeights(name: string | null, raw: RawRows, where: string): Float64Array | null {
  if (isSparseTable(raw)) return raw.weights ? checkedWeights(raw.weights, where) : null;
  if (name === null || isArrays(raw) || !holds(raw, name)) return null;
  return checkedWeights(numbersOf(raw as Table | readonly Row[], name, "weight column", where), where);
}

/**
 * Returns the offsets that are added to the outputs of raw rows. Null if the pipeline has no offset.
 *
 * @throws DataError if the rows lack the offset, because predictions without it would be wrong
 */
export function readOffset(name: string | undefined, raw: RawRows, where: string): Float64Array | null {
  if (name === undefined) return null;
  if (isSparseTable(raw) && raw.offset) return checkedOffset(raw.offset, where);
  if (isTable(raw) || (Array.isArray(raw) && !isArrays(raw)))
    return checkedOffset(numbersOf(raw as Table | readonly Row[], name, "offset column", where), where);
  throw new DataError(where, `the rows lack the offset "${name}"; give it by name, or a dataset that has one`, "DATA_COLUMN");
}

function numbersOf(raw: Table | readonly Row[], name: string, role: string, where: string): Float64Array {
  const read = isTable(raw)
    ? tableNumbers(requireColumn(raw, name, role), where)
    : (i: number) => numberCell(raw[i], name, where, i);
  return Float64Array.from({ length: rowCountOf(raw) }, (_, i) => read(i));
}

export function checkedOffset(offset: Float64Array, where: string): Float64Array {
  const i = offset.findIndex((value) => !Number.isFinite(value));
  if (i >= 0) throw new DataError(where, `row ${i + 1} has the offset ${offset[i]}, but it must be finite`, "DATA_VALUE");
  return offset;
}

/**
 * Converts the targets of a dataset to the class indices of another pipeline. Missing targets stay NaN.
 *
 * @throws DataError for a class that the pipeline does not know, and for any class if the pipeline's target is a number
 */
export function targetsAs(
  { name, kind, levels, values }: TargetColumn & { readonly values: Float64Array },
  wanted: TargetColumn,
  where: string,
): Float64Array {
  const classes = wanted.levels;
  if (!classes) {
    if (kind === "number") return values;
    const problem = `the target "${name}" has classes (${listed(levels!)}), but the model was trained on numbers; read it as numbers`;
    throw new DataError(where, problem, "DATA_TARGET");
  }
  if (levels?.length === classes.length && levels.every((level, k) => level === classes[k])) return values;
  const index = new Map(classes.map((level, k) => [level, k]));
  return values.map((value, i) => {
    if (Number.isNaN(value)) return value;
    const found = index.get(levels?.[value] ?? String(value));
    if (found !== undefined) return found;
    const problem = `row ${i + 1}: "${levels?.[value] ?? value}" is not a class of the model's target (${listed(classes)})`;
    throw new DataError(where, problem, "DATA_TARGET");
  });
}

export function checkedWeights(weights: Float64Array, where: string): Float64Array {
  const i = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (i >= 0)
    throw new DataError(where, `row ${i + 1} weighs ${weights[i]}, but a weight must be finite and >= 0`, "DATA_WEIGHT");
  if (!weights.some((weight) => weight > 0))
    throw new DataError(where, "every row weighs 0; at least one must weigh more", "DATA_WEIGHT");
  return weights;
}

function holds(raw: RawRows, name: string): boolean {
  if (isSparseTable(raw)) return true;
  if (isTable(raw)) return findColumn(raw, name) !== undefined;
  return !isArrays(raw) && raw.length > 0 && Object.hasOwn(raw[0], name);
}

function numberReader(target: TargetColumn, raw: RawRows, where: string): (i: number) => number {
  if (isSparseTable(raw)) return (i) => raw.target[i];
  if (isTable(raw)) return tableNumbers(requireColumn(raw, target.name, "target column"), where);
  const rows = raw;
  return isArrays(rows) ? () => NaN : (i) => numberCell(rows[i], target.name, where, i);
}

function classReader(target: TargetColumn, raw: RawRows, where: string): (i: number) => number {
  const index = new Map(target.levels!.map((level, k) => [level, k]));
  const text = textReader(target, raw, where);
  return (i) => {
    const level = text(i);
    if (level === null) return NaN;
    const found = index.get(level);
    if (found !== undefined) return found;
    const known = listed(target.levels!);
    throw new DataError(
      where,
      `row ${i + 1}: "${level}" is not a class of the target "${target.name}" (${known})`,
      "DATA_TARGET",
    );
  };
}

function textReader(target: TargetColumn, raw: RawRows, where: string): (i: number) => string | null {
  if (isSparseTable(raw)) return (i) => (Number.isNaN(raw.target[i]) ? null : String(raw.target[i]));
  if (isTable(raw)) return tableTexts(requireColumn(raw, target.name, "target column"));
  const rows = raw;
  return isArrays(rows) ? () => null : (i) => textCell(rows[i], target.name, where, i);
}
