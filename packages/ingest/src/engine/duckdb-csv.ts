/**
 * CSV by DuckDB → tables. For files that follow RFC 4180, the tables are equal to those of `formats/csv.ts`.
 *
 * Our decoder reads the first rows: it finds the column names, applies its refusals, and separates numbers from
 * strings. DuckDB then reads all rows. Columns that began with numbers are read as float64, and all other columns as
 * strings. If a numeric column contains anything else (a string, an infinity, an integer beyond 2^53), the column is
 * read again as strings, and our own rules are applied to these strings.
 *
 * For the differences, see "Two readers" in docs/reading-files.md.
 *
 * @throws OptionError for `comment` and `ragged: "skip"`, which have another meaning in DuckDB
 */
import { missingTexts, OptionError } from "ergodic/data";
import type { ColumnBuilder } from "../column.ts";
import { show } from "../fault.ts";
import { type CsvOptions, csv } from "../formats/csv.ts";
import { countLines } from "../lines.ts";
import type { ByteSource } from "../source.ts";
import { TableBuilder } from "../table-builder.ts";
import { DuckDbFile, NotNumber, quoted } from "./duckdb-file.ts";
import { type Pick, putRows, type Query } from "./duckdb-rows.ts";

/** Number of rows read first. In nearly all files, these rows are enough to determine the types of the columns. */
const probeRows = 1000;
/** Size of DuckDB's read buffer in bytes. A line can have at most 2,000,000. */
const bufferBytes = 2 ** 22;
/** Number of columns that are switched to strings one at a time. After that, all columns are switched. */
const mostRestarts = 3;

export async function* duckDbCsvRows(source: ByteSource, options: CsvOptions, builder: TableBuilder): AsyncGenerator<void> {
  refuseOptions(options);
  const file = await DuckDbFile.open(source);
  try {
    const probe = await probed(source, options);
    const { names, namesLine } = probe;
    if (names.length === 0) return; // the caller refuses the empty file
    refuseNames(source.name, names);
    file.refuseWide(names.length);
    builder.begin(names);
    // Columns with strings such as "N/A" are read as strings, because DuckDB would stop there in a numeric column. So are
    // columns with codes, because DuckDB would remove their leading zeros.
    const isTexts = (column: ColumnBuilder | undefined) =>
      column?.kind === "category" || column?.hasCodes || column?.remark(probe.rowCount) !== undefined;
    const texts = new Set(probe.columns.flatMap((column, i) => (isTexts(column) ? [`c${i}`] : [])));
    builder.columns.forEach((column, i) => {
      if (column?.kind === "category") texts.add(`c${i}`);
    });
    const picksNow = (): Pick[] =>
      builder.columns.flatMap((column, i) =>
        column ? [{ column, sql: `c${i}`, kind: texts.has(`c${i}`) ? "text" : "number" } as const] : [],
      );
    const written = await writing(source, options.quote);
    const expected = (source.byteLength ?? 0) / written.lineBytes;
    const query: Query = { file, from: "", picks: [], line: namesLine + 1, done: 0, expected, textOf: trimmed };
    for (let restarts = 0; ; restarts++) {
      query.picks = picksNow();
      query.from = `read_csv(${file.path}, ${settings(options, names, texts, namesLine, written)})`;
      try {
        return yield* putRows(query, builder);
      } catch (error) {
        if (!(error instanceof NotNumber)) throw error;
        const more = restarts < mostRestarts ? [error.column] : names.map((_, i) => `c${i}`);
        for (const column of more) texts.add(column);
      }
    }
  } finally {
    file.close();
  }
}

/** Reads tab-separated values. */
export const duckDbTsvRows = (source: ByteSource, options: CsvOptions, builder: TableBuilder): AsyncGenerator<void> =>
  duckDbCsvRows(source, { delimiter: "\t", ...options }, builder);

function refuseOptions({ comment, ragged }: CsvOptions): void {
  const refused = (option: string, why: string) =>
    new OptionError("read", `engine is "duckdb", ${why}; leave ${option} out, or use engine: "own"`, "OPTION_CONFLICT");
  if (comment !== undefined && comment !== "")
    throw refused("comment", "which finds comments anywhere in a line, not only at its start");
  if (ragged === "skip") throw refused('ragged: "skip"', "which would also skip rows whose values it cannot read");
}

/**
 * Refuses files that DuckDB reads differently. If there is one column, DuckDB reads blank lines as missing values. If a
 * name extends over several lines, DuckDB's line numbers differ.
 */
function refuseNames(file: string, names: readonly string[]): void {
  const long = names.find((name) => /[\r\n]/.test(name));
  if (names.length > 1 && long === undefined) return;
  const what =
    long === undefined
      ? `a blank line is a missing value if there is only one column, ${show(names[0])}`
      : `the name ${show(long)} ends after its first line`;
  throw new OptionError(file, `engine is "duckdb", to which ${what}; use engine: "own"`, "OPTION_CONFLICT");
}

/** Reads the first rows with our own decoder, which checks the options too. */
async function probed(source: ByteSource, options: CsvOptions): Promise<TableBuilder> {
  const probe = new TableBuilder(source.name, options, { store: false, blockRows: probeRows });
  const reading = csv.rows(source, options, probe);
  await reading.next();
  await reading.return(undefined);
  return probe;
}

function settings(
  { delimiter = ",", quote = '"', decimal = ".", missing = missingTexts, types = {} }: CsvOptions,
  names: readonly string[],
  texts: ReadonlySet<string>,
  namesLine: number,
  { lineEnd }: Writing,
): string {
  const columns = names.map((_, i) => `'c${i}': ${texts.has(`c${i}`) ? "'VARCHAR'" : "'DOUBLE'"}`);
  // A string that is a level is not a missing value. A marker that DuckDB cannot use turns a numeric column into a
  // string column.
  const levels = new Set(Object.values(types).flatMap((type) => (typeof type === "string" ? [] : type)));
  const markers = missing.filter(
    (text) => !levels.has(text) && ![delimiter, quote || "\n", "\n", "\r"].some((mark) => text.includes(mark)),
  );
  return [
    `columns = {${columns.join(", ")}}`,
    "auto_detect = false, header = false, hive_partitioning = false",
    `skip = ${namesLine}, delim = ${quoted(delimiter)}, quote = ${quoted(quote)}, escape = ${quoted(quote)}`,
    `decimal_separator = ${quoted(decimal)}, nullstr = [${(markers.length > 0 ? markers : [noMarker]).map(quoted).join(", ")}]`,
    `new_line = ${quoted(lineEnd)}, compression = 'none', buffer_size = ${bufferBytes}`,
  ].join(", ");
}

interface Writing {
  /** Line end in SQL notation. DuckDB's own detection might choose a line end that is inside quotes. */
  lineEnd: string;
  /** Average number of bytes per line. */
  lineBytes: number;
}

/** Detects line end and line length from the first piece of the file. */
async function writing(source: ByteSource, quote = '"'): Promise<Writing> {
  const reading = source.chunks()[Symbol.asyncIterator]();
  const { value: head = new Uint8Array(0) } = await reading.next();
  await reading.return?.();
  const lineBytes = head.length / Math.max(1, countLines(head));
  let isQuoted = false;
  for (let i = 0; i < head.length; i++) {
    if (head[i] === quote.charCodeAt(0)) isQuoted = !isQuoted;
    else if (head[i] === 10 && !isQuoted) return { lineBytes, lineEnd: "\\n" };
    else if (head[i] === 13 && !isQuoted) return { lineBytes, lineEnd: head[i + 1] === 10 ? "\\r\\n" : "\\r" };
  }
  return { lineBytes, lineEnd: "\\n" };
}

/** A string that no file contains. It is used because DuckDB requires at least one marker. */
const noMarker = "no text means missing \u{10ffff}";

/** Removes blanks at both ends, which DuckDB keeps. */
function trimmed(text: string): string {
  return text.charCodeAt(0) > 32 && text.charCodeAt(text.length - 1) > 32 ? text : text.replace(/^[ \t]+|[ \t]+$/g, "");
}
