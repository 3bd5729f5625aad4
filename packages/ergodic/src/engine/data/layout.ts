/**
 * Memory layout of a dataset, on which kernels rely. All pointers are byte addresses, 64-byte aligned.
 *
 * Dense: row-major with `stride` elements per row, so that each row is a multiple of 16 bytes. Element [columnCount] of
 * every row is the intercept entry. All elements after it are 0. Sparse: compressed rows with ascending columns. The
 * last entry of every row is (columnCount, intercept entry). A stored element s represents x = scale·s.
 */
import type { EngineMemory } from "../memory/memory.ts";

export type NumberType = "f32" | "f64" | "i16" | "i8";
export type Format = "dense" | "sparse";
export type Elements = Float32Array | Float64Array | Int16Array | Int8Array;

export interface DataLayout {
  readonly format: Format;
  readonly type: NumberType;
  readonly rowCount: number;
  /** Number of columns, without the intercept. */
  readonly columnCount: number;
  readonly values: number;
  /** Dense: elements per row. Sparse: 0. */
  readonly stride: number;
  /** Value of the intercept entry, scale × the stored element: exactly 1 for floats, nearly 1 for i8 and i16. */
  readonly one: number;
  /** 1 for floats; max|x| / 127 or max|x| / 32767 over the whole dataset for i8 and i16. */
  readonly scale: number;
  /** Sparse: u32[rowCount + 1], in entries. Dense: 0. */
  readonly rowStart: number;
  /** Sparse: u32[rowStart[rowCount]]. Dense: 0. */
  readonly columnIndex: number;
  /** f64[rowCount]. */
  readonly target: number;
  /** f64[rowCount], or 0 if all rows weigh 1. */
  readonly weights: number;
  /** f64[rowCount], the offset added to the output of each row; 0 if there is none. */
  readonly offset: number;
}

/**
 * Layout of a dataset by columns, without the intercept. Dense: column-major, with each column zero-padded to a
 * multiple of 16 bytes. Sparse: compressed columns with ascending rows, in which zeros are not stored.
 */
export interface ColumnLayout {
  readonly format: Format;
  readonly type: NumberType;
  readonly rowCount: number;
  readonly columnCount: number;
  /** Number of stored values, excluding padding. */
  readonly entryCount: number;
  /** Dense: elements per column. Sparse: 0. */
  readonly stride: number;
  /** Sparse: the start of each column, u32[columnCount + 1], counted in entries. Dense: 0. */
  readonly columnStart: number;
  /** Sparse: u32[entryCount]. Dense: 0. */
  readonly rowIndex: number;
  readonly values: number;
  readonly scale: number;
}

export const elementBytes: Readonly<Record<NumberType, number>> = { f32: 4, f64: 8, i16: 2, i8: 1 };

/** Returns the row stride of dense rows in elements: columns and intercept, rounded up to a multiple of 16 bytes. */
export function rowStride(type: NumberType, columnCount: number): number {
  const bytes = elementBytes[type];
  return (Math.ceil(((columnCount + 1) * bytes) / 16) * 16) / bytes;
}

/** Returns the column stride of dense columns in elements: the rows, rounded up to a multiple of 16 bytes. */
export function columnStride(type: NumberType, rowCount: number): number {
  const bytes = elementBytes[type];
  return (Math.ceil((rowCount * bytes) / 16) * 16) / bytes;
}

/** Returns a view of the current buffer. Views become invalid at the next allocation. */
export function elements(memory: EngineMemory, type: NumberType, pointer: number, count: number): Elements {
  return memory[type](pointer, count);
}

/**
 * Lays out arrays of the given sizes in one block of memory. Returns the 64-byte aligned offset of each array, and the
 * total size.
 */
export function place(sizes: readonly number[]): { offsets: number[]; bytes: number } {
  let bytes = 0;
  const offsets = sizes.map((size) => {
    const offset = bytes;
    bytes += Math.ceil(size / 64) * 64;
    return offset;
  });
  return { offsets, bytes };
}
