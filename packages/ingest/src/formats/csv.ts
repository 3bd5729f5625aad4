import { OptionError } from "ergodic/data";
import { checkComment, commentMark } from "../comment.ts";
import { CsvRecords } from "../csv-records.ts";
import type { EngineOptions } from "../engine/engine.ts";
import { fault, show, told } from "../fault.ts";
import { isText, lineBlocks } from "../lines.ts";
import { isNumberText } from "../number.ts";
import { PlainRows } from "../plain-rows.ts";
import type { RowDecoder } from "../rows.ts";
import type { ByteSource } from "../source.ts";
import type { TableBuilder, TableOptions } from "../table-builder.ts";

/** Options of CSV and TSV files. */
export interface CsvOptions extends TableOptions, EngineOptions {
  /**
   * Whether the first line contains the column names. If the file has no such line, a list of names can be given
   * instead. By default, the first line contains the names, but it is refused if it contains only numbers.
   */
  header?: boolean | readonly string[];
  /**
   * Separator between fields: one ASCII character, not a double quote. Default: for TSV, a tab. For CSV, ";", a tab or
   * "|" if the first lines show it (not with DuckDB), otherwise ",". A remark of the result names a detected separator.
   */
  delimiter?: string;
  /** Quote character: one ASCII character, or "" for none. Default '"'. */
  quote?: string;
  /**
   * Decimal mark. Default: "," if the first lines show it (not with DuckDB), otherwise ".". A remark of the result names
   * a detected comma.
   */
  decimal?: "." | ",";
  /** Mark of comment lines, such as "#". Lines that begin with it are not read. Default: there are none. */
  comment?: string;
  /**
   * Treatment of rows with too many or too few fields: "refuse" (default), or "skip", which counts them in the
   * `remarks` of the result.
   */
  ragged?: "refuse" | "skip";
}

export const csvKeys = ["header", "delimiter", "quote", "decimal", "comment", "ragged", "engine"];

/**
 * Comma- and tab-separated values (RFC 4180) → tables.
 *
 * The first line names the columns unless `header` is false (then x0, x1, …) or a list of names. Types are inferred
 * from the whole file. Only one block of text is in memory at a time, and each level of a category is stored only once.
 * A file therefore takes little more memory than its columns.
 *
 * @throws DataError DATA_HEADER, DATA_RAGGED, DATA_PARSE, DATA_TYPE, DATA_EMPTY, DATA_ENCODING, DATA_FORMAT;
 * OptionError
 */
export const csv: RowDecoder<CsvOptions> = { typed: false, listsColumns: true, rows: csvRows };
export const tsv: RowDecoder<CsvOptions> = {
  typed: false,
  listsColumns: true,
  rows: (source, options, builder) => csvRows(source, { delimiter: "\t", ...options }, builder),
};

async function* csvRows(source: ByteSource, options: CsvOptions, builder: TableBuilder): AsyncGenerator<void> {
  const { delimiter = ",", quote = '"', decimal = ".", comment = "", ragged = "refuse" } = options;
  if (quote !== "") checkMark("quote", quote);
  checkComment(comment, quote);
  if (ragged !== "refuse" && ragged !== "skip")
    throw new OptionError("readCsv", `ragged is ${told(ragged)}, but must be "refuse" or "skip"`, "OPTION_RANGE");
  checkMark("delimiter", delimiter);
  if (delimiter === quote || delimiter === '"')
    throw new OptionError(
      "readCsv",
      `delimiter is ${show(delimiter)}, but must differ from the double quote and from the option quote`,
      "OPTION_RANGE",
    );
  if (decimal !== "." && decimal !== ",")
    throw new OptionError("readCsv", `decimal is ${told(decimal)}, but must be "." or ","`, "OPTION_RANGE");
  if (decimal === delimiter)
    throw new OptionError(
      "readCsv",
      `decimal and delimiter are both ${show(decimal)}; such a file needs delimiter: ";"`,
      "OPTION_RANGE",
    );
  checkHeader(options.header);
  const records = new CsvRecords(source.name, delimiter, quote, comment, () => builder.skipComments(1, comment));
  const plain = new PlainRows(delimiter, quote, comment);
  let read = 0;
  for await (const block of lineBlocks(source)) {
    yield* blockRows(records, plain, block, options, builder);
    read += block.length;
    if (source.byteLength !== undefined) builder.expect(source.byteLength, read);
  }
  yield* rows(records, undefined, options, builder);
}

/**
 * Number of bytes that the full parser reads after a record that is not simple. After these bytes, simple records are
 * read directly again.
 */
const grammarBytes = 1 << 15;
const lineFeed = 10;

/**
 * Adds the records of a block. Simple records are read directly from their bytes, and other records are read by the
 * full parser.
 */
function* blockRows(
  records: CsvRecords,
  plain: PlainRows,
  block: Uint8Array,
  options: CsvOptions,
  builder: TableBuilder,
): Generator<void> {
  if (!isText(block)) return yield* rows(records, block, options, builder); // the parser reports the position
  let at = 0;
  while (at < block.length) {
    if (records.between && builder.columns.length > 0 && block[block.length - 1] === lineFeed) {
      for (;;) {
        const next = plain.next(block, at);
        if (next < 0) break;
        if (plain.count > 0) {
          if (plain.count !== builder.columns.length) break;
          putPlain(plain, block, records.nextLine, builder);
        }
        records.skipLines(1);
        at = next;
        if (plain.count > 0 && builder.endRow()) yield;
        if (at === block.length) return;
      }
    }
    // The first line names the columns, so only that line is parsed.
    const least = builder.columns.length === 0 ? 0 : grammarBytes;
    const end = block.indexOf(lineFeed, at + least) + 1 || block.length;
    yield* rows(records, block.subarray(at, end), options, builder);
    at = end;
  }
}

function putPlain({ starts, ends }: PlainRows, block: Uint8Array, line: number, { columns }: TableBuilder): void {
  for (let i = 0; i < columns.length; i++) columns[i]?.putBytes(block, starts[i], ends[i], line);
}

function checkMark(name: string, value: string): void {
  if (typeof value === "string" && /^[^\r\n\x80-\uffff]$/.test(value)) return;
  throw new OptionError("readCsv", `${name} is ${told(value)}, but must be one ASCII character`, "OPTION_RANGE");
}

function checkHeader(header: unknown): void {
  if (header === undefined || typeof header === "boolean") return;
  if (!(Array.isArray(header) && header.every((name) => typeof name === "string")))
    throw new OptionError("readCsv", `header is ${told(header)}, but must be true, false or a list of names`, "OPTION_TYPE");
  const seen = new Set<string>();
  for (const name of header) {
    if (seen.size === seen.add(name).size)
      throw new OptionError("readCsv", `header lists the name ${show(name)} twice; rename one of them`, "OPTION_RANGE");
  }
}

/** Adds the complete records, and yields whenever a block of rows is full. */
function* rows(records: CsvRecords, block: Uint8Array | undefined, options: CsvOptions, builder: TableBuilder): Generator<void> {
  for (const fields of records.read(block)) {
    if (builder.columns.length === 0 && start(fields, records.line, options, builder)) continue;
    const { columns } = builder;
    const { line } = records;
    if (fields.length !== columns.length) {
      if (options.ragged !== "skip") throw ragged(fields, records, builder, options);
      builder.skip(line, fields.length);
      continue;
    }
    for (let i = 0; i < columns.length; i++) columns[i]?.put(fields[i], line);
    if (builder.endRow()) yield;
  }
}

/** Takes the column names. Returns true if the names come from the record. */
function start(fields: string[], line: number, options: CsvOptions, builder: TableBuilder): boolean {
  const { header } = options;
  if (Array.isArray(header)) {
    builder.begin(header);
    return false;
  }
  const { file } = builder;
  if (fields.length === 1) {
    const other = [";", "\t", "|", ","].find((mark) => fields[0].includes(mark));
    if (other !== undefined && other !== options.delimiter) {
      throw fault(
        file,
        line,
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
      line,
      1,
      `the first line should name the columns, but holds only numbers (${show(fields[0])} …); pass header: false if it is data, or header: true if these numbers are the names`,
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
        line,
        i + 1,
        `the name ${show(name)} is taken by column ${before + 1} already; rename one of them, or pass header: false if the first line is data`,
        "DATA_HEADER",
      );
    }
    seen.set(name, i);
  });
  builder.begin(names, line);
  return true;
}

function ragged(fields: string[], records: CsvRecords, builder: TableBuilder, { header }: CsvOptions): Error {
  const wanted = builder.columns.length;
  const text = records.recordText();
  const lines = [text, ...builder.names.slice(0, 1)].map(commentMark).find((mark) => mark !== undefined);
  const advice =
    lines === undefined
      ? 'complete it, quote fields that contain the delimiter, or pass ragged: "skip" to skip rows like this'
      : `pass comment: ${show(lines)} if lines that begin with it are comments`;
  const standard =
    header === false ? "the first row has" : Array.isArray(header) ? "the option header lists" : "the header names";
  return fault(
    builder.file,
    records.line,
    Math.min(fields.length, wanted) + 1,
    `the row has ${fields.length} ${fields.length === 1 ? "field" : "fields"}, but ${standard} ${wanted}: ${show(text)}; ${advice}`,
    "DATA_RAGGED",
  );
}
