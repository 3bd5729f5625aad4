import { OptionError } from "ergodic/data";
import type { ColumnBuilder } from "../column.ts";
import { checkComment, commentMark } from "../comment.ts";
import { fault, show } from "../fault.ts";
import { decoded, lineBlocks } from "../lines.ts";
import { isRounded } from "../number.ts";
import type { RowDecoder } from "../rows.ts";
import type { ByteSource } from "../source.ts";
import { columnIndex, type TableBuilder, type TableOptions } from "../table-builder.ts";
import { dense } from "./format.ts";
import { type ArrayElement, ArrayElements, lineEnds } from "./json-array.ts";

/** Options for JSON lines: the options for tables, and the mark of comments. */
export interface JsonLinesOptions extends TableOptions {
  /** Mark of comment lines, such as "//". Lines that begin with it are not read. Default: there are none. */
  comment?: string;
}

export const jsonLinesKeys = ["comment"];

/** Text of an object, with its place in the file. */
interface JsonText extends ArrayElement {
  readonly of: "line" | "element";
}

/**
 * Converts JSON lines, which contain one flat object per line, or an array of flat objects, to tables. Keys are columns.
 * A key that is absent or null is a missing value.
 *
 * Numbers make numeric columns; strings and booleans make categories. Blank lines are skipped.
 *
 * @throws DataError DATA_PARSE (grammar, not an object), DATA_UNSUPPORTED (nested values), DATA_TYPE, DATA_EMPTY,
 * DATA_ENCODING
 */
export const jsonLines: RowDecoder<JsonLinesOptions> = { typed: true, listsColumns: false, rows: jsonRows };

async function* jsonRows(source: ByteSource, options: JsonLinesOptions, builder: TableBuilder): AsyncGenerator<void> {
  const numbered = options.drop?.find((key) => typeof key === "number");
  if (numbered !== undefined) {
    throw new OptionError(
      "readJsonLines",
      `drop holds ${numbered}, but the keys of an object have no order; give names`,
      "OPTION_TYPE",
    );
  }
  const { comment = "" } = options;
  checkComment(comment);
  if (builder.known !== undefined) builder.begin(builder.known);
  const columns = new Map(builder.names.map((name, i) => [name, builder.columns[i]]));
  const texts = new JsonTexts(builder, comment);
  for await (const block of lineBlocks(source)) {
    for (const row of texts.read(block)) {
      putRow(row, columns, builder);
      if (builder.endRow()) yield;
    }
  }
  texts.finish();
  if (builder.rowCount === 0 && columns.size === 0) return;
  const names = [...columns.keys()];
  for (const key of options.drop ?? []) columnIndex(source.name, "drop", names, key);
  for (const key of options.categories ?? []) columnIndex(source.name, "categories", names, key);
  for (const key of Object.keys(options.types ?? {})) columnIndex(source.name, "types", names, key);
}

/** The text of each object: the lines, or the elements if the first text opens an array. */
class JsonTexts {
  readonly #builder: TableBuilder;
  readonly #comment: string;
  #line = 1;
  #isFirst = true;
  #elements: ArrayElements | undefined;

  constructor(builder: TableBuilder, comment: string) {
    this.#builder = builder;
    this.#comment = comment;
  }

  *read(block: Uint8Array): Generator<JsonText> {
    const { file } = this.#builder;
    const text = decoded(file, block, this.#line);
    let start = 0;
    while (start < text.length && !this.#elements) {
      const found = text.indexOf("\n", start);
      const end = found < 0 ? text.length : found;
      const whole = text.slice(start, end);
      const row = whole.trim();
      const isComment = this.#comment !== "" && whole.startsWith(this.#comment);
      if (this.#isFirst && !isComment && row.startsWith("[")) {
        this.#elements = new ArrayElements(file, this.#line);
        break;
      }
      if (isComment) this.#builder.skipComments(1, this.#comment);
      else if (row !== "") {
        this.#isFirst = false;
        yield { text: row, line: this.#line, indent: whole.length - whole.trimStart().length, of: "line" };
      }
      start = end + 1;
      this.#line++;
    }
    if (!this.#elements) return;
    const rest = text.slice(start);
    for (const element of this.#elements.read(rest)) yield { ...element, of: "element" };
    this.#line += lineEnds(rest);
  }

  finish(): void {
    this.#elements?.finish();
  }
}

/** Adds a row. */
function putRow(from: JsonText, columns: Map<string, ColumnBuilder | undefined>, builder: TableBuilder): void {
  const { text, line } = from;
  const row = parsed(builder.file, from);
  for (const key of Object.keys(row)) {
    let column = columns.get(key);
    if (column === undefined) {
      if (columns.has(key)) continue;
      column = builder.addColumn(key, line);
      columns.set(key, column);
      if (column === undefined) continue;
    }
    column.padTo(builder.rowCount, 1);
    const value = row[key];
    if (typeof value === "number" && Number.isFinite(value)) {
      column.putNumber(value, line, () => longInteger(text, value));
    } else if (value === null) column.putMissing(line, "null");
    else if (typeof value === "object") throw located(builder.file, from);
    else column.put(String(value), line);
  }
  for (const column of builder.columns) column?.padTo(builder.rowCount + 1, line);
}

/** Returns the digits in the line that were rounded to this number, if there are any. */
function longInteger(text: string, value: number): string | undefined {
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return outside.match(/-?\d{16,}(?![\d.eE])/g)?.find((digits) => Number(digits) === value && isRounded(digits));
}

function parsed(file: string, from: JsonText): Record<string, unknown> {
  const { text, line, indent } = from;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw located(file, from);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fault(
      file,
      line,
      indent + 1,
      `${show(text)} is not an object; each line must hold one, like {"a": 1, "b": "x"}`,
      "DATA_PARSE",
    );
  }
  return value as Record<string, unknown>;
}

const blanks = /[ \t\r\n]*/y;
const string = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

/**
 * Returns an error that names the first place at which the line is not a flat object. The messages of JavaScript
 * engines are not used, because each engine describes and locates JSON errors differently.
 */
function located(file: string, { text, line, indent, of }: JsonText): Error {
  /** The error at a position in the text, which can have several lines if it is an element of an array. */
  const faultAt = (at: number, message: string, code: "DATA_PARSE" | "DATA_UNSUPPORTED"): Error => {
    const before = text.slice(0, at).split("\n");
    const column = before.length === 1 ? indent + at + 1 : before.at(-1)!.length + 1;
    return fault(file, line + before.length - 1, column, message, code);
  };
  let at = 0;
  let name = "";
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at += match[0].length;
    return match[0];
  };
  const broken = (wanted: string): Error => {
    const found = at < text.length ? show(text.slice(at)) : `the end of the ${of}`;
    const mark = commentMark(text);
    const advice =
      mark === undefined
        ? `each ${of} must hold one whole JSON object`
        : `pass comment: ${show(mark)} if lines that begin with it are comments`;
    return faultAt(at, `found ${found}, but wanted ${wanted}; ${advice}`, "DATA_PARSE");
  };
  const mark = (character: string): boolean => {
    take(blanks);
    const there = text[at] === character;
    if (there) at++;
    take(blanks);
    return there;
  };
  if (!mark("{")) return broken('"{"');
  if (mark("}")) return broken("nothing more");
  for (;;) {
    const key = take(string);
    if (key === undefined) return broken("a name in double quotes");
    name = key;
    if (!mark(":")) return broken('":"');
    if (text[at] === "{" || text[at] === "[") {
      return faultAt(
        at,
        `the value of ${name} is ${text[at] === "{" ? "an object" : "an array"}, ${show(text.slice(at))}, but a cell must be a number, a text, true, false or null; flatten it into separate columns, or drop it: drop: [${name}]`,
        "DATA_UNSUPPORTED",
      );
    }
    const value = take(string) ?? take(scalar);
    if (value === undefined) return broken("a value (a missing one is null; NaN and Infinity are not JSON)");
    if (mark("}")) return broken("nothing more");
    if (!mark(",")) return broken('"," or "}"');
  }
}

export const jsonLinesFormat = dense(jsonLines, jsonLinesKeys);
