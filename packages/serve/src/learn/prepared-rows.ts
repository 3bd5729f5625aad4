import { DataError } from "ergodic";
import type { OnlineRows } from "ergodic/extend";

const MARK = 0x31776f72; // "row1"
const WEIGHTED = 1;
const SPARSE = 2;
const DOUBLE = 4;
const HEAD_WORDS = 4;

const even = (words: number): number => words + (words & 1);

/**
 * Encodes rows. u32: "row1", rows, flags (1 weighted, 2 sparse, 4 float64), values; then f64 targets, f64 weights, u32
 * starts and u32 columns, each padded to 8 bytes, and the values. Little-endian.
 */
export function encodeRows({ rowCount, targets, weights, starts, columns, values }: OnlineRows): Uint8Array {
  const isDouble = values instanceof Float64Array;
  const words = HEAD_WORDS + 2 * rowCount * (weights ? 2 : 1) + (starts ? even(rowCount + 1) + even(values.length) : 0);
  const bytes = new Uint8Array(words * 4 + values.byteLength);
  const flags = (weights ? WEIGHTED : 0) | (starts ? SPARSE : 0) | (isDouble ? DOUBLE : 0);
  new Uint32Array(bytes.buffer, 0, HEAD_WORDS).set([MARK, rowCount, flags, values.length]);
  let at = HEAD_WORDS * 4;
  new Float64Array(bytes.buffer, at, rowCount).set(targets);
  at += 8 * rowCount;
  if (weights) {
    new Float64Array(bytes.buffer, at, rowCount).set(weights);
    at += 8 * rowCount;
  }
  if (starts && columns) {
    new Uint32Array(bytes.buffer, at, rowCount + 1).set(starts);
    at += 4 * even(rowCount + 1);
    new Uint32Array(bytes.buffer, at, values.length).set(columns);
    at += 4 * even(values.length);
  }
  new Uint8Array(bytes.buffer, at).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return bytes;
}

/** Format that rows must have in order to fit a model. */
export interface RowFormat {
  readonly columnCount: number;
  readonly isSparse: boolean;
  readonly isDouble: boolean;
}

/**
 * Decodes rows. The result refers to the bytes themselves, or to a copy if the bytes are not aligned to 8. @throws
 * DataError for bytes that are not such rows
 */
export function decodeRows(given: Uint8Array, { columnCount, isSparse, isDouble }: RowFormat): OnlineRows {
  const bytes = given.byteOffset % 8 === 0 ? given : given.slice();
  const { buffer, byteOffset } = bytes;
  const refuse = (problem: string): never => {
    throw new DataError(
      "online",
      `the prepared rows ${problem}; pass the result of read() of a run on the same model`,
      "DATA_FORMAT",
    );
  };
  if (bytes.length < HEAD_WORDS * 4) refuse("end inside their header");
  const [mark, rowCount, flags, count] = new Uint32Array(buffer, byteOffset, HEAD_WORDS) as unknown as [
    number,
    number,
    number,
    number,
  ];
  const size = isDouble ? 8 : 4;
  if (mark !== MARK || (flags & ~WEIGHTED) !== ((isSparse ? SPARSE : 0) | (isDouble ? DOUBLE : 0)))
    refuse("have another format than the model's rows");
  if (!isSparse && count !== rowCount * columnCount) refuse(`have ${count} values, not ${rowCount} × ${columnCount}`);
  const isWeighted = (flags & WEIGHTED) !== 0;
  const words = HEAD_WORDS + 2 * rowCount * (isWeighted ? 2 : 1) + (isSparse ? even(rowCount + 1) + even(count) : 0);
  if (bytes.length !== words * 4 + count * size) refuse(`have ${bytes.length} bytes, not ${words * 4 + count * size}`);
  let at = byteOffset + HEAD_WORDS * 4;
  const take = <T>(Type: new (b: ArrayBufferLike, at: number, n: number) => T, n: number, stride: number): T => {
    const view = new Type(buffer, at, n);
    at += stride;
    return view;
  };
  const targets = take(Float64Array, rowCount, 8 * rowCount);
  const weights = isWeighted ? take(Float64Array, rowCount, 8 * rowCount) : undefined;
  const starts = isSparse ? take(Uint32Array, rowCount + 1, 4 * even(rowCount + 1)) : undefined;
  const columns = isSparse ? take(Uint32Array, count, 4 * even(count)) : undefined;
  const values = take<Float32Array | Float64Array>(isDouble ? Float64Array : Float32Array, count, 0);
  if (starts && columns) {
    if (starts[0] !== 0 || starts[rowCount] !== count || starts.some((end, i) => i > 0 && end < starts[i - 1]))
      refuse("have row boundaries out of order");
    if (columns.some((j) => j >= columnCount)) refuse(`have columns that the model does not have (${columnCount})`);
  }
  return { rowCount, targets, weights, starts, columns, values };
}
