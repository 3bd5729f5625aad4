import type { Finding } from "./finding.ts";

/** Name under which Node's `console.log` looks for an object's own text. */
const inspect = Symbol.for("nodejs.util.inspect.custom");
/** Largest number of list entries, named values or lines of entries. */
const MOST = 8;
/** Largest number of characters in a line of a property. */
const WIDTH = 140;
/** Significant digits of a printed number. */
const DIGITS = 6;

/**
 * Gives a result a toString() and the same text in Node's `console.log`, and returns the result. Both methods are not
 * enumerable, so that comparisons, listings and copies of the result ignore them. Without `text`, the text is
 * `contentText`.
 */
export function printable<R extends object>(result: R, text: (result: R) => string = contentText): R {
  const own = { value: () => text(result), configurable: true };
  return Object.defineProperties(result, { toString: own, [inspect]: own });
}

/** Applies `printable` to objects that have no text of their own. Returns every other value as it is. */
export function withText<R>(result: R): R {
  if (typeof result !== "object" || result === null || result.toString !== Object.prototype.toString) return result;
  return Object.isExtensible(result) ? (printable(result) as R) : result;
}

/** Formats the content of a result: a line per property, then a line per finding. Methods are left out. */
export function contentText(result: object): string {
  const { findings, run } = result as { findings?: readonly Finding[]; run?: { findings?: readonly Finding[] } };
  const rows = Object.entries(result).filter(([name, value]) => name !== "findings" && typeof value !== "function");
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.flatMap(([name, value]) => [`${name.padEnd(width)}  ${brief(value)}`, ...entryLines(value)]);
  return [...lines.map(shortened), ...findingLines(findings ?? run?.findings ?? [])].join("\n");
}

/** Formats the first entries of a list of objects, a line each. */
const entryLines = (value: unknown): string[] =>
  isListOfObjects(value) ? value.slice(0, MOST).map((entry, i) => `  ${i + 1}: ${brief(entry)}`) : [];

const shortened = (line: string): string => (line.length > WIDTH ? `${line.slice(0, WIDTH)} …` : line);

const isListOfObjects = (value: unknown): value is object[] =>
  Array.isArray(value) && value.some((entry) => typeof entry === "object" && entry !== null);

/** Formats each finding as a line: "- problem: remedy." */
export const findingLines = (findings: readonly Finding[]): string[] =>
  findings.map(({ text, advice }) => `- ${text}: ${advice}.`);

/** Formats any value in one line. Long lists and objects are cut short. */
export function brief(value: unknown, depth = 0): string {
  if (typeof value === "number") return String(Number(value.toPrecision(DIGITS)));
  if (typeof value !== "object" || value === null) return String(value);
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return listText(value as unknown as ArrayLike<unknown>);
  if (value.toString !== Object.prototype.toString) return String(value).split("\n", 1)[0];
  const parts = Object.entries(value).filter(([, part]) => typeof part !== "function");
  if (depth > 1) return `${parts.length} values`;
  return cut(
    parts.map(([name, part]) => `${name} ${nested(part, depth + 1)}`),
    parts.length,
  );
}

function nested(part: unknown, depth: number): string {
  const text = brief(part, depth);
  return typeof part === "object" && part !== null && text.includes(", ") ? `(${text})` : text;
}

function listText(list: ArrayLike<unknown>): string {
  if (isListOfObjects(list)) return `${list.length} ${list.length === 1 ? "entry" : "entries"}`;
  const some = Array.from({ length: Math.min(MOST, list.length) }, (_, i) => list[i]);
  return cut(
    some.map((entry) => brief(entry)),
    list.length,
  );
}

function cut(parts: readonly string[], count: number): string {
  if (count === 0) return "none";
  return `${parts.slice(0, MOST).join(", ")}${count > MOST ? `, … (${count} in all)` : ""}`;
}
