/**
 * NumPy `.npy`, versions 1 to 3 → tables of number columns x0, x1, …
 *
 * One-dimensional arrays are one column, two-dimensional ones rows × columns, in C or Fortran order, little- or big-endian: f4 f8,
 * i1 i2 i4 i8, u1 u2 u4 u8, b1. NaN is a missing value. 64-bit integers beyond ±2^53 are refused: float64 cannot hold them.
 * Source: numpy.lib.format.
 *
 * @throws DataError DATA_FORMAT, DATA_UNSUPPORTED, DATA_TRUNCATED, DATA_TYPE, DATA_EMPTY
 */
import type { Table } from "ergodic";
import { fault, fileFault, show } from "../fault.ts";
import { type ByteSource, joined, openSource, type Source } from "../source.ts";
import { columnIndex, type MissingValues, type ParsedTable, type TableOptions } from "../table-builder.ts";

export interface NpyOptions extends Pick<TableOptions, "drop"> {
  /** A second, one-dimensional array as long as the first: it becomes the column y, and the target unless another one is named. */
  labels?: Source;
}

export const npyKeys = ["drop", "labels"];
export const labelColumn = "y";

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

interface Header {
  read: Element;
  size: number;
  little: boolean;
  wide: boolean;
  fortran: boolean;
  rowCount: number;
  names: string[];
}

export async function npyTable(source: ByteSource, options: NpyOptions): Promise<ParsedTable> {
  for await (const parsed of npyParts(source, options, Infinity)) {
    return options.labels === undefined ? parsed : withLabels(parsed, await npyTable(openSource(options.labels), {}));
  }
  throw fileFault(source.name, "the array has no rows; a table needs at least one", "DATA_EMPTY");
}

function withLabels({ table, names, missing }: ParsedTable, labels: ParsedTable): ParsedTable {
  const [column, ...more] = labels.table.columns;
  const { rowCount, source } = labels.table;
  if (more.length > 0 || rowCount !== table.rowCount) {
    const shape = more.length > 0 ? `${rowCount} × ${more.length + 1}` : `${rowCount}`;
    throw fileFault(
      source,
      `labels have the shape ${shape}, but must be one value for each of the ${table.rowCount} rows of ${table.source}; pass the array that belongs to it`,
      "DATA_RAGGED",
    );
  }
  const gaps = labels.missing.map((gap) => ({ ...gap, column: labelColumn, position: names.length + 1 }));
  return {
    table: { ...table, columns: [...table.columns, { ...column, name: labelColumn }] },
    names: [...names, labelColumn],
    missing: [...missing, ...gaps],
  };
}

/** Fortran order holds a column together, so that its blocks need the whole file in memory. */
export async function* npyBlocks(source: ByteSource, options: NpyOptions, blockRows: number): AsyncGenerator<Table> {
  let blocks = 0;
  for await (const { table } of npyParts(source, options, blockRows)) {
    blocks++;
    yield table;
  }
  if (blocks === 0) throw fileFault(source.name, "the array has no rows; a table needs at least one", "DATA_EMPTY");
}

async function* npyParts(source: ByteSource, options: NpyOptions, blockRows: number): AsyncGenerator<ParsedTable> {
  const reader = new ByteReader(source);
  try {
    const header = await readHeader(source.name, reader);
    const { rowCount, names, size, fortran } = header;
    const rowBytes = size * names.length;
    const dropped = new Set((options.drop ?? []).map((key) => columnIndex(source.name, "drop", names, key)));
    const kept = names.map((_, i) => i).filter((i) => !dropped.has(i));
    const step = Math.min(blockRows, rowCount);
    const whole = fortran ? await part(source.name, reader, rowBytes, rowCount, 0, rowCount) : undefined;
    for (let start = 0; start < rowCount; start += step) {
      const count = Math.min(step, rowCount - start);
      const view = whole ?? (await part(source.name, reader, rowBytes, count, start, rowCount));
      const first = fortran ? start * size : 0;
      const strides = fortran ? { row: size, column: size * rowCount } : { row: rowBytes, column: size };
      yield table(source.name, header, kept, view, { first, count, start, ...strides });
    }
  } finally {
    await reader.close();
    await source.close?.();
  }
}

async function part(
  file: string,
  reader: ByteReader,
  rowBytes: number,
  count: number,
  start: number,
  rowCount: number,
): Promise<DataView> {
  const bytes = await reader.take(rowBytes * count);
  if (bytes.length < rowBytes * count) {
    const missing = rowBytes * (rowCount - start) - bytes.length;
    throw fileFault(
      file,
      `the file stops ${missing} bytes short of the ${rowBytes * rowCount} that its shape needs; write or fetch it again`,
      "DATA_TRUNCATED",
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Window {
  first: number;
  count: number;
  start: number;
  row: number;
  column: number;
}

function table(file: string, { read, little, wide, names }: Header, kept: number[], view: DataView, at: Window): ParsedTable {
  const missing: MissingValues[] = [];
  const columns = kept.map((j) => {
    const values = new Float64Array(at.count);
    let place = at.first + j * at.column;
    for (let i = 0; i < at.count; i++, place += at.row) {
      const value = read(view, place, little);
      if (value - value !== 0) note(file, missing, value, at.start + i, j, names[j]);
      else if (wide && !Number.isSafeInteger(value)) {
        const exact = read === elements.u8 ? view.getBigUint64(place, little) : view.getBigInt64(place, little);
        throw fault(
          file,
          at.start + i + 1,
          j + 1,
          `the integer ${exact} is beyond 2^53, which a number column cannot hold exactly; save it as float64`,
          "DATA_TYPE",
        );
      }
      values[i] = value;
    }
    return { name: names[j], kind: "number" as const, values };
  });
  return { table: { rowCount: at.count, columns, source: file }, names, missing };
}

function note(file: string, missing: MissingValues[], value: number, i: number, j: number, column: string): void {
  if (!Number.isNaN(value)) {
    throw fault(
      file,
      i + 1,
      j + 1,
      `${show(String(value))} is not a finite number in column ${show(column)}; replace it, or make it NaN and impute`,
      "DATA_TYPE",
    );
  }
  const before = missing.at(-1);
  if (before?.column === column) before.count++;
  else missing.push({ column, position: j + 1, count: 1, line: i + 1, text: "NaN" });
}

async function readHeader(file: string, reader: ByteReader): Promise<Header> {
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
  const version = magic[6];
  if (version < 1 || version > 3)
    throw fileFault(
      file,
      `format version ${version} is not known (1 to 3 are); save the array with a current NumPy`,
      "DATA_UNSUPPORTED",
    );
  const lengthBytes = await reader.take(version === 1 ? 2 : 4);
  const length = lengthBytes.reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
  const bytes = await reader.take(Math.min(length, 1 << 20));
  if (bytes.length < length)
    throw fileFault(
      file,
      `the file stops inside its header (${bytes.length} of ${length} bytes); write or fetch it again`,
      "DATA_TRUNCATED",
    );
  return parsedHeader(file, new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes));
}

function parsedHeader(file: string, text: string): Header {
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
      `the element type ${show(descr[1] ?? descr[2])} is not read (f4 f8 i1–i8 u1–u8 b1 are); ${advice}`,
      "DATA_UNSUPPORTED",
    );
  }
  const sizes = shape[1]
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(Number);
  if (sizes.length !== 1 && sizes.length !== 2) {
    throw fileFault(
      file,
      `the array has ${sizes.length} dimensions, shape (${sizes.join(", ")}), but a table has 1 or 2; reshape it: array.reshape(len(array), -1)`,
      "DATA_UNSUPPORTED",
    );
  }
  const [rowCount, columnCount = 1] = sizes;
  return {
    read: elements[type],
    size: Number(type.slice(1)),
    little: order !== ">",
    wide: type === "i8" || type === "u8",
    fortran: fortran[1] === "True",
    rowCount: columnCount === 0 ? 0 : rowCount,
    names: Array.from({ length: columnCount }, (_, i) => `x${i}`),
  };
}

/** Exact numbers of bytes out of chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.#chunks = source.chunks()[Symbol.asyncIterator]();
  }

  /** `count` bytes, or fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < count) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      parts.push(value);
      have += value.length;
    }
    const bytes = joined(...parts);
    this.#rest = bytes.subarray(count);
    return bytes.subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
