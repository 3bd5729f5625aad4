/**
 * How a dataset lies in engine memory: what kernels rely on. All pointers are byte addresses, 64-byte aligned.
 *
 * Dense: row-major, `stride` elements a row, so that each row is a multiple of 16 bytes; element [columnCount] of every row is the
 * intercept entry, the rest of the row is 0. Sparse: compressed rows, columns ascending; the last entry of every row is
 * (columnCount, intercept entry). A stored element s stands for x = scale·s.
 */
import type { EngineMemory } from "../memory/memory.ts";

export type NumberType = "f32" | "f64" | "i16" | "i8";
export type Format = "dense" | "sparse";
export type Elements = Float32Array | Float64Array | Int16Array | Int8Array;

export interface DataLayout {
  readonly format: Format;
  readonly type: NumberType;
  readonly rowCount: number;
  /** Without the intercept. */
  readonly columnCount: number;
  readonly values: number;
  /** Dense: elements a row. Sparse: 0. */
  readonly stride: number;
  /** scale × the stored intercept entry: exactly 1 for floats, nearly 1 for i8 and i16. */
  readonly one: number;
  /** 1 for floats; max|x| / 127 or max|x| / 32767 over the whole dataset for i8 and i16. */
  readonly scale: number;
  /** Sparse: u32[rowCount + 1], in entries. Dense: 0. */
  readonly rowStart: number;
  /** Sparse: u32[rowStart[rowCount]]. Dense: 0. */
  readonly columnIndex: number;
  /** f64[rowCount]. */
  readonly target: number;
  /** f64[rowCount], or 0 where all rows weigh 1. */
  readonly weights: number;
  /** f64[rowCount], what is added to the output of each row; or 0 where nothing is. */
  readonly offset: number;
}

/**
 * A dataset by columns, without the intercept. Dense: column-major, each column padded with 0 to a multiple of 16 bytes. Sparse: compressed
 * columns, rows ascending, zeros left out.
 */
export interface ColumnLayout {
  readonly format: Format;
  readonly type: NumberType;
  readonly rowCount: number;
  readonly columnCount: number;
  /** Stored numbers, padding apart. */
  readonly entryCount: number;
  /** Dense: elements a column. Sparse: 0. */
  readonly stride: number;
  /** Sparse: u32[columnCount + 1], in entries. Dense: 0. */
  readonly columnStart: number;
  /** Sparse: u32[entryCount]. Dense: 0. */
  readonly rowIndex: number;
  readonly values: number;
  readonly scale: number;
}

export const elementBytes: Readonly<Record<NumberType, number>> = { f32: 4, f64: 8, i16: 2, i8: 1 };

/** Elements from one dense row to the next: columns and intercept, rounded up to 16 bytes. */
export function rowStride(type: NumberType, columnCount: number): number {
  const bytes = elementBytes[type];
  return (Math.ceil(((columnCount + 1) * bytes) / 16) * 16) / bytes;
}

/** Elements from one dense column to the next: rows, rounded up to 16 bytes. */
export function columnStride(type: NumberType, rowCount: number): number {
  const bytes = elementBytes[type];
  return (Math.ceil((rowCount * bytes) / 16) * 16) / bytes;
}

/** A view on the current buffer; never kept across an allocation. */
export function elements(memory: EngineMemory, type: NumberType, pointer: number, count: number): Elements {
  return memory[type](pointer, count);
}

/** Offsets of arrays of the given sizes in one piece of memory, each 64-byte aligned, and the size of the piece. */
export function place(sizes: readonly number[]): { offsets: number[]; bytes: number } {
  let bytes = 0;
  const offsets = sizes.map((size) => {
    const offset = bytes;
    bytes += Math.ceil(size / 64) * 64;
    return offset;
  });
  return { offsets, bytes };
}
