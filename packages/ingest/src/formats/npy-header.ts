import { rowShapeOf } from "../array-rows.ts";
import type { ByteReader } from "../byte-reader.ts";
import { fileFault, show } from "../fault.ts";

/**
 * Largest number of columns. A table with more columns would not fit in memory, so a larger number means that the
 * header is damaged.
 */
const columnLimit = 1e7;

type Element = (view: DataView, at: number, little: boolean) => number;

const elements: Record<string, Element> = {
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  b1: (view, at) => view.getUint8(at),
};

/**
 * Header of a `.npy` file, versions 1 to 3: the type and order of the elements, and the shape of a row.
 *
 * @throws DataError DATA_EMPTY, DATA_FORMAT, DATA_PARSE, DATA_TRUNCATED, DATA_UNSUPPORTED
 */
export interface NpyHeader {
  read: Element;
  /** Bytes per element. */
  size: number;
  little: boolean;
  /** Whether elements are 64-bit integers. */
  wide: boolean;
  unsigned: boolean;
  fortran: boolean;
  rowCount: number;
  /** Number of columns, which are named x0, x1, … */
  columnCount: number;
  rowShape: readonly number[] | undefined;
  /** Returns the position of column j in a row in Fortran order, where the first index varies fastest. */
  place(j: number): number;
}

export async function readNpyHeader(file: string, reader: ByteReader): Promise<NpyHeader> {
  const magic = await reader.take(8);
  const expected = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (magic.length === 0) throw fileFault(file, "the file is empty; save an array with numpy.save", "DATA_EMPTY");
  if (!expected.every((byte, i) => magic[i] === byte)) {
    const text = String.fromCharCode(...magic.subarray(0, 6));
    throw fileFault(
      file,
      `the file begins with ${show(text)}, not with "\\x93NUMPY"; save one array with numpy.save (an .npz is an archive of several)`,
      "DATA_FORMAT",
    );
  }
  const cut = (given: number, wanted: number): Error =>
    fileFault(file, `the file stops inside its header (${given} of ${wanted} bytes); write or fetch it again`, "DATA_TRUNCATED");
  if (magic.length < 8) throw cut(magic.length, 8);
  const version = magic[6];
  if (version < 1 || version > 3)
    throw fileFault(
      file,
      `format version ${version} is not known (1 to 3 are); save the array with a current NumPy`,
      "DATA_UNSUPPORTED",
    );
  const wanted = version === 1 ? 2 : 4;
  const lengthBytes = await reader.take(wanted);
  if (lengthBytes.length < wanted) throw cut(8 + lengthBytes.length, 8 + wanted);
  const length = lengthBytes.reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
  const bytes = await reader.take(Math.min(length, 1 << 20));
  if (bytes.length < length) throw cut(bytes.length, length);
  return parsedHeader(file, new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes));
}

function parsedHeader(file: string, text: string): NpyHeader {
  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[.*?\]))\s*,/.exec(text);
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text);
  if (descr === null || fortran === null || shape === null) {
    throw fileFault(
      file,
      `the header ${show(text.trim())} lacks descr, fortran_order or shape; save the array with numpy.save`,
      "DATA_PARSE",
    );
  }
  const [, order, type] = /^([<>|=]?)(.*)$/.exec(descr[1] ?? "") ?? [];
  if (!Object.hasOwn(elements, type)) {
    const number = /^[fiuc]\d+$/.test(type);
    const advice = number ? 'convert it: array.astype("float64")' : "save numbers, or write the table as CSV";
    throw fileFault(
      file,
      `the element type ${show(descr[1] ?? descr[2])} is not supported (f4 f8 i1–i8 u1–u8 b1 are); ${advice}`,
      "DATA_UNSUPPORTED",
    );
  }
  const sizes = shape[1]
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(Number);
  if (sizes.length === 0) {
    throw fileFault(
      file,
      "the array has no dimension, shape (), but rows need one; reshape it: array.reshape(1)",
      "DATA_UNSUPPORTED",
    );
  }
  const vast = sizes.find((size) => !Number.isSafeInteger(size));
  if (vast !== undefined) {
    const problem = `the shape (${sizes.join(", ")}) is beyond what can be counted; write the array again`;
    throw fileFault(file, problem, "DATA_PARSE");
  }
  const [rowCount, ...inner] = sizes;
  const columnCount = inner.reduce((product, size) => product * size, 1);
  if (columnCount > columnLimit) {
    const held = `the shape (${sizes.join(", ")}) makes rows of ${columnCount} columns, over 10 million`;
    throw fileFault(file, `${held}; write the array again, with the rows first`, "DATA_UNSUPPORTED");
  }
  return {
    read: elements[type],
    size: Number(type.slice(1)),
    little: order !== ">",
    wide: type === "i8" || type === "u8",
    unsigned: type.startsWith("u"),
    fortran: fortran[1] === "True",
    rowCount: columnCount === 0 ? 0 : rowCount,
    columnCount,
    rowShape: rowShapeOf(inner),
    place: fortran[1] === "True" ? (j) => reversed(inner, j) : (j) => j,
  };
}

/**
 * Converts the index of element j from the order in which the last index varies fastest to the order in which the first
 * index does.
 */
function reversed(sizes: readonly number[], j: number): number {
  let place = 0;
  let rest = j;
  for (let d = sizes.length - 1; d >= 0; d--) {
    place += (rest % sizes[d]) * sizes.slice(0, d).reduce((product, size) => product * size, 1);
    rest = Math.floor(rest / sizes[d]);
  }
  return place;
}
