/**
 * Comma- and tab-separated values (RFC 4180) → tables.
 *
 * The first line names the columns unless `header` is false (then x0, x1, …) or a list of names. Types are inferred over the whole
 * file. No string is made for a number, and one for each level of a category: a file costs its columns, not its text.
 *
 * @throws DataError DATA_HEADER, DATA_RAGGED, DATA_PARSE, DATA_TYPE, DATA_EMPTY, DATA_ENCODING, DATA_FORMAT; OptionError
 */
import { OptionError } from "ergodic";
import { CsvTokens } from "../csv-tokens.ts";
import { fault, show } from "../fault.ts";
import { lineBlocks } from "../lines.ts";
import { isNumberText, parseNumber } from "../number.ts";
import type { RowDecoder } from "../rows.ts";
import type { ByteSource } from "../source.ts";
import type { TableBuilder, TableOptions } from "../table-builder.ts";

export interface CsvOptions extends TableOptions {
  /** True: the first line holds names. False: there is no such line. A list: these names, and no such line. Default: true, and a line of numbers alone is refused. */
  header?: boolean | readonly string[];
  /** One ASCII character. Default "," or, for TSV, a tab. */
  delimiter?: string;
  /** One ASCII character, or "" for none. Default '"'. */
  quote?: string;
  /** The decimal mark. Default ".". */
  decimal?: "." | ",";
}

export const csvKeys = ["header", "delimiter", "quote", "decimal"];

export const csv: RowDecoder<CsvOptions> = { typed: false, listsColumns: true, rows: csvRows };
export const tsv: RowDecoder<CsvOptions> = {
  typed: false,
  listsColumns: true,
  rows: (source, options, builder) => csvRows(source, { delimiter: "\t", ...options }, builder),
};

async function* csvRows(source: ByteSource, options: CsvOptions, builder: TableBuilder): AsyncGenerator<void> {
  const { delimiter = ",", quote = '"', decimal = "." } = options;
  const tokens = new CsvTokens(source.name, code("delimiter", delimiter), quote === "" ? -1 : code("quote", quote));
  if (decimal !== "." && decimal !== ",")
    throw new OptionError("readCsv", `decimal is ${show(String(decimal))}, but must be "." or ","`, "OPTION_RANGE");
  if (decimal === delimiter)
    throw new OptionError(
      "readCsv",
      `decimal and delimiter are both ${show(decimal)}; such a file needs delimiter: ";"`,
      "OPTION_RANGE",
    );
  for await (const block of lineBlocks(source)) {
    tokens.feed(block);
    yield* records(tokens, options, builder, decimal);
  }
  tokens.end();
  yield* records(tokens, options, builder, decimal);
}

function code(name: string, value: string): number {
  const byte = typeof value === "string" && value.length === 1 ? value.charCodeAt(0) : 128;
  if (byte < 128 && byte !== 10 && byte !== 13) return byte;
  throw new OptionError("readCsv", `${name} is ${show(String(value))}, but must be one ASCII character`, "OPTION_RANGE");
}

/** The records at hand; yields when a block of rows is full. */
function* records(tokens: CsvTokens, options: CsvOptions, builder: TableBuilder, decimal: "." | ","): Generator<void> {
  const mark = decimal.charCodeAt(0);
  while (tokens.next()) {
    if (builder.columns.length === 0 && start(tokens, options, builder)) continue;
    const { columns } = builder;
    const { starts, ends, bytes, line } = tokens;
    if (tokens.count !== columns.length) throw ragged(tokens, builder, options);
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (column === undefined) continue;
      const value = column.kind === "category" ? NaN : parseNumber(bytes, starts[i], ends[i], mark);
      if (value - value === 0) column.putNumber(value, line);
      else column.putText(tokens.text(i), line);
    }
    if (builder.endRow()) yield;
  }
}

/** Takes the names; true if the record held them. */
function start(tokens: CsvTokens, options: CsvOptions, builder: TableBuilder): boolean {
  const { header } = options;
  if (Array.isArray(header)) {
    builder.begin(header);
    return false;
  }
  const fields = tokens.texts();
  const { file } = builder;
  if (fields.length === 1) {
    const other = [";", "\t", "|", ","].find((mark) => fields[0].includes(mark));
    if (other !== undefined && other !== options.delimiter) {
      throw fault(
        file,
        tokens.line,
        1,
        `the first line is one field, ${show(fields[0])}; pass delimiter: ${show(other)}, or quote the field`,
        "DATA_HEADER",
      );
    }
  }
  if (header === false) {
    builder.begin(fields.map((_, i) => `x${i}`));
    return false;
  }
  if (header === undefined && fields.every((text) => isNumberText(text, options.decimal ?? "."))) {
    throw fault(
      file,
      tokens.line,
      1,
      `the first line should name the columns, but holds numbers alone (${show(fields[0])} …); pass header: false if it is data, header: true if those are names`,
      "DATA_HEADER",
    );
  }
  const names = fields.map((name, i) => (name === "" ? `x${i}` : name));
  const seen = new Map<string, number>();
  names.forEach((name, i) => {
    const before = seen.get(name);
    if (before !== undefined) {
      throw fault(
        file,
        tokens.line,
        i + 1,
        `the name ${show(name)} is taken by column ${before + 1} already; rename one of them, or pass header: false if the first line is data`,
        "DATA_HEADER",
      );
    }
    seen.set(name, i);
  });
  builder.begin(names);
  return true;
}

function ragged(tokens: CsvTokens, builder: TableBuilder, { header }: CsvOptions): Error {
  const wanted = builder.columns.length;
  const standard =
    header === false ? "the first row has" : Array.isArray(header) ? "the option header lists" : "the header names";
  return fault(
    builder.file,
    tokens.line,
    Math.min(tokens.count, wanted) + 1,
    `the row has ${tokens.count} ${tokens.count === 1 ? "field" : "fields"}, but ${standard} ${wanted}: ${show(tokens.recordText())}; complete it, or quote a field that holds the delimiter`,
    "DATA_RAGGED",
  );
}
