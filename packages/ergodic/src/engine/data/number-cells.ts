/**
 * Numbers that come from outside in plain lists: one check for cells, targets, weights and ratings. JavaScript would make 0 of null, "" and [], 1 of
 * true and milliseconds of a Date. NaN is a number here: whoever reads it says what is missing.
 *
 * @throws DataError DATA_MISSING with the row, counted from 1, and the column
 */
import { DataError } from "../errors/errors.ts";

/** `what` names column j: `column "age"`, `y`, `the weight`. */
export function numberGiven(value: unknown, where: string, row: number, what: (j: number) => string, j = 0): number {
  if (typeof value === "number") return value;
  throw new DataError(
    where,
    `row ${row + 1}: ${what(j)} is ${told(value)}, but must be a number; fill the gap, or drop the row`,
    "DATA_MISSING",
  );
}

/** A list of them as float64, a copy. */
export function numbersGiven(values: ArrayLike<unknown>, where: string, what: string): Float64Array {
  if (holdsNumbers(values)) return Float64Array.from(values);
  const name = () => what;
  return Float64Array.from({ length: values.length }, (_, i) => numberGiven(values[i], where, i, name));
}

/** Arrays that cannot hold anything else. */
export function holdsNumbers(values: unknown): values is ArrayLike<number> {
  return (
    ArrayBuffer.isView(values) &&
    !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array)
  );
}

/** What a row by position may be. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || holdsNumbers(value);
}

/** What was found, in words of one line. */
export function told(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 37)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return "a list";
  return value instanceof Date ? "a Date" : "an object";
}
