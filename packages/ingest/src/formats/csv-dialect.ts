/**
 * Detects the delimiter and the decimal mark of a CSV file from its first lines, where the options leave them out.
 *
 * Delimiter: ";", a tab or "|" if the first line has no comma outside quotes, and all examined lines have the same
 * number of this delimiter, at least one. Decimal mark: "," if the delimiter is not a comma, some field is a number
 * with a decimal comma, and no field is a number with a decimal point. A field such as "1,234" does not count, because
 * its comma can separate thousands. In all other cases, and with DuckDB as the reader, the defaults apply. A remark names
 * what was detected.
 */
import type { Remark, Table } from "ergodic/data";
import { show } from "../fault.ts";
import { peek } from "../replay.ts";
import type { ByteSource } from "../source.ts";
import type { CsvOptions } from "./csv.ts";
import type { DenseFormat } from "./format.ts";

/** Number of bytes that are examined, and number of lines that a slow source must have delivered. */
const [MOST_BYTES, FEWEST_LINES] = [1 << 16, 2];
const OTHERS = [";", "\t", "|"] as const;

const withComma = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i;
const withThousands = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+$/;
const withPoint = /^[+-]?\d*\.\d+(?:e[+-]?\d+)?$/i;

type Dialect = Pick<CsvOptions, "delimiter" | "decimal">;

/** Returns the parts of the dialect that `options` leave out and that the text shows. */
export function dialectOf(text: string, options: CsvOptions): Dialect {
  const { header, quote = '"', comment = "", delimiter: asked = "" } = options;
  if ([quote, comment, asked].some((mark) => typeof mark !== "string")) return {}; // the reader refuses them
  // The last line can be incomplete, unless it is the only one.
  const complete = text.slice(0, text.lastIndexOf("\n") + 1) || text;
  const isComment = (line: string): boolean => comment !== "" && line.startsWith(comment);
  const linesOf = (whole: string): string[] => whole.split(/\r?\n|\r/).filter((line) => line !== "" && !isComment(line));
  const found: { delimiter?: string; decimal?: "," } = {};
  if (options.delimiter === undefined) {
    const lines = linesOf(quote === "" ? complete : withoutQuoted(complete, quote));
    const counts = (mark: string): Set<number> => new Set(lines.map((line) => line.split(mark).length - 1));
    const isOnly = (mark: string): boolean => counts(mark).size === 1 && !counts(mark).has(0);
    const mark = lines.length > 0 && !lines[0].includes(",") ? OTHERS.find(isOnly) : undefined;
    if (mark === undefined || mark === quote) return {};
    found.delimiter = mark;
  }
  const delimiter = found.delimiter ?? options.delimiter!;
  if (options.decimal !== undefined || delimiter === ",") return found;
  const rows = linesOf(complete).slice(header === undefined || header === true ? 1 : 0);
  const unquoted = (field: string): string => field.trim().replace(/^(["'])(.*)\1$/, "$2");
  const fields = rows.flatMap((line) => line.split(delimiter).map(unquoted));
  const isDecimal = fields.some((field) => withComma.test(field) && !withThousands.test(field));
  if (isDecimal && !fields.some((field) => withPoint.test(field))) found.decimal = ",";
  return found;
}

/** Removes quoted text. A doubled quote ends one part and begins another. */
const withoutQuoted = (text: string, quote: string): string =>
  text
    .split(quote)
    .filter((_, i) => i % 2 === 0)
    .join("");

/** Returns a remark about the detected dialect of a table with this number of rows. */
export function dialectRemark(dialect: Dialect, rowCount: number): Remark {
  const options = Object.entries(dialect).map(([name, mark]) => `${name}: ${show(mark)}`);
  const message = `the file was read with ${options.join(" and ")}, because of its first lines; pass other marks if this is wrong`;
  return { kind: "dialect", rows: rowCount, of: rowCount, message };
}

/** Adds the detection of the dialect to a format. `fixed`: the parts of the dialect that the format determines. */
export function detecting(format: DenseFormat<CsvOptions>, fixed: Dialect = {}): DenseFormat<CsvOptions> {
  const detected = async (given: ByteSource, options: CsvOptions) => {
    // DuckDB itself opens the file, and refuses sources that are not files.
    if (options.engine === "duckdb") return { source: given, options, remark: (table: Table): Table => table };
    let lineEnds = 0;
    const { head, source } = await peek(given, MOST_BYTES, (chunk) => (lineEnds += countLineEnds(chunk)) >= FEWEST_LINES);
    const dialect = dialectOf(new TextDecoder("latin1").decode(head), { ...fixed, ...options });
    const remark = (table: Table): Table =>
      Object.keys(dialect).length === 0
        ? table
        : { ...table, remarks: [dialectRemark(dialect, table.rowCount), ...(table.remarks ?? [])] };
    return { source, options: { ...options, ...dialect }, remark };
  };
  return {
    ...format,
    async table(given, asked, releasable) {
      const { source, options, remark } = await detected(given, asked);
      const parsed = await format.table(source, options, releasable);
      return { ...parsed, table: remark(parsed.table) };
    },
    async *blocks(given, asked, rows) {
      const { source, options, remark } = await detected(given, asked);
      for await (const table of format.blocks(source, options, rows)) yield remark(table);
    },
  };
}

const countLineEnds = (bytes: Uint8Array): number => bytes.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
