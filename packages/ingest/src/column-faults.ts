/** Errors about cells that do not fit their column. Each error says what is wrong and how to fix it. */
import { commentMark } from "./comment.ts";
import { fault, listed, show } from "./fault.ts";
import { isGap } from "./gaps.ts";
import { isNumberText } from "./number.ts";

/** Position of a cell. `position`: index of its column, from 1. */
export interface CellPlace {
  readonly file: string;
  readonly line: number;
  readonly column: string;
  readonly position: number;
}

/** Matches numbers with three digits after each comma. */
const thousands = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/;

const wrongType = ({ file, line, position }: CellPlace, message: string): Error =>
  fault(file, line, position, message, "DATA_TYPE");

/** Error for an integer that would be rounded. */
export function roundedInteger(at: CellPlace, text: string): Error {
  const column = show(at.column);
  return wrongType(
    at,
    `the integer ${show(text)} in column ${column} is beyond 2^53, where numbers are rounded; keep it as text, types: { ${column}: "category" }, drop it, or let it be rounded, types: { ${column}: "number" }`,
  );
}

/**
 * Error for a comma as in "1,000", which can be a thousands separator or a decimal comma. The two interpretations
 * differ by a factor of a thousand.
 */
function thousandsOrDecimals(at: CellPlace, text: string): Error {
  return wrongType(
    at,
    `${show(text)} in column ${show(at.column)} may have a thousands comma or a decimal comma; remove thousands commas from the file, pass decimal: "," if they are decimal commas, or declare types: { ${show(at.column)}: "category" }`,
  );
}

/** Error for a number with a decimal comma, if a decimal point is expected. */
function decimalComma(at: CellPlace, text: string): Error {
  const column = show(at.column);
  return wrongType(
    at,
    `${show(text)} looks like a number with a decimal comma in column ${column}; pass decimal: ",", or declare types: { ${column}: "category" }`,
  );
}

/** Error for "inf" and similar strings. */
export function notFinite(at: CellPlace, text: string): Error {
  const column = show(at.column);
  return wrongType(at, `${show(text)} is not a finite number in column ${column}; correct it, or list it in the option missing`);
}

/**
 * Error for a string in a column of numbers. `numbers`: number of numeric values in the column, if the type was
 * inferred.
 */
export function notNumber(
  at: CellPlace,
  text: string,
  { typed, decimal, numbers }: { readonly typed: boolean; readonly decimal: string; readonly numbers?: number },
): Error {
  if (!typed && decimal === "." && thousands.test(text)) return thousandsOrDecimals(at, text);
  const others = numbers === undefined ? "" : `, whose other values are numbers (${numbers})`;
  const comma = decimal === "." && isNumberText(text, ",");
  const mark = at.position === 1 ? commentMark(text) : undefined;
  const advice = comma
    ? `pass decimal: ","`
    : mark && !typed
      ? `pass comment: ${show(mark)} if lines that begin with it are comments`
      : `correct it, list it in the option missing, or declare types: { ${show(at.column)}: "category" }`;
  return wrongType(at, `${show(text)} is not a number in column ${show(at.column)}${others}; ${advice}`);
}

/** Error for a string that is not among the declared levels. */
export function unknownLevel(at: CellPlace, text: string, levels: readonly string[]): Error {
  const advice = `correct it, or declare all levels: types: { ${show(at.column)}: [${listed([...levels, text])}] }`;
  return wrongType(at, `${show(text)} is not a level of column ${show(at.column)} (${listed(levels)}); ${advice}`);
}

/**
 * Refuses a column of strings that is probably numeric: at least nine in ten of its values are numbers, or all strings
 * are numbers with a decimal comma. `first`: the first string, at its place. `numbers`: number of numeric values that are
 * not among the levels.
 */
export function refuseMistakes(
  at: CellPlace,
  first: string,
  levels: readonly string[],
  counts: readonly number[],
  numbers: number,
  { gaps, typed, decimal }: { readonly gaps: boolean; readonly typed: boolean; readonly decimal: "." | "," },
): void {
  let all = numbers;
  let texts = 0;
  let commas = 0;
  levels.forEach((level, code) => {
    if (gaps && isGap(level)) return;
    if (!typed && isNumberText(level, decimal)) all += counts[code];
    else texts += counts[code];
    if (!typed && decimal === "." && isNumberText(level, ",") && level.includes(",")) commas += counts[code];
  });
  if (commas > 0 && commas === texts) {
    if (levels.every((level) => !level.includes(",") || thousands.test(level))) throw thousandsOrDecimals(at, first);
    throw decimalComma(at, first);
  }
  if (all >= 9 * texts) throw notNumber(at, first, { typed, decimal, numbers: all });
}
