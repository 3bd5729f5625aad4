/**
 * Checks the pages of a column before they are decoded. The counts in the headers of the pages must match the number of
 * rows in the row group. The unpacked size of a page must match its number of values, and no run may be longer than the
 * number of remaining values. The decoder allocates arrays of these sizes, and V8 ends the whole process if an array
 * grows too long.
 *
 * Only for flat columns. Source: parquet.thrift and Encodings.md of Apache Parquet.
 *
 * @throws Error with a description
 */
import { unpackedLength } from "./parquet-lengths.ts";
import { checkDeltaLengths, checkDeltas, checkDeltaTexts, checkRuns, checkTexts } from "./parquet-runs.ts";
import { numberAt, readThrift, structAt, type ThriftStruct } from "./parquet-thrift.ts";

export interface PagedColumn {
  readonly type: string;
  /** Bytes of a value of fixed length. */
  readonly typeLength: number;
  readonly optional: boolean;
  readonly codec: string;
  readonly rows: number;
}

type Compressors = Readonly<Record<string, ((bytes: Uint8Array, size: number) => Uint8Array) | undefined>>;

/** Maximum ratio of unpacked to packed bytes. */
const ratios: Readonly<Record<string, number>> = {
  SNAPPY: 64,
  GZIP: 1032,
  LZ4: 256,
  LZ4_RAW: 256,
  ZSTD: 1 << 16,
  BROTLI: 1 << 16,
};
const widths: Readonly<Record<string, number>> = { BOOLEAN: 1, INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8 };
/** Maximum number of bytes of a page in addition to its values, for padding and headers of runs. */
const slack = 1 << 16;

const encodings = { plain: 0, plainDictionary: 2, rle: 3, deltas: 5, deltaLengths: 6, deltaTexts: 7, dictionary: 8, split: 9 };
const numbers = ["INT32", "INT64"];
/** Types allowed for each encoding. If the type were not allowed, the decoder would misread the bytes. */
const typesOf: Readonly<Record<number, readonly string[]>> = {
  [encodings.plain]: [...Object.keys(widths), "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"],
  [encodings.plainDictionary]: [...numbers, "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"],
  [encodings.rle]: ["BOOLEAN"],
  [encodings.deltas]: numbers,
  [encodings.deltaLengths]: ["BYTE_ARRAY"],
  [encodings.deltaTexts]: ["BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"],
  [encodings.dictionary]: [...numbers, "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"],
  [encodings.split]: [...numbers, "FLOAT", "DOUBLE", "FIXED_LEN_BYTE_ARRAY"],
};

/** Checks all pages and returns their unpacked bytes, in order. Pages that are not compressed are not included. */
export function checkPages(chunk: Uint8Array, column: PagedColumn, compressors: Compressors): Uint8Array[] {
  const unpacked: Uint8Array[] = [];
  const unpack = (bytes: Uint8Array, size: number, values: number): Uint8Array => {
    const page = unpackedPage(bytes, size, values, column, compressors);
    if (column.codec !== "UNCOMPRESSED") unpacked.push(page);
    return page;
  };
  let seen = 0;
  let places = 0;
  for (let at = 0; at < chunk.length - 1 && seen < column.rows; ) {
    const { fields, end } = readThrift(chunk, at);
    const size = count(fields, 2, "unpacked size of a page");
    const packed = count(fields, 3, "size of a page");
    if (packed > chunk.length - end) throw new Error(`a page of ${packed} bytes goes beyond its column`);
    at = end + packed;
    const bytes = chunk.subarray(end, at);
    const type = numberAt(fields, 1);
    if (type === 2) places = checkDictionary(fields, bytes, size, column, unpack);
    else if (type === 0) seen += checkPage(fields, bytes, size, { ...column, rows: column.rows - seen, places }, unpack);
    else if (type === 3) seen += checkPageV2(fields, bytes, size, { ...column, rows: column.rows - seen, places }, unpack);
    else throw new Error(`a page is of type ${type ?? "none"}`);
  }
  if (seen !== column.rows) throw new Error(`a column holds ${seen} values, but its row group has ${column.rows} rows`);
  return unpacked;
}

/** Limits that apply to a page: the number of remaining rows, and the number of values in the preceding dictionary. */
interface Room extends PagedColumn {
  readonly places: number;
}

type Unpack = (bytes: Uint8Array, size: number, values: number) => Uint8Array;

function checkDictionary(
  fields: ThriftStruct,
  bytes: Uint8Array,
  size: number,
  { type, typeLength }: PagedColumn,
  unpack: Unpack,
): number {
  const header = structAt(fields, 7) ?? missing();
  const values = count(header, 1, "number of values of a dictionary");
  const page = unpack(bytes, size, values);
  if (values * leastOf(type, typeLength) > page.length)
    throw new Error(`a dictionary of ${values} values has ${page.length} bytes`);
  if (type === "BYTE_ARRAY") checkTexts(page, 0, values);
  return values;
}

/** Smallest number of bytes of a value. For a string, these are only the bytes that hold its length. */
function leastOf(type: string, typeLength: number): number {
  return type === "BYTE_ARRAY" ? 4 : type === "BOOLEAN" ? 1 / 8 : (widths[type] ?? typeLength);
}

/** Checks a page and returns its number of values. */
function checkPage(fields: ThriftStruct, bytes: Uint8Array, size: number, column: Room, unpack: Unpack): number {
  const header = structAt(fields, 5) ?? missing();
  const values = within(count(header, 1, "number of values of a page"), column.rows);
  const page = unpack(bytes, size, values);
  let at = 0;
  let present = values;
  if (column.optional) {
    at = 4 + length32(page, 0);
    if (at > page.length) throw new Error("levels go beyond their page");
    present = checkRuns(page, 4, at, 1, values).ones;
  }
  checkValues(page, at, present, numberAt(header, 2), column, false);
  return values;
}

function checkPageV2(fields: ThriftStruct, bytes: Uint8Array, size: number, column: Room, unpack: Unpack): number {
  const header = structAt(fields, 8) ?? missing();
  const values = within(count(header, 1, "number of values of a page"), column.rows);
  const nulls = within(count(header, 2, "number of nulls of a page"), values);
  const levels = count(header, 5, "size of the levels of a page");
  if (count(header, 3, "number of rows of a page") !== values) throw new Error("a flat page has not as many rows as values");
  if (count(header, 6, "size of the repetitions of a page") !== 0) throw new Error("a flat page has levels of repetition");
  if (levels > bytes.length) throw new Error("levels go beyond their page");
  if (levels > 0 && !column.optional) throw new Error("a page has levels, but its column allows no nulls");
  const ones = column.optional ? checkRuns(bytes, 0, levels, 1, values).ones : values;
  if (ones !== values - nulls) throw new Error(`a page declares ${nulls} nulls, but has ${values - ones}`);
  const rest = bytes.subarray(levels);
  const isPacked = header.get(7) !== false;
  if (!isPacked && size !== bytes.length) throw new Error(`a page of ${bytes.length} bytes declares ${size}`);
  const page = isPacked ? unpack(rest, size - levels, values) : rest;
  checkValues(page, 0, ones, numberAt(header, 4), column, true);
  return values;
}

/**
 * Checks values in encodings that have their own runs or lengths. `second`: whether the page has version 2, in which
 * zero-width positions have runs too.
 */
function checkValues(
  page: Uint8Array,
  at: number,
  values: number,
  encoding: number | undefined,
  { type, typeLength, places }: Room,
  second: boolean,
): void {
  if (encoding === undefined || !typesOf[encoding]?.includes(type))
    throw new Error(`a page of ${type} is of encoding ${encoding ?? "none"}`);
  const beyond = `${values} values go beyond their page`;
  if (encoding === encodings.rle) checkRuns(page, at + 4, page.length, 1, values);
  else if (encoding === encodings.dictionary || encoding === encodings.plainDictionary) {
    if (values === 0) return;
    if (at >= page.length) throw new Error(beyond);
    const width = page[at];
    if (width > 32) throw new Error(`dictionary indices are ${width} bits wide`);
    if (places === 0) throw new Error("there is no dictionary");
    if (width > 0 || second) checkRuns(page, at + 1, page.length, width, values, places);
  } else if (encoding === encodings.plain || encoding === encodings.split) {
    if (values * leastOf(type, typeLength) > page.length - at) throw new Error(beyond);
    if (type === "BYTE_ARRAY") checkTexts(page, at, values);
  } else if (encoding === encodings.deltas) checkDeltas(page, at, values);
  else if (encoding === encodings.deltaLengths) checkDeltaLengths(page, at, values);
  else checkDeltaTexts(page, at, values);
}

function unpackedPage(
  bytes: Uint8Array,
  size: number,
  values: number,
  { codec, type, typeLength }: PagedColumn,
  compressors: Compressors,
): Uint8Array {
  if (codec === "UNCOMPRESSED") {
    if (size !== bytes.length) throw new Error(`a page of ${bytes.length} bytes declares ${size}`);
    return bytes;
  }
  const ratio = ratios[codec];
  const unpack = compressors[codec];
  if (ratio === undefined || unpack === undefined) throw new Error(`the codec ${codec} is not supported`);
  // Largest size of a page. In the worst case, each value has its own bytes, and each level is a run of its own.
  // Strings can have any length.
  const needed = type === "BYTE_ARRAY" ? Infinity : values * ((widths[type] ?? typeLength) + 8) + slack;
  if (size < 0 || size > Math.min(needed, bytes.length * ratio + slack))
    throw new Error(`${values} values in ${bytes.length} packed bytes claim ${size} bytes`);
  // For an empty page, some writers write nothing, and others write one or more bytes.
  if (size === 0) return new Uint8Array(0);
  const page = unpack(bytes, size);
  const length = unpackedLength(codec, bytes) ?? page.length;
  if (length !== size) throw new Error(`a page unpacks to ${length} bytes, but declares ${size}`);
  return page;
}

function count(fields: ThriftStruct, id: number, what: string): number {
  const value = numberAt(fields, id);
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`the ${what} is ${value ?? "missing"}`);
}

function within(values: number, rows: number): number {
  if (values <= rows) return values;
  throw new Error(`a page counts ${values} values where ${rows} are left`);
}

function length32(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) throw new Error("levels go beyond their page");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

function missing(): never {
  throw new Error("a page lacks its header");
}
