import { OptionError, type SparseTable, type Table } from "ergodic";
import type { ArrayRows } from "./array-rows.ts";
import { duckDbCsvRows, duckDbTsvRows } from "./engine/duckdb-csv.ts";
import { duckDbParquetRows } from "./engine/duckdb-parquet.ts";
import { byEngine } from "./engine/engine.ts";
import { fileFault, show, told } from "./fault.ts";
import { type CsvOptions, csv, csvKeys, tsv } from "./formats/csv.ts";
import { type IdxOptions, idxKeys, idxRows, isIdx } from "./formats/idx.ts";
import { jsonLines, jsonLinesKeys } from "./formats/json-lines.ts";
import { type LibsvmOptions, libsvm, libsvmKeys } from "./formats/libsvm.ts";
import { type NpyOptions, npyBlocks, npyKeys, npyTable } from "./formats/npy.ts";
import { parquet } from "./formats/parquet.ts";
import { type VwOptions, vw, vwKeys } from "./formats/vw.ts";
import { shown } from "./lines.ts";
import { peek } from "./replay.ts";
import { type RowDecoder, tableBlocks, wholeTable } from "./rows.ts";
import type { ByteSource } from "./source.ts";
import { type SparseDecoder, sparseBlocks, wholeSparse } from "./sparse-rows.ts";
import { type ParsedTable, tableKeys } from "./table-builder.ts";

/** Options of all formats. */
export interface FormatOptions extends CsvOptions, LibsvmOptions, VwOptions, NpyOptions, IdxOptions {
  target?: false;
}

export interface DenseFormat {
  readonly kind: "dense";
  readonly extensions: readonly string[];
  readonly keys: readonly string[];
  /** `releasable`: see rows.ts. */
  table(source: ByteSource, options: FormatOptions, releasable?: boolean): Promise<ParsedTable>;
  blocks(source: ByteSource, options: FormatOptions, rows: number): AsyncGenerator<Table>;
}

export interface SparseFormat {
  readonly kind: "sparse";
  readonly extensions: readonly string[];
  readonly keys: readonly string[];
  table(source: ByteSource, options: FormatOptions): Promise<SparseTable>;
  blocks(source: ByteSource, options: FormatOptions, rows: number): AsyncGenerator<SparseTable>;
}

/** Rows that are arrays and bring their target. */
export interface ArrayFormat {
  readonly kind: "array";
  readonly extensions: readonly string[];
  readonly keys: readonly string[];
  rows(source: ByteSource, options: FormatOptions): Promise<ArrayRows>;
}

export type AnyFormat = DenseFormat | SparseFormat | ArrayFormat;

/**
 * The formats, and how one is told from a name or from the first bytes. A new format: one file in formats/, one entry here.
 *
 * @throws DataError DATA_FORMAT
 */
export const formats = {
  csv: dense(byEngine(csv, duckDbCsvRows), ["csv"], csvKeys),
  tsv: dense(byEngine(tsv, duckDbTsvRows), ["tsv", "tab"], csvKeys),
  jsonl: dense(jsonLines, ["jsonl", "ndjson", "json"], jsonLinesKeys),
  parquet: dense(byEngine(parquet, duckDbParquetRows), ["parquet", "pq"], ["engine"]),
  npy: { kind: "dense", extensions: ["npy"], keys: npyKeys, table: npyTable, blocks: npyBlocks } satisfies DenseFormat,
  idx: { kind: "array", extensions: ["idx"], keys: idxKeys, rows: idxRows } satisfies ArrayFormat,
  libsvm: sparse(libsvm, ["libsvm", "svm", "svmlight"], libsvmKeys),
  vw: sparse(vw, ["vw"], vwKeys),
};

/** Names of the formats: "csv", "tsv", "jsonl", "parquet", "npy", "idx", "libsvm", "vw". */
export type FormatName = keyof typeof formats;

/** The names of the formats. */
export const formatNames = Object.keys(formats) as FormatName[];

function dense(decoder: RowDecoder<FormatOptions>, extensions: string[], keys: string[]): DenseFormat {
  return {
    kind: "dense",
    extensions,
    keys: [...tableKeys, ...keys],
    table: (source, options, releasable) => wholeTable(decoder, source, options, releasable),
    blocks: (source, options, rows) => tableBlocks(decoder, source, options, rows),
  };
}

function sparse(decoder: SparseDecoder<FormatOptions>, extensions: string[], keys: string[]): SparseFormat {
  return {
    kind: "sparse",
    extensions,
    keys,
    table: (source, options) => wholeSparse(decoder, source, options),
    blocks: (source, options, rows) => sparseBlocks(decoder, source, options, rows),
  };
}

/** The format that was asked for, or that the extension tells, or the content. */
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
  const named = formatNames.find((name) => formats[name].extensions.includes(extension));
  if (named !== undefined) return { name: named, source };
  const peeked = await peek(source, 4096);
  const found = formatOf(peeked.head, comment);
  if (found !== undefined) return { name: found, source: peeked.source };
  const what =
    extension === "" ? "the first line does not tell" : `neither the extension ${show(`.${extension}`)} nor the first line tells`;
  throw fileFault(source.name, `${what} the format; pass format: one of ${formatNames.map(show).join(", ")}`, "DATA_FORMAT");
}

/** Of an address the path alone, without what is asked for behind it. */
const fileName = (name: string): string => (/^[a-z]+:\/\//i.test(name) ? name.replace(/[?#].*$/s, "") : name);

/** The format of content by its first bytes, lines that begin with `comment` apart. */
export function formatOf(head: Uint8Array, comment = ""): FormatName | undefined {
  const text = shown(head).replace(/^\ufeff/, "");
  if (isIdx(head)) return "idx";
  if (text.startsWith("PAR1")) return "parquet";
  if (head[0] === 0x93 && text.slice(1, 6) === "NUMPY") return "npy";
  const line =
    text.split(/[\r\n]+/).find((candidate) => candidate.trim() !== "" && (comment === "" || !candidate.startsWith(comment))) ??
    "";
  if (line.trimStart().startsWith("{")) return "jsonl";
  if (/^\s*[^\s:|]+(\s+qid:\S+)?(\s+\d+:\S+)+\s*(#.*)?$/.test(line)) return "libsvm";
  if (/^[^,;\t]*(^|\s|'\S*)\|/.test(line)) return "vw";
  return line.includes("\t") ? "tsv" : line.includes(",") ? "csv" : undefined;
}
