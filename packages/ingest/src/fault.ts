import { DataError, OptionError } from "ergodic/data";

export type FaultCode =
  | "DATA_PARSE" // the text breaks the format's grammar
  | "DATA_TYPE" // a value is not of its column's type
  | "DATA_MISSING" // values are missing
  | "DATA_HEADER" // column names
  | "DATA_COLUMN" // a requested column does not exist
  | "DATA_RAGGED" // rows of unequal length
  | "DATA_EMPTY" // no rows
  | "DATA_TARGET" // nothing to learn from the target
  | "DATA_INDEX" // sparse column numbers
  | "DATA_ENCODING" // not UTF-8
  | "DATA_FORMAT" // not the stated format, or an unknown one
  | "DATA_UNSUPPORTED" // valid, but not supported
  | "DATA_TRUNCATED"; // the file ends too early

/**
 * Makes an error about a fault in a file: `file:line:column: what was found, what was wanted, what to do [CODE]`. Lines
 * and columns count from 1.
 *
 * In tables, a column is the position of a field; in line formats, it is the position of a byte.
 */
export function fault(file: string, line: number, column: number, message: string, code: FaultCode): DataError {
  return new DataError(`${file}:${line}:${column}`, message, code);
}

export function fileFault(file: string, message: string, code: FaultCode, cause?: unknown): DataError {
  return new DataError(file, message, code, cause === undefined ? undefined : { cause });
}

/** Formats text for a message: quoted, control characters visible, cut at 40 characters. */
export function show(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 37)}…` : text;
  const visible = short.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  return visible.includes('"') ? `'${visible}'` : `"${visible}"`;
}

/** Formats the value of an option for a message, whatever its type. */
export function told(value: unknown): string {
  if (typeof value === "string") return show(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  // String() accepts symbols, too.
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Checks that an option is undefined or one of a few strings. */
export function checkOneOf(where: string, option: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value as string)) return;
  throw new OptionError(where, `${option} is ${told(value)}, but must be ${allowed.map(show).join(" or ")}`, "OPTION_RANGE");
}

/** Checks that an option is true, false or absent. (A string such as "no" would count as true.) */
export function checkFlag(where: string, option: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new OptionError(where, `${option} is ${told(value)}, but must be true or false`, "OPTION_TYPE");
}

export function listed(names: readonly string[]): string {
  const few = names.slice(0, 8).map(show).join(", ");
  return names.length > 8 ? `${few}, … (${names.length} in all)` : few;
}
