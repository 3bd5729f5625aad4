/**
 * IDX, the format of MNIST's files → arrays, and rows of numbers x0, x1, …
 *
 * Two zero bytes, a type (0x08 u8, 0x09 i8, 0x0B i16, 0x0C i32, 0x0D f32, 0x0E f64), a number of dimensions, their
 * sizes as big-endian u32, and the values, big-endian, last index fastest. All values with the same first index form a
 * row, so [n, h, w] gives n rows of shape [h, w, 1]. Labels are a file of one dimension.
 * Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database, "File formats".
 *
 * @throws DataError DATA_FORMAT, DATA_TRUNCATED, DATA_PARSE (bytes after the end), DATA_EMPTY, DATA_RAGGED (labels of
 * another length)
 */

import { type ArrayRows, rowShapeOf } from "../array-rows.ts";
import { ByteReader } from "../byte-reader.ts";
import { fileFault } from "../fault.ts";
import { type ByteSource, openSource, type Source } from "../source.ts";
import type { ArrayFormat } from "./format.ts";

/** Values of an IDX file, in their stored type. */
export type IdxValues = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** An array from an IDX file. */
export interface IdxArray {
  /** Sizes of the dimensions, e.g. [60000, 28, 28]. */
  shape: number[];
  /** Values, last index fastest. */
  values: IdxValues;
}

/** Options of IDX files. */
export interface IdxOptions {
  /**
   * File of labels: an array of one dimension that has a label for each row. Default: the file next to the images that
   * has MNIST's name for labels.
   */
  labels?: Source;
}

export const idxKeys = ["labels"];

interface Element {
  size: number;
  array(count: number): IdxValues;
  read(view: DataView, at: number): number;
}

/** Largest number of surplus bytes that are counted for the error message. */
const surplus = 1 << 16;

const elements: Record<number, Element> = {
  8: { size: 1, array: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  9: { size: 1, array: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  11: { size: 2, array: (n) => new Int16Array(n), read: (view, at) => view.getInt16(at) },
  12: { size: 4, array: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { size: 4, array: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { size: 8, array: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
};

const advice =
  "pass labels: the file that holds them, or put it next to this file, with names like those of MNIST (train-images-idx3-ubyte, train-labels-idx1-ubyte)";

/** Whether a file with these first bytes is IDX. */
export function isIdx(head: Uint8Array): boolean {
  return head[0] === 0 && head[1] === 0 && Object.hasOwn(elements, head[2]) && head[3] >= 1 && head[3] <= 16;
}

/** Reads an IDX file (MNIST's format) as an array. @throws DataError for damaged files */
export function readIdx(source: Source): Promise<IdxArray> {
  return idxArray(openSource(source));
}

/** Reads rows, with their labels if given. */
export async function idxRows(source: ByteSource, { labels }: IdxOptions): Promise<ArrayRows> {
  const { shape, values } = await idxArray(source);
  const [rowCount, ...sizes] = shape;
  const columnCount = sizes.reduce((product, size) => product * size, 1);
  if (rowCount === 0 || columnCount === 0) throw fileFault(source.name, `the shape ${shown(shape)} holds no rows`, "DATA_EMPTY");
  const rows = Array.from({ length: rowCount }, (_, i) => values.subarray(i * columnCount, (i + 1) * columnCount));
  const found: ArrayRows = { source: source.name, rows, columnCount, rowShape: rowShapeOf(sizes), advice };
  return labels === undefined
    ? found
    : { ...found, target: await labelsFor(openSource(labels, {}, "labels"), source.name, rowCount) };
}

async function labelsFor(source: ByteSource, images: string, rowCount: number): Promise<Float64Array> {
  const { shape, values } = await idxArray(source);
  if (shape.length === 1 && shape[0] === rowCount) return Float64Array.from(values);
  throw fileFault(
    source.name,
    `labels have the shape ${shown(shape)}, but must be one value for each of the ${rowCount} rows of ${images}; pass the matching file`,
    "DATA_RAGGED",
  );
}

async function idxArray(source: ByteSource): Promise<IdxArray> {
  const reader = new ByteReader(source);
  try {
    return await readArray(source.name, reader);
  } finally {
    await reader.close();
    await source.close?.();
  }
}

/** Reads only as many bytes as the shape needs, so that the rest of a compressed file is not unpacked. */
async function readArray(name: string, reader: ByteReader): Promise<IdxArray> {
  const head = await reader.take(4);
  if (head.length === 0) throw fileFault(name, "the file is empty; fetch it again", "DATA_EMPTY");
  if (!isIdx(head)) {
    const begin = Array.from(head, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
    const known = "00 00, a type of 08, 09 or 0B to 0E, and a number of dimensions from 1";
    throw fileFault(
      name,
      `the file begins with ${begin}, but an IDX file begins with ${known}; pass another file`,
      "DATA_FORMAT",
    );
  }
  const [, , type, dimensions] = head;
  const again = "fetch or write it again";
  const lengths = viewOf(await reader.take(4 * dimensions));
  if (lengths.byteLength < 4 * dimensions) {
    const cut = `the file stops inside its header (${4 + lengths.byteLength} of ${4 + 4 * dimensions} bytes); ${again}`;
    throw fileFault(name, cut, "DATA_TRUNCATED");
  }
  const shape = Array.from({ length: dimensions }, (_, d) => lengths.getUint32(4 * d));
  const { size, array, read } = elements[type];
  const count = shape.reduce((product, length) => product * length, 1);
  const bytes = await reader.take(count * size);
  if (bytes.length < count * size) {
    const needed = `the ${count * size} that its shape ${shown(shape)} needs`;
    const missing = count * size - bytes.length;
    throw fileFault(name, `the file stops ${missing} bytes short of ${needed}; ${again}`, "DATA_TRUNCATED");
  }
  const more = (await reader.take(surplus + 1)).length;
  if (more > 0) {
    const counted = more > surplus ? `more than ${surplus}` : more;
    throw fileFault(
      name,
      `${counted} bytes follow the end of the values that the shape ${shown(shape)} needs; ${again}`,
      "DATA_PARSE",
    );
  }
  if (type === 8) return { shape, values: bytes };
  const view = viewOf(bytes);
  const values = array(count);
  for (let i = 0, at = 0; i < count; i++, at += size) values[i] = read(view, at);
  return { shape, values };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function shown(shape: readonly number[]): string {
  return `(${shape.join(", ")})`;
}

export const idxFormat: ArrayFormat<IdxOptions> = { kind: "array", keys: idxKeys, rows: idxRows };
