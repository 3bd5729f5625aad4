/**
 * The smallest Parquet writer that our tests need: flat columns, PLAIN values, and one page per column and row group.
 * Source: the format's parquet.thrift; Thrift's compact protocol.
 */
import { gzipSync } from "node:zlib";

export interface ParquetColumn {
  name: string;
  type: "BOOLEAN" | "INT32" | "INT64" | "FLOAT" | "DOUBLE" | "BYTE_ARRAY";
  /** ConvertedType's number: 0 UTF8, 5 DECIMAL, 6 DATE, 9 TIMESTAMP_MILLIS, 19 JSON. */
  converted?: number;
  scale?: number;
  /** null makes the column optional. */
  values: (number | bigint | string | boolean | null)[];
}

/** False statements of a page and of the footer. */
export interface Tampered {
  /** Rows per group. */
  rows?: number;
  /** Number of values that the page claims. */
  values?: number;
  encoding?: number;
  /** Bytes of the page. */
  page?: number[];
  /** Unpacked size that the page claims. */
  size?: number;
  /** A preceding dictionary: the number of values that it claims, and its page. */
  dictionary?: { values: number; page: number[] };
}

export type Codec = "none" | "snappy" | "gzip";

type Value = { i32: number } | { i64: number } | { text: string } | { list: Value[] } | { struct: Record<number, Value> };

const types = ["BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY"];
const codecs = { none: 0, snappy: 1, gzip: 2 };

export function parquetBytes(
  columns: ParquetColumn[],
  options: { codec?: Codec; groupRows?: number; nest?: boolean; tampered?: Tampered } = {},
): Uint8Array {
  const { codec = "none", groupRows = Infinity, nest = false, tampered = {} } = options;
  const rowCount = columns[0].values.length;
  const file: number[] = [...Buffer.from("PAR1")];
  const groups: Value[] = [];
  for (let start = 0; start < rowCount; start += groupRows) {
    const chunks = columns.map((column) =>
      chunk(file, column, column.values.slice(start, start + groupRows), codec, nest, tampered),
    );
    const rows = tampered.rows ?? Math.min(groupRows, rowCount - start);
    groups.push({ struct: { 1: { list: chunks }, 2: { i64: file.length }, 3: { i64: rows } } });
  }
  const root: Value = { struct: { 4: { text: "schema" }, 5: { i32: nest ? 1 : columns.length } } };
  const group: Value[] = nest ? [{ struct: { 3: { i32: 0 }, 4: { text: "outer" }, 5: { i32: columns.length } } }] : [];
  const schema = [root, ...group, ...columns.map(element)];
  const footer = struct({ 1: { i32: 1 }, 2: { list: schema }, 3: { i64: rowCount }, 4: { list: groups } });
  const size = new Uint8Array(new Uint32Array([footer.length]).buffer);
  return Uint8Array.from([...file, ...footer, ...size, ...Buffer.from("PAR1")]);
}

const optional = (column: ParquetColumn) => column.values.includes(null);

function element(column: ParquetColumn): Value {
  const fields: Record<number, Value> = {
    1: { i32: types.indexOf(column.type) },
    3: { i32: optional(column) ? 1 : 0 },
    4: { text: column.name },
  };
  if (column.converted !== undefined) fields[6] = { i32: column.converted };
  if (column.scale !== undefined) Object.assign(fields, { 7: { i32: column.scale }, 8: { i32: 9 } });
  return { struct: fields };
}

function chunk(
  file: number[],
  column: ParquetColumn,
  values: ParquetColumn["values"],
  codec: Codec,
  nest: boolean,
  tampered: Tampered,
): Value {
  const { dictionary } = tampered;
  const page = tampered.page ?? plain(column, values);
  const packed = codec === "gzip" ? [...gzipSync(Uint8Array.from(page))] : codec === "snappy" ? snappy(page) : page;
  const { values: counted = values.length, encoding = 0, size = page.length } = tampered;
  const data = { struct: { 1: { i32: counted }, 2: { i32: encoding }, 3: { i32: 3 }, 4: { i32: 3 } } };
  const first = dictionary
    ? [
        ...struct({
          1: { i32: 2 },
          2: { i32: dictionary.page.length },
          3: { i32: dictionary.page.length },
          7: { struct: { 1: { i32: dictionary.values }, 2: { i32: 0 } } },
        }),
        ...dictionary.page,
      ]
    : [];
  const header = [...first, ...struct({ 1: { i32: 0 }, 2: { i32: size }, 3: { i32: packed.length }, 5: data })];
  const offset = file.length;
  file.push(...header, ...packed);
  const meta: Record<number, Value> = {
    1: { i32: types.indexOf(column.type) },
    2: { list: [{ i32: 0 }, { i32: 3 }] },
    3: { list: [...(nest ? [{ text: "outer" }] : []), { text: column.name }] },
    4: { i32: codecs[codec] },
    5: { i64: values.length },
    6: { i64: header.length + page.length },
    7: { i64: header.length + packed.length },
    9: { i64: offset },
  };
  return { struct: { 2: { i64: offset }, 3: { struct: meta } } };
}

/** Definition levels as runs of one, then the values that are present. */
function plain(column: ParquetColumn, values: ParquetColumn["values"]): number[] {
  const there = values.filter((value) => value !== null);
  const levels = optional(column) ? values.flatMap((value) => [2, value === null ? 0 : 1]) : [];
  const size = optional(column) ? [...new Uint8Array(new Uint32Array([levels.length]).buffer)] : [];
  if (column.type === "BOOLEAN") {
    const bits = new Uint8Array(Math.ceil(there.length / 8));
    there.forEach((value, i) => {
      if (value) bits[i >> 3] |= 1 << (i & 7);
    });
    return [...size, ...levels, ...bits];
  }
  const bytes = there.flatMap((value) => {
    if (column.type === "BYTE_ARRAY") {
      const text = Buffer.from(String(value));
      return [...new Uint8Array(new Uint32Array([text.length]).buffer), ...text];
    }
    const view = new DataView(new ArrayBuffer(8));
    if (column.type === "INT32") view.setInt32(0, Number(value), true);
    else if (column.type === "INT64") view.setBigInt64(0, BigInt(value), true);
    else if (column.type === "FLOAT") view.setFloat32(0, Number(value), true);
    else view.setFloat64(0, Number(value), true);
    return [...new Uint8Array(view.buffer, 0, column.type === "INT32" || column.type === "FLOAT" ? 4 : 8)];
  });
  return [...size, ...levels, ...bytes];
}

/** One literal, which suffices for a page below 256 bytes. */
function snappy(bytes: number[]): number[] {
  return [...varint(bytes.length), 60 << 2, bytes.length - 1, ...bytes];
}

function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

function typeCode(value: Value): number {
  return "i32" in value ? 5 : "i64" in value ? 6 : "text" in value ? 8 : "list" in value ? 9 : 12;
}

function encode(value: Value): number[] {
  if ("i32" in value) return varint(2 * value.i32);
  if ("i64" in value) return varint(2 * value.i64);
  if ("text" in value) return [...varint(Buffer.byteLength(value.text)), ...Buffer.from(value.text)];
  if ("struct" in value) return struct(value.struct);
  const { length } = value.list;
  const head = length < 15 ? [(length << 4) | typeCode(value.list[0])] : [0xf0 | typeCode(value.list[0]), ...varint(length)];
  return [...head, ...value.list.flatMap(encode)];
}

function struct(fields: Record<number, Value>): number[] {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([id, value]) => {
    const delta = Number(id) - last;
    last = Number(id);
    return [(delta << 4) | typeCode(value), ...encode(value)];
  });
  return [...bytes, 0];
}
