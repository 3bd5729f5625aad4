/** `@ergodic/ingest`: readers of tables, images and sparse rows, which make datasets. */
export type { ArrayDatasetOptions } from "./array-rows.ts";
export type { ColumnType } from "./column.ts";
export type { DatasetOptions, SparseDatasetOptions } from "./dataset.ts";
export { type DuckDb, type DuckDbColumns, type DuckDbOptions, duckdb } from "./duckdb.ts";
export type { Engine, EngineOptions } from "./engine/engine.ts";
export { holdsImages, isFolder, labelsBeside } from "./folder.ts";
export type { CsvOptions } from "./formats/csv.ts";
export { type IdxArray, type IdxOptions, type IdxValues, readIdx } from "./formats/idx.ts";
export type { ImageOptions, LabelledImage } from "./formats/images.ts";
export type { JsonLinesOptions } from "./formats/json-lines.ts";
export type { LibsvmOptions } from "./formats/libsvm.ts";
export type { NpyOptions } from "./formats/npy.ts";
export type { ParquetOptions } from "./formats/parquet.ts";
export type { VwOptions } from "./formats/vw.ts";
export { type FormatName, type FormatOptions, formatNames, formatOf } from "./formats.ts";
export type { LikeOptions } from "./like.ts";
export { likeFault, readingLike, remarksLike, takesSparse } from "./like.ts";
export {
  type BlockOptions,
  blocks,
  type ReadOptions,
  type ReadTableOptions,
  read,
  readCsv,
  readIdxDataset,
  readImages,
  readJsonLines,
  readLibsvm,
  readNpy,
  readParquet,
  readRows,
  readSparseTable,
  readTable,
  readTsv,
  readVw,
  rowBlocks,
  sparseBlocks,
} from "./read.ts";
export { type ByteSource, openSource, type RandomAccess, type Source, type SourceOptions } from "./source.ts";
export type { ColumnKey, TableOptions } from "./table-builder.ts";
