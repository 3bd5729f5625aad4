import {
  checkKeys,
  checkNumber,
  type Dataset,
  newLevels,
  OptionError,
  type Pipeline,
  type SparseTable,
  type Table,
} from "ergodic/data";
import { type ArrayDatasetOptions, type ArrayRows, arrayDataset, arrayTables, labelColumn } from "./array-rows.ts";
import {
  arrayDatasetKeys,
  type DatasetOptions,
  datasetKeys,
  denseDataset,
  type SparseDatasetOptions,
  sparseDataset,
  sparseDatasetKeys,
} from "./dataset.ts";
import { checkFlag, told } from "./fault.ts";
import { holdsImages, labelsBeside } from "./folder.ts";
import type { CsvOptions } from "./formats/csv.ts";
import type { ImageOptions, LabelledImage } from "./formats/images.ts";
import type { JsonLinesOptions } from "./formats/json-lines.ts";
import type { LibsvmOptions } from "./formats/libsvm.ts";
import type { NpyOptions } from "./formats/npy.ts";
import type { ParquetOptions } from "./formats/parquet.ts";
import type { VwOptions } from "./formats/vw.ts";
import { type AnyFormat, chosenFormat, type FormatName, type FormatOptions, formats } from "./formats.ts";
import { checkLike, type LikeOptions, likeFault, readingLike, remarksLike, takesSparse } from "./like.ts";
import { releaseTable } from "./rows.ts";
import { openSource, type Source, type SourceOptions } from "./source.ts";

/** Options of the table readers. */
export interface ReadTableOptions extends FormatOptions, ImageOptions, SourceOptions {
  /** Format of the file. Default: by extension, else by content. */
  format?: FormatName;
  /** For images: whether tables get a column `file` with the name of each image, such as "cat/1.png". Default false. */
  fileNames?: boolean;
}

/** Options of `read`: the options of the file's format, and the options for making a dataset from a table. */
export type ReadOptions = Omit<ReadTableOptions, "target" | "fileNames"> & Partial<DatasetOptions> & Partial<LikeOptions>;

/** Options of the block readers. */
export interface BlockOptions extends ReadTableOptions {
  /** Number of rows per block. The last block can have fewer rows. Default 65,536. */
  rows?: number;
}

/**
 * Reads a CSV file as a dataset. `target` names the column to predict. `readCsv<"age" | "hours">(…)` declares the other
 * columns, so that the compiler refuses `predict` calls with rows that lack one. `readCsv("test.csv", { like: train })`
 * reads a test file in the same way as the training file.
 *
 * @param source path, URL, File, bytes, stream, or { content, name }
 * @param options `target` or `like`, and how to read the columns: delimiter, header, types, missing values
 * @throws DataError with file, line and column
 */
export const readCsv = <Names extends string = string>(
  source: Source,
  options: CsvOptions & SourceOptions & (DatasetOptions | LikeOptions),
): Promise<Dataset<Names>> => dataset("readCsv", "csv", source, options) as Promise<Dataset<never>>;

/**
 * Reads a tab-separated file as a dataset. `target` names the column to predict. @throws DataError with file, line and
 * column
 */
export const readTsv = <Names extends string = string>(
  source: Source,
  options: CsvOptions & SourceOptions & (DatasetOptions | LikeOptions),
): Promise<Dataset<Names>> => dataset("readTsv", "tsv", source, options) as Promise<Dataset<never>>;

/**
 * Reads a file of JSON objects, one per line or in an array, as a dataset. `target` names the column to predict.
 *
 * @param source path, URL, File, bytes, stream, or { content, name }
 * @param options `target` or `like`, and types of the columns
 * @throws DataError with file and line
 */
export const readJsonLines = <Names extends string = string>(
  source: Source,
  options: JsonLinesOptions & SourceOptions & (DatasetOptions | LikeOptions),
): Promise<Dataset<Names>> => dataset("readJsonLines", "jsonl", source, options) as Promise<Dataset<never>>;

/**
 * Reads a Parquet file as a dataset. `target` names the column to predict.
 *
 * @param source path, URL, File, bytes, stream, or { content, name }
 * @param options `target` or `like`, and the columns to omit
 * @throws DataError for columns that cannot be read
 */
export const readParquet = <Names extends string = string>(
  source: Source,
  options: ParquetOptions & SourceOptions & (DatasetOptions | LikeOptions),
): Promise<Dataset<Names>> => dataset("readParquet", "parquet", source, options) as Promise<Dataset<never>>;

/**
 * Reads either one array, which contains the target as a column, or two arrays, the second of which is given as
 * `labels`.
 *
 * @param source the .npy file: path, URL, File, bytes, stream, or { content, name }
 * @param options `labels`: the second array, or `target`: the column to predict
 */
export const readNpy = (
  source: Source,
  options: NpyOptions & Partial<DatasetOptions & LikeOptions> & SourceOptions,
): Promise<Dataset> => dataset("readNpy", "npy", source, options);

/**
 * Reads a LIBSVM or SVMlight file as a dataset of sparse rows.
 *
 * @param source path, URL, File, bytes, stream, or { content, name }
 * @param options number of columns, index of the first column, or `like` another dataset
 * @throws DataError with file, line and column
 */
export const readLibsvm = (
  source: Source,
  options: Omit<LibsvmOptions, "target"> & SparseDatasetOptions & Partial<LikeOptions> & SourceOptions = {},
): Promise<Dataset> => dataset("readLibsvm", "libsvm", source, options);

/**
 * Reads Vowpal Wabbit text as a dataset of sparse rows, names hashed to columns.
 *
 * @param source path, URL, File, bytes, stream, or { content, name }
 * @param options number of bits of the hash, or `like` another dataset
 * @throws DataError with file, line and column
 */
export const readVw = (
  source: Source,
  options: Omit<VwOptions, "target"> & SparseDatasetOptions & Partial<LikeOptions> & SourceOptions = {},
): Promise<Dataset> => dataset("readVw", "vw", source, options);

/**
 * Reads two IDX files, such as MNIST's images and labels. If `labels` is absent, reads the labels from the file next to
 * the images that has MNIST's usual name for labels.
 *
 * @param images IDX file of images
 * @param labels IDX file of labels, one per image. Default: the file next to the images
 * @param options options of the dataset and of the source
 */
export async function readIdxDataset(
  images: Source,
  labels?: Source,
  options: ArrayDatasetOptions & SourceOptions = {},
): Promise<Dataset> {
  checkKeys("readIdxDataset", options, [...arrayDatasetKeys, "signal"]);
  return dataset("readIdxDataset", "idx", images, labels === undefined ? options : { ...options, labels });
}

/**
 * Reads a folder with a sub-folder of images per class, or a list of images.
 *
 * @param from path of the folder, or a list of images with their classes
 * @param options common size of the images, number of channels, background
 */
export async function readImages(
  from: string | readonly LabelledImage[],
  options: ImageOptions & ArrayDatasetOptions & SourceOptions = {},
): Promise<Dataset> {
  return imageDataset("readImages", from, options);
}

/**
 * Reads a file or folder as a dataset, either with the given options or `like` another dataset. The format is
 * determined by `format`, by the extension or by the first bytes.
 *
 * A source is a path, a URL, a Response, "-" (standard input), a File or Blob, bytes, a stream, or { content, name }.
 * gzip is unpacked.
 *
 * @param source file, folder, or other source of bytes
 * @param options target column, treatment of missing values, or `like` another dataset, and the options of the format
 * @throws DataError with file, line and column for invalid content; OptionError
 *
 * @example
 * ```ts
 * const data = await read("adult.csv", { target: "income", impute: "median" });
 * const images = await read("flowers/");   // a folder with a sub-folder of images per class
 * ```
 */
export async function read<Names extends string = string>(source: Source, options: ReadOptions = {}): Promise<Dataset<Names>> {
  checkObject("read", options, "target");
  const folder = "like" in options ? undefined : await folderOfImages(source, options);
  const made = folder === undefined ? dataset("read", options.format, source, options) : imageDataset("read", folder, options);
  return made as Promise<Dataset<never>>;
}

async function dataset(reader: string, asked: FormatName | undefined, from: Source, all: ReadOptions = {}): Promise<Dataset> {
  checkObject(reader, all, "target");
  if ("like" in all) return datasetLike(reader, asked, from, all);
  const { signal, ...options } = all;
  const { name, source } = await chosenFormat(openSource(from, { signal }), asked, options.comment);
  const format: AnyFormat = await formats[name].load();
  const own = reader === "read" ? ["format"] : [];
  const { target, ...given } = options;
  const beside = target === undefined && given.labels === undefined && format.keys.includes("labels");
  const labels = beside ? await labelsBeside(from) : given.labels;
  const rest = labels === undefined ? given : { ...given, labels: openSource(labels, { signal }, "labels") };
  if (format.kind === "dense") {
    checkKeys(reader, options, [...own, ...format.keys, ...datasetKeys]);
    const labelled = target === undefined && labels !== undefined;
    const parsed = await format.table(source, rest, true);
    try {
      return denseDataset(reader, parsed, labelled ? { ...rest, target: labelColumn } : options);
    } finally {
      releaseTable(parsed.table);
    }
  }
  refuseTarget(reader, target, name === "idx" ? "idx files" : `${name} lines`);
  const made = format.kind === "array" ? arrayDatasetKeys : sparseDatasetKeys;
  checkKeys(reader, rest, [...own, ...format.keys.filter((key) => key !== "target"), ...made]);
  if (format.kind === "array") return arrayDataset(reader, await format.rows(source, rest), rest);
  return sparseDataset(reader, await format.table(source, rest), rest);
}

/** Reads rows and their targets, and applies the steps of another dataset's pipeline. */
async function datasetLike(reader: string, asked: FormatName | undefined, from: Source, all: ReadOptions): Promise<Dataset> {
  const { pipeline, options } = checkLike(reader, all);
  try {
    return await rowsLike(reader, asked, from, pipeline, options);
  } catch (error) {
    throw likeFault(error, pipeline, options.types);
  }
}

async function rowsLike(
  reader: string,
  asked: FormatName | undefined,
  from: Source,
  pipeline: Pipeline,
  options: ReadTableOptions,
): Promise<Dataset> {
  const reading = asked === undefined ? options : { ...options, format: asked };
  if (takesSparse(pipeline)) return pipeline.apply(await readSparseTable(from, reading), { target: true });
  const labels = options.labels ?? (await labelsBeside(from));
  const told = await readingLike(reader, from, pipeline);
  const types = told.types && { ...reading.types, ...told.types };
  const found = await readRows(from, {
    ...reading,
    ...told,
    ...(types ? { types } : {}),
    ...(labels === undefined ? {} : { labels }),
  });
  const remarks = [...remarksLike(pipeline, found as Table), ...newLevels(pipeline, found)];
  return pipeline.apply({ ...found, remarks } as Table | SparseTable, { target: true });
}

async function imageDataset(reader: string, from: string | readonly LabelledImage[], options: ReadOptions): Promise<Dataset> {
  const { imageKeys, imageRows } = await import("./formats/images.ts");
  const keys = [...imageKeys, ...arrayDatasetKeys, "signal"];
  checkObject(reader, options, keys[0]);
  refuseTarget(reader, options.target, "folders of images");
  checkKeys(reader, options, keys);
  return arrayDataset(reader, await imageRows(from, options), options);
}

/**
 * Checks that options are an object. The format, and therefore the names of its options, are not yet known at this
 * point.
 */
function checkObject(reader: string, options: object, key: string): void {
  if (Object.prototype.toString.call(options) !== "[object Object]") checkKeys(reader, options, [key]);
}

function refuseTarget(reader: string, target: unknown, files: string): void {
  if (target === undefined) return;
  throw new OptionError(
    reader,
    `target is ${JSON.stringify(target)}, but ${files} bring their own; leave the option out`,
    "OPTION_CONFLICT",
  );
}

/**
 * Reads rows of columns, which can contain missing values. Suitable for CSV, TSV, JSON lines, NumPy, Parquet, IDX and
 * folders of images.
 *
 * @param from file, folder of images, or other source of bytes
 * @param options format (default: by the extension or the first bytes) and its options, such as delimiter and types
 */
export async function readTable(from: Source, options: ReadTableOptions = {}): Promise<Table> {
  const rows = await arraysOf("readTable", from, options, []);
  if (rows) return wholeTable(rows, options);
  const { source, format } = await opened("readTable", from, options, [], "readSparseTable");
  if (format.kind === "sparse") throw kindError("readTable", "readSparseTable", source.name);
  return format.kind === "array" ? wholeTable(await format.rows(source, options)) : (await format.table(source, options)).table;
}

/** Reads sparse rows with their target. With `target: false` lines may lack it. For LIBSVM and VW. */
export async function readSparseTable(from: Source, options: ReadTableOptions = {}): Promise<SparseTable> {
  const { source, format } = await opened("readSparseTable", from, options, [], "readTable");
  if (format.kind !== "sparse") throw kindError("readSparseTable", "readTable", source.name);
  return format.table(source, options);
}

/** Reads dense or sparse rows, depending on the format. With `target: false`, sparse lines can lack their target. */
export async function readRows(from: Source, options: ReadTableOptions = {}): Promise<Table | SparseTable> {
  const rows = await arraysOf("readRows", from, options, ["target"]);
  if (rows) return wholeTable(rows, options);
  const { source, format } = await opened("readRows", from, options, ["target"]);
  if (format.kind === "array") return wholeTable(await format.rows(source, options));
  return format.kind === "dense" ? (await format.table(source, options)).table : format.table(source, options);
}

/**
 * Yields tables of `rows` rows, which all have the same schema. Types come from the options. If the options do not give
 * the types, they come from a first pass if the source can be read twice, and from the first block otherwise. Later
 * rows must match them. Images and IDX files are read completely, as bytes. Only their conversion to tables is done in
 * blocks.
 *
 * @param from file or other source. A source that can be read twice gives types from all rows
 * @param options rows per block (default 65,536), and the options of `readTable`
 */
export async function* blocks(from: Source, options: BlockOptions = {}): AsyncGenerator<Table> {
  const images = await arraysOf("blocks", from, options, ["rows"]);
  if (images) return yield* arrayTables(images, blockRows("blocks", options), options.fileNames);
  const { source, format } = await opened("blocks", from, options, ["rows"], "sparseBlocks");
  if (format.kind === "sparse") throw kindError("blocks", "sparseBlocks", source.name);
  if (format.kind === "array") yield* arrayTables(await format.rows(source, options), blockRows("blocks", options));
  else yield* format.blocks(source, options, blockRows("blocks", options));
}

/** Yields blocks of LIBSVM or VW rows. The number of columns is the schema. */
export async function* sparseBlocks(from: Source, options: BlockOptions = {}): AsyncGenerator<SparseTable> {
  const { source, format } = await opened("sparseBlocks", from, options, ["rows"], "blocks");
  if (format.kind !== "sparse") throw kindError("sparseBlocks", "blocks", source.name);
  yield* format.blocks(source, options, blockRows("sparseBlocks", options));
}

/** Yields dense or sparse blocks, like `blocks` or `sparseBlocks`, depending on the format. */
export async function* rowBlocks(from: Source, options: BlockOptions = {}): AsyncGenerator<Table | SparseTable> {
  const images = await arraysOf("rowBlocks", from, options, ["rows", "target"]);
  if (images) return yield* arrayTables(images, blockRows("rowBlocks", options), options.fileNames);
  const { source, format } = await opened("rowBlocks", from, options, ["rows", "target"]);
  if (format.kind === "array") yield* arrayTables(await format.rows(source, options), blockRows("rowBlocks", options));
  else yield* format.blocks(source, options, blockRows("rowBlocks", options));
}

/**
 * Opens a source. `other`: the reader for the other kind of rows. For callers that accept only one kind, the error
 * suggests this reader.
 */
async function opened(reader: string, from: Source, all: ReadTableOptions, keys: string[], other?: string) {
  checkObject(reader, all, "format");
  const { signal, ...options } = all;
  const { name, source } = await chosenFormat(openSource(from, { signal }), options.format, options.comment);
  const format: AnyFormat = await formats[name].load();
  if (other !== undefined && (format.kind === "sparse") === /sparse/i.test(other)) throw kindError(reader, other, source.name);
  if (format.kind === "sparse" && options.types !== undefined)
    throw new OptionError(
      source.name,
      "types names columns, but the file holds sparse rows, which have no names; leave it out",
      "OPTION_CONFLICT",
    );
  checkKeys(reader, options, ["format", ...keys, ...format.keys]);
  const { target } = options as { target?: unknown };
  if (target !== undefined && target !== false)
    throw new OptionError(
      reader,
      `target is ${told(target)}, but must be false (for rows without a target), or be left out`,
      "OPTION_RANGE",
    );
  return { source, format };
}

/** Reads the images of a folder, or one picture. Returns undefined for any other source. */
async function arraysOf(reader: string, from: Source, options: ReadTableOptions, keys: string[]): Promise<ArrayRows | undefined> {
  checkObject(reader, options, "format");
  const folder = await folderOfImages(from, options);
  if (folder === undefined) return undefined;
  const { imageKeys, imageRows } = await import("./formats/images.ts");
  checkKeys(reader, options, [...keys, ...imageKeys, "fileNames", "signal"]);
  checkFlag(reader, "fileNames", options.fileNames);
  return imageRows(folder, options);
}

/** Returns the path if it leads to images and no format was requested. */
async function folderOfImages(from: Source, { format }: { format?: FormatName }): Promise<string | undefined> {
  return typeof from === "string" && format === undefined && (await holdsImages(from)) ? from : undefined;
}

function wholeTable(rows: ArrayRows, { fileNames }: ReadTableOptions = {}): Table {
  return arrayTables(rows, Infinity, fileNames).next().value!;
}

function blockRows(reader: string, { rows = 65_536 }: BlockOptions): number {
  checkNumber(reader, "rows", rows, { low: 1, integer: true });
  return rows;
}

function kindError(reader: string, other: string, file: string): Error {
  const kind = other.toLowerCase().includes("sparse") ? "sparse rows" : "a dense table";
  return new OptionError(reader, `${file} holds ${kind}; call ${other}`, "OPTION_CONFLICT");
}
