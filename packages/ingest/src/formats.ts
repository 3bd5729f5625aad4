import { OptionError } from "ergodic/data";
import { fileFault, show, told } from "./fault.ts";
import type { CsvOptions } from "./formats/csv.ts";
import type { ArrayFormat, DenseFormat, SparseFormat } from "./formats/format.ts";
import { type IdxOptions, idxFormat, isIdx } from "./formats/idx.ts";
import type { LibsvmOptions } from "./formats/libsvm.ts";
import type { NpyOptions } from "./formats/npy.ts";
import type { VwOptions } from "./formats/vw.ts";
import { shown } from "./lines.ts";
import { peek } from "./replay.ts";
import type { ByteSource } from "./source.ts";

/** Options of all formats. */
export interface FormatOptions extends CsvOptions, LibsvmOptions, VwOptions, NpyOptions, IdxOptions {
  target?: false;
}

export type AnyFormat = DenseFormat<FormatOptions> | SparseFormat<FormatOptions> | ArrayFormat<FormatOptions>;

interface FormatEntry {
  /** File name extensions, without the dot. */
  readonly extensions: readonly string[];
  /** Loads the reader. */
  readonly load: () => Promise<AnyFormat>;
  /** Whether these first bytes occur only in this format. */
  readonly begins?: (head: Uint8Array) => boolean;
  /**
   * Whether the first line looks like this format. If no format recognises the first bytes, all formats are tried in
   * the order of the list.
   */
  readonly looksLike?: (line: string) => boolean;
}

const startsWith = (text: string) => (head: Uint8Array) => text === String.fromCharCode(...head.subarray(0, text.length));

/** Every format, one entry each. A new format needs one file in formats/ and one entry here. */
export const formats = {
  /** Comma-separated values. Detected by a comma in the first line. */
  csv: { extensions: ["csv"], load: async () => (await import("./formats/csv-format.ts")).csvFormat },
  /** Tab-separated values. Detected by a tab in the first line. */
  tsv: { extensions: ["tsv", "tab"], load: async () => (await import("./formats/csv-format.ts")).tsvFormat },
  /** JSON lines, an object per line, or an array of objects. Detected by { or [ at the beginning of the first line. */
  jsonl: {
    extensions: ["jsonl", "ndjson", "json"],
    load: async () => (await import("./formats/json-lines.ts")).jsonLinesFormat,
    looksLike: (line) => /^\s*(\{|\[\s*(\{|$))/.test(line),
  },
  /** Apache Parquet. Detected by the first bytes, PAR1. */
  parquet: {
    extensions: ["parquet", "pq"],
    load: async () => (await import("./formats/parquet-format.ts")).parquetFormat,
    begins: startsWith("PAR1"),
  },
  /** NumPy array: rows of numbers. Detected by the first bytes, which contain NUMPY. */
  npy: {
    extensions: ["npy"],
    load: async () => (await import("./formats/npy.ts")).npyFormat,
    begins: startsWith("\x93NUMPY"),
  },
  /** IDX array, the format of MNIST. Detected by the first bytes, two zeros and a type. */
  idx: { extensions: ["idx"], load: async () => idxFormat, begins: isIdx },
  /** LIBSVM or SVMlight text: sparse rows. Detected by a first line such as `1 3:0.5 7:1`. */
  libsvm: {
    extensions: ["libsvm", "svm", "svmlight"],
    load: async () => (await import("./formats/libsvm.ts")).libsvmFormat,
    looksLike: (line) => /^\s*[^\s:|]+(\s+qid:\S+)?(\s+\d+:\S+)+\s*(#.*)?$/.test(line),
  },
  /** Vowpal Wabbit text: sparse rows with named features. Detected by a bar in the first line, as in `1 | age:39`. */
  vw: {
    extensions: ["vw"],
    load: async () => (await import("./formats/vw.ts")).vwFormat,
    looksLike: (line) => /^[^,;\t]*(^|\s|'\S*)\|/.test(line),
  },
} satisfies Readonly<Record<string, FormatEntry>>;

const entries: Readonly<Record<string, FormatEntry>> = formats;

/** Names of the formats: "csv", "tsv", "jsonl", "parquet", "npy", "idx", "libsvm", "vw". */
export type FormatName = keyof typeof formats;

/** The names of the formats. */
export const formatNames = Object.keys(formats) as FormatName[];

/** Returns the requested format. If no format is requested, the extension or the content determines it. */
export async function chosenFormat(
  source: ByteSource,
  asked: FormatName | undefined,
  comment?: string,
): Promise<{ name: FormatName; source: ByteSource }> {
  if (asked !== undefined) {
    if (formatNames.includes(asked)) return { name: asked, source };
    throw new OptionError("read", `format is ${told(asked)}, but must be one of ${formatNames.join(", ")}`, "OPTION_RANGE");
  }
  const extension = /\.([^./\\]+)$/.exec(fileName(source.name).replace(/\.gz$/i, ""))?.[1].toLowerCase() ?? "";
  const named = formatNames.find((name) => entries[name].extensions.includes(extension));
  if (named !== undefined) return { name: named, source };
  const peeked = await peek(source, 4096);
  const found = formatOf(peeked.head, comment);
  if (found !== undefined) return { name: found, source: peeked.source };
  const what =
    extension === "" ? "the first line does not show" : `neither the extension ${show(`.${extension}`)} nor the first line shows`;
  throw fileFault(source.name, `${what} the format; pass format: one of ${formatNames.map(show).join(", ")}`, "DATA_FORMAT");
}

/** File name of a path or an address. The query of an address is removed. */
const fileName = (name: string): string => (/^[a-z]+:\/\//i.test(name) ? name.replace(/[?#].*$/s, "") : name);

/**
 * Detects the format from the first bytes or from the first line that does not begin with `comment`. If no format
 * matches, a tab or a comma in the line means that it is a table.
 */
export function formatOf(head: Uint8Array, comment = ""): FormatName | undefined {
  if (!(head instanceof Uint8Array) || typeof comment !== "string")
    throw new OptionError(
      "formatOf",
      `${told(head)} and ${told(comment)} were given, but must be a Uint8Array and a string`,
      "OPTION_TYPE",
    );
  const byBytes = formatNames.find((name) => entries[name].begins?.(head));
  if (byBytes) return byBytes;
  const text = shown(head).replace(/^\ufeff/, "");
  const line =
    text.split(/[\r\n]+/).find((candidate) => candidate.trim() !== "" && (comment === "" || !candidate.startsWith(comment))) ??
    "";
  const byLine = formatNames.find((name) => entries[name].looksLike?.(line));
  if (byLine) return byLine;
  return line.includes("\t") ? "tsv" : line.includes(",") ? "csv" : undefined;
}
