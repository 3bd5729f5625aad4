/**
 * Checks numbers in plain lists that users pass: cells, targets, weights and ratings. JavaScript would convert null, ""
 * and [] to 0, true to 1, and a Date to milliseconds. NaN counts as a number here, and the caller decides whether
 * values can be missing.
 *
 * @throws DataError DATA_MISSING with the row, counted from 1, and the column
 */
import { DataError } from "../errors/errors.ts";

/** Returns the value if it is a number. `what` names column j: `column "age"`, `y`, `the weight`. */
export function numberGiven(value: unknown, where: string, row: number, what: (j: number) => string, j = 0): number {
  if (typeof value === "number") return value;
  throw new DataError(
    where,
    `row ${row + 1}: ${what(j)} is ${told(value)}, but must be a number; fill the gap, or drop the row`,
    "DATA_MISSING",
  );
}

/** Returns a float64 copy of a list of numbers. */
export function numbersGiven(values: ArrayLike<unknown>, where: string, what: string): Float64Array {
  if (holdsNumbers(values)) return Float64Array.from(values);
  const name = () => what;
  return Float64Array.from({ length: values.length }, (_, i) => numberGiven(values[i], where, i, name));
}

/** Whether the value is a typed array that can only contain numbers. */
export function holdsNumbers(values: unknown): values is ArrayLike<number> {
  return (
    ArrayBuffer.isView(values) &&
    !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array)
  );
}

/** Whether the value can be a row given by position. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || holdsNumbers(value);
}

/** Describes a value on one line of an error message. */
export function told(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 37)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return "a list";
  return value instanceof Date ? "a Date" : "an object";
}
