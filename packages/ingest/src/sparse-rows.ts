/**
 * Reads a file of sparse rows: either as one table, or in blocks of rows with a common number of columns. This number
 * comes from the options, or from a first pass if the source can be read twice, or from the first block otherwise.
 * Later rows must fit it.
 */
import type { SparseTable } from "ergodic/data";
import { fileFault } from "./fault.ts";
import { lineBlocks } from "./lines.ts";
import { rewindable } from "./replay.ts";
import type { ByteSource } from "./source.ts";
import { SparseBuilder } from "./sparse-builder.ts";

export interface SparseOptions {
  /**
   * Number of columns. If the number is given, training and test data have the same columns. Default: the largest index
   * in the file.
   */
  columnCount?: number;
  /** If false, lines can lack their label. The label is then NaN. */
  target?: false;
}

/** Reads lines of one format into a builder. */
export interface LineParser {
  /** Number of columns that the rows so far need. */
  readonly columnCount: number;
  /** Returns the largest number of entries that this many bytes can hold. */
  mostEntries(byteCount: number): number;
  /** Reads the line at `start` and returns the start of the next line. */
  line(bytes: Uint8Array, start: number): number;
}

export interface SparseDecoder<O> {
  parser(builder: SparseBuilder, options: O): LineParser;
}

export async function wholeSparse<O extends SparseOptions>(
  decoder: SparseDecoder<O>,
  source: ByteSource,
  options: O,
): Promise<SparseTable> {
  try {
    const builder = new SparseBuilder(source.name);
    const parser = decoder.parser(builder, options);
    for await (const _ of filled(source, builder, parser));
    if (builder.rowCount === 0) throw empty(source.name);
    return builder.take(parser.columnCount);
  } finally {
    await source.close?.();
  }
}

export async function* sparseBlocks<O extends SparseOptions>(
  decoder: SparseDecoder<O>,
  input: ByteSource,
  options: O,
  blockRows: number,
): AsyncGenerator<SparseTable> {
  const source = rewindable(input);
  try {
    const columnCount = options.columnCount ?? (await surveyed(decoder, source, options, blockRows));
    const builder = new SparseBuilder(source.name, blockRows);
    const parser = decoder.parser(builder, { ...options, columnCount });
    let rows = 0;
    for await (const _ of filled(source, builder, parser)) {
      rows += builder.rowCount;
      yield builder.take(columnCount);
    }
    rows += builder.rowCount;
    if (rows === 0) throw empty(source.name);
    if (builder.rowCount > 0) yield builder.take(columnCount);
  } finally {
    await source.close?.();
  }
}

/**
 * Returns the number of columns in the whole source. If the source can be read only once, returns the number in its
 * first block.
 */
async function surveyed<O extends SparseOptions>(
  decoder: SparseDecoder<O>,
  source: ByteSource,
  options: O,
  blockRows: number,
): Promise<number> {
  const builder = new SparseBuilder(source.name, blockRows);
  const parser = decoder.parser(builder, options);
  for await (const _ of filled(source, builder, parser)) {
    if (!source.rereadable) break;
    builder.take(0);
  }
  return parser.columnCount;
}

async function* filled(source: ByteSource, builder: SparseBuilder, parser: LineParser): AsyncGenerator<void> {
  for await (const block of lineBlocks(source)) {
    builder.reserve(parser.mostEntries(block.length));
    for (let at = 0; at < block.length; ) {
      at = parser.line(block, at);
      if (builder.rowCount === builder.blockRows) {
        yield;
        builder.reserve(parser.mostEntries(block.length - at));
      }
    }
  }
}

function empty(file: string): Error {
  return fileFault(file, "the file holds no rows; a table needs at least one", "DATA_EMPTY");
}
