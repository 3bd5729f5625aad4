/**
 * A Parquet file with a column "x", built page by page from a case: valid, or wrong in one place. Thrift structures are
 * objects by field number. 5 is an i32, "5n" an i64, and other strings are text.
 *
 * Source: the format's parquet.thrift; Thrift's compact protocol.
 */
import { brotliCompressSync, gzipSync } from "node:zlib";
import { bytesOf, changed, type Part, varint } from "./parts.ts";

export interface ParquetFile {
  type: string;
  rows: number;
  pages: Page[];
  nulls?: boolean;
  codec?: string;
  /** Number of bytes of a value of fixed length. */
  length?: number;
  /** ConvertedType's number. */
  converted?: number;
  scale?: number;
  /** Changed fields of the column in the schema and in its group, of the group, and of the file. */
  element?: object;
  meta?: object;
  group?: object;
  file?: object;
  /** The whole file. */
  bytes?: Part[];
  /** Bytes from the first to before the second. */
  cut?: [number, number];
  /** Bytes to overwrite. Negative positions count from the end. */
  over?: [at: number, ...parts: Part[]][];
}

/** Dictionary page, page of the first version, or page of the second version: [values, nulls, rows]. */
interface Page {
  dictionary?: number;
  values?: number;
  second?: [values: number, nulls: number, rows: number];
  encoding?: number;
  /** Levels, which pages of the second version store uncompressed. */
  levels?: Part[];
  data: Part[];
  /** Changed fields of the page's header. */
  header?: object;
}

type Thrift = number | string | boolean | Thrift[] | { [id: string]: Thrift | undefined };

const types = ["BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"];
const codecs = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"];

export function parquetFile(given: ParquetFile): Uint8Array {
  if (given.bytes) return Uint8Array.from(bytesOf(given.bytes));
  const { type, rows, nulls = false, codec = "UNCOMPRESSED", length, converted, scale } = given;
  const pages = given.pages.map((page) => pageBytes(page, codec));
  const first = given.pages[0]?.dictionary === undefined ? 0 : pages[0].length;
  const chunk = pages.flat();
  const place = types.indexOf(type);
  const element = {
    1: place,
    2: length,
    3: nulls ? 1 : 0,
    4: "x",
    6: converted,
    7: scale,
    8: scale === undefined ? undefined : 9,
  };
  const meta = {
    ...{ 1: place, 2: [0], 3: ["x"], 4: codecs.indexOf(codec), 5: `${rows}n`, 6: `${chunk.length}n`, 7: `${chunk.length}n` },
    ...{ 9: `${4 + first}n`, ...(first > 0 ? { 11: "4n" } : {}) },
  };
  const group = { 1: [{ 2: "4n", 3: changed<Thrift>(meta, given.meta ?? {}) }], 2: `${chunk.length}n`, 3: `${rows}n` };
  const schema = [{ 4: "schema", 5: 1 }, changed<Thrift>(element, given.element ?? {})];
  const file = { 1: 1, 2: schema, 3: `${rows}n`, 4: [changed<Thrift>(group, given.group ?? {})] };
  const footer = thrift(changed<Thrift>(file, given.file ?? {}));
  const magic = [...Buffer.from("PAR1")];
  const bytes = Uint8Array.from([...magic, ...chunk, ...footer, ...bytesOf([`i4 ${footer.length}`]), ...magic]);
  for (const [at, ...parts] of given.over ?? []) bytes.set(bytesOf(parts), at < 0 ? bytes.length + at : at);
  const [from, to] = given.cut ?? [0, 0];
  return to > 0 ? Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(to)]) : bytes;
}

function pageBytes({ dictionary, values, second, encoding = 0, levels = [], data, header = {} }: Page, codec: string): number[] {
  const [plain, before] = [bytesOf(data), bytesOf(levels)];
  const packed = [...before, ...pack(plain, codec)];
  const about: Thrift =
    dictionary !== undefined
      ? { 1: 2, 7: { 1: dictionary, 2: 0 } }
      : second
        ? { 1: 3, 8: { 1: second[0], 2: second[1], 3: second[2], 4: encoding, 5: before.length, 6: 0 } }
        : { 1: 0, 5: { 1: values, 2: encoding, 3: 3, 4: 3 } };
  return [...thrift(changed<Thrift>({ ...about, 2: before.length + plain.length, 3: packed.length }, header)), ...packed];
}

/** Stores bytes with the least compression that the format allows if the number of bytes is stated. */
function pack(bytes: number[], codec: string): number[] {
  const { length } = bytes;
  if (length === 0 && (codec === "SNAPPY" || codec.startsWith("LZ4"))) return [0];
  if (codec === "SNAPPY") return [...varint(BigInt(length)), 60 << 2, length - 1, ...bytes];
  if (codec === "LZ4_RAW" || codec === "LZ4") return length < 15 ? [length << 4, ...bytes] : [240, length - 15, ...bytes];
  if (codec === "ZSTD") return [0x28, 0xb5, 0x2f, 0xfd, 0x20, length, ((length << 3) & 255) + 1, length >> 5, 0, ...bytes];
  if (codec === "GZIP") return [...gzipSync(Uint8Array.from(bytes))];
  if (codec === "BROTLI") return [...brotliCompressSync(Uint8Array.from(bytes))];
  return bytes;
}

export function thrift(value: Thrift): number[] {
  if (typeof value === "number") return varint(zigzag(BigInt(value)));
  if (typeof value === "boolean") return [];
  if (typeof value === "string" && isLong(value)) return varint(zigzag(BigInt(value.slice(0, -1))));
  if (typeof value === "string") return [...varint(BigInt(Buffer.byteLength(value))), ...Buffer.from(value)];
  if (Array.isArray(value)) return [(value.length << 4) | (value.length === 0 ? 5 : codeOf(value[0])), ...value.flatMap(thrift)];
  let last = 0;
  const fields = Object.entries(value).flatMap(([id, field]) => {
    if (field === undefined) return [];
    const delta = Number(id) - last;
    last = Number(id);
    return [(delta << 4) | codeOf(field), ...thrift(field)];
  });
  return [...fields, 0];
}

const isLong = (text: string): boolean => /^-?\d+n$/.test(text);
const zigzag = (value: bigint): bigint => (value < 0n ? -2n * value - 1n : 2n * value);

function codeOf(value: Thrift): number {
  if (typeof value === "boolean") return value ? 1 : 2;
  if (typeof value === "number") return 5;
  if (typeof value === "string") return isLong(value) ? 6 : 8;
  return Array.isArray(value) ? 9 : 12;
}
