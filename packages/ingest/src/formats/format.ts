/** Readers that return a format's tables as dense rows, sparse rows, or arrays that include their target. */
import type { SparseTable, Table } from "ergodic/data";
import type { ArrayRows } from "../array-rows.ts";
import { type RowDecoder, tableBlocks, wholeTable } from "../rows.ts";
import type { ByteSource } from "../source.ts";
import { type SparseDecoder, type SparseOptions, sparseBlocks, wholeSparse } from "../sparse-rows.ts";
import { type ParsedTable, type TableOptions, tableKeys } from "../table-builder.ts";

export interface DenseFormat<O> {
  readonly kind: "dense";
  readonly keys: readonly string[];
  /** Reads the whole table. `releasable`: see rows.ts. */
  table(source: ByteSource, options: O, releasable?: boolean): Promise<ParsedTable>;
  blocks(source: ByteSource, options: O, rows: number): AsyncGenerator<Table>;
}

export interface SparseFormat<O> {
  readonly kind: "sparse";
  readonly keys: readonly string[];
  table(source: ByteSource, options: O): Promise<SparseTable>;
  blocks(source: ByteSource, options: O, rows: number): AsyncGenerator<SparseTable>;
}

/** A format whose rows are arrays and include their target. */
export interface ArrayFormat<O> {
  readonly kind: "array";
  readonly keys: readonly string[];
  rows(source: ByteSource, options: O): Promise<ArrayRows>;
}

/** Makes a format of dense rows from a decoder and the names of its own options. */
export function dense<O extends TableOptions>(decoder: RowDecoder<O>, keys: readonly string[]): DenseFormat<O> {
  return {
    kind: "dense",
    keys: [...tableKeys, ...keys],
    table: (source, options, releasable) => wholeTable(decoder, source, options, releasable),
    blocks: (source, options, rows) => tableBlocks(decoder, source, options, rows),
  };
}

/** Makes a format of sparse rows from a decoder and the names of its options. */
export function sparse<O extends SparseOptions>(decoder: SparseDecoder<O>, keys: readonly string[]): SparseFormat<O> {
  return {
    kind: "sparse",
    keys,
    table: (source, options) => wholeSparse(decoder, source, options),
    blocks: (source, options, rows) => sparseBlocks(decoder, source, options, rows),
  };
}
