/**
 * The readers: a source and options → `Dataset`, `Table`, `SparseTable`, or blocks of them.
 *
 * `read` tells the format from `format`, the file's extension, or its first bytes; the others know theirs. Tables come without a
 * target: they are what a trained model predicts on. Blocks hold one schema throughout and serve files larger than memory.
 */
import { checkKeys, checkNumber, type Dataset, OptionError, type SparseTable, type Table } from "ergodic";
import {
  type DatasetOptions,
  datasetKeys,
  denseDataset,
  type SparseDatasetOptions,
  sparseDataset,
  sparseDatasetKeys,
} from "./dataset.ts";
import type { CsvOptions } from "./formats/csv.ts";
import type { JsonLinesOptions } from "./formats/json-lines.ts";
import type { LibsvmOptions } from "./formats/libsvm.ts";
import { labelColumn, type NpyOptions } from "./formats/npy.ts";
import type { ParquetOptions } from "./formats/parquet.ts";
import type { VwOptions } from "./formats/vw.ts";
import { chosenFormat, type DenseFormat, type FormatName, type FormatOptions, formats, type SparseFormat } from "./formats.ts";
import { openSource, type Source } from "./source.ts";

export interface ReadTableOptions extends FormatOptions {
  /** Default: by extension, else by content. */
  format?: FormatName;
}

export type ReadOptions = Omit<ReadTableOptions, "target"> & Partial<DatasetOptions>;

export interface BlockOptions extends ReadTableOptions {
  /** Rows of a block; the last one may be shorter. Default 65,536. */
  rows?: number;
}

export const readCsv = (source: Source, options: CsvOptions & DatasetOptions): Promise<Dataset> =>
  dataset("readCsv", "csv", source, options);

export const readTsv = (source: Source, options: CsvOptions & DatasetOptions): Promise<Dataset> =>
  dataset("readTsv", "tsv", source, options);

export const readJsonLines = (source: Source, options: JsonLinesOptions & DatasetOptions): Promise<Dataset> =>
  dataset("readJsonLines", "jsonl", source, options);

export const readParquet = (source: Source, options: ParquetOptions & DatasetOptions): Promise<Dataset> =>
  dataset("readParquet", "parquet", source, options);

/** One array with the target among its columns, or two: `labels` is the second. */
export const readNpy = (source: Source, options: NpyOptions & Partial<DatasetOptions>): Promise<Dataset> =>
  dataset("readNpy", "npy", source, options);

export const readLibsvm = (
  source: Source,
  options: Omit<LibsvmOptions, "target"> & SparseDatasetOptions = {},
): Promise<Dataset> => dataset("readLibsvm", "libsvm", source, options);

export const readVw = (source: Source, options: Omit<VwOptions, "target"> & SparseDatasetOptions = {}): Promise<Dataset> =>
  dataset("readVw", "vw", source, options);

export const read = (source: Source, options: ReadOptions = {}): Promise<Dataset> =>
  dataset("read", options.format, source, options);

async function dataset(reader: string, asked: FormatName | undefined, from: Source, options: ReadOptions): Promise<Dataset> {
  const { name, source } = await chosenFormat(openSource(from), asked);
  const format: DenseFormat | SparseFormat = formats[name];
  const own = reader === "read" ? ["format"] : [];
  const { target, ...rest } = options;
  if (format.kind === "dense") {
    checkKeys(reader, options, [...own, ...format.keys, ...datasetKeys]);
    const labelled = target === undefined && options.labels !== undefined;
    return denseDataset(reader, await format.table(source, rest), labelled ? { ...rest, target: labelColumn } : options);
  }
  if (target !== undefined) {
    throw new OptionError(
      reader,
      `target is ${JSON.stringify(target)}, but ${name} lines bring their own; leave the option out`,
      "OPTION_CONFLICT",
    );
  }
  checkKeys(reader, rest, [...own, ...format.keys.filter((key) => key !== "target"), ...sparseDatasetKeys]);
  return sparseDataset(await format.table(source, rest), rest);
}

/** Rows of columns, missing values allowed. For CSV, TSV, JSON lines, NumPy and Parquet. */
export async function readTable(from: Source, options: ReadTableOptions = {}): Promise<Table> {
  const { source, format } = await opened("readTable", from, options, []);
  if (format.kind === "sparse") throw kindError("readTable", "readSparseTable", source.name);
  return (await format.table(source, options)).table;
}

/** Sparse rows with their target; `target: false` lets lines do without. For LIBSVM and VW. */
export async function readSparseTable(from: Source, options: ReadTableOptions = {}): Promise<SparseTable> {
  const { source, format } = await opened("readSparseTable", from, options, []);
  if (format.kind === "dense") throw kindError("readSparseTable", "readTable", source.name);
  return format.table(source, options);
}

/** Rows of either kind, as the format has it. */
export async function readRows(from: Source, options: ReadTableOptions = {}): Promise<Table | SparseTable> {
  const { source, format } = await opened("readRows", from, options, []);
  return format.kind === "dense" ? (await format.table(source, options)).table : format.table(source, options);
}

/**
 * Tables of `rows` rows, one after another, in one schema: types from the options, else from a first pass over a source that can be
 * read twice, else from the first block, and held to.
 */
export async function* blocks(from: Source, options: BlockOptions = {}): AsyncGenerator<Table> {
  const { source, format } = await opened("blocks", from, options, ["rows"]);
  if (format.kind === "sparse") throw kindError("blocks", "sparseBlocks", source.name);
  yield* format.blocks(source, options, blockRows("blocks", options));
}

/** The same for LIBSVM and VW; the number of columns is the schema. */
export async function* sparseBlocks(from: Source, options: BlockOptions = {}): AsyncGenerator<SparseTable> {
  const { source, format } = await opened("sparseBlocks", from, options, ["rows"]);
  if (format.kind === "dense") throw kindError("sparseBlocks", "blocks", source.name);
  yield* format.blocks(source, options, blockRows("sparseBlocks", options));
}

async function opened(reader: string, from: Source, options: ReadTableOptions, keys: string[]) {
  const { name, source } = await chosenFormat(openSource(from), options.format);
  const format: DenseFormat | SparseFormat = formats[name];
  checkKeys(reader, options, ["format", ...keys, ...format.keys]);
  return { source, format };
}

function blockRows(reader: string, { rows = 65_536 }: BlockOptions): number {
  checkNumber(reader, "rows", rows, { low: 1, integer: true });
  return rows;
}

function kindError(reader: string, other: string, file: string): Error {
  const kind = other.toLowerCase().includes("sparse") ? "sparse rows" : "a dense table";
  return new OptionError(reader, `${file} holds ${kind}; call ${other}`, "OPTION_CONFLICT");
}
