/**
 * Checks the bytes of an Arrow file before they are passed to a reader. Messages must lie within the file, and buffers
 * must lie within the bodies of their messages. Buffers must have as many bytes as the rows need. These checks are
 * necessary because readers use such numbers without checking bounds.
 *
 * Draws are flat columns of numbers, so nothing else is accepted. Source: Arrow's "IPC format"; File.fbs, Message.fbs,
 * Schema.fbs.
 *
 * @throws DataError DATA_TYPE for a column of another type; Error with a description
 */
import { DataError } from "ergodic/data";
import { type FlatTable, readFlatbuffer, type TableKind } from "./flatbuffer.ts";

const keyValue: TableKind = { 0: "text", 1: "text" };
/** Table of a type. For a type of number, the first field of the table is either its width or its precision. */
const type: TableKind = { 0: "i32" };
const precision: TableKind = { 0: "i16" };
const field = (): TableKind => ({
  0: "text",
  2: "u8",
  4: { table: {} },
  5: { tables: field },
  6: { tables: () => keyValue },
});
const schema: TableKind = { 1: { tables: field }, 2: { tables: () => keyValue } };
const blocks = { structs: 24 } as const;
const footer: TableKind = { 1: { table: schema }, 2: blocks, 3: blocks, 4: { tables: () => keyValue } };
const batch: TableKind = { 0: "i64", 1: { structs: 16 }, 2: { structs: 16 }, 3: { table: {} }, 4: { structs: 8 } };
const message: TableKind = { 0: "i16", 1: "u8", 3: "i64", 4: { tables: () => keyValue } };

const kinds = { schema: 1, batch: 3 };
const typeNames =
  "none Null Int Float Binary Utf8 Bool Decimal Date Time Timestamp Interval List Struct Union FixedSizeBinary FixedSizeList Map Duration LargeBinary LargeUtf8 LargeList RunEndEncoded BinaryView Utf8View ListView LargeListView".split(
    " ",
  );
const magic = "ARROW1";
const fourthVersion = 3;

export function checkArrow(bytes: Uint8Array): void {
  if (startsWithMagic(bytes)) checkFile(bytes);
  else checkStream(bytes);
}

const startsWithMagic = (bytes: Uint8Array) => [...magic].every((letter, i) => bytes[i] === letter.charCodeAt(0));

function checkFile(bytes: Uint8Array): void {
  const tail = bytes.length - 4 - magic.length;
  if (tail < 8 || !startsWithMagic(bytes.subarray(tail + 4)))
    throw new Error("its end does not match its beginning; it was cut short");
  const size = viewOf(bytes).getInt32(tail, true);
  const start = tail - size;
  if (size < 4 || start < 8) throw new Error(`its footer of ${size} bytes goes beyond the file`);
  const about = bytes.subarray(start, tail);
  const found = readFlatbuffer(about, footer);
  const columns = widths(about, found.get(1) as FlatTable | undefined);
  if (structsOf(found, 2).byteLength > 0) throw new Error("it has dictionaries");
  const list = structsOf(found, 3);
  for (let k = 0; k < list.byteLength; k += 24) {
    const at = Number(list.getBigInt64(k, true));
    const end = checkBatch(bytes.subarray(0, start), at, columns);
    if (end === undefined) throw new Error(`there is no message at ${at}`);
  }
}

function checkStream(bytes: Uint8Array): void {
  const first = messageAt(bytes, 0);
  if (first?.kind !== kinds.schema) throw new Error("it does not begin with a schema");
  const columns = widths(first.about, tableIn(first.about, schema));
  for (let at: number | undefined = first.end; at !== undefined && at < bytes.length; ) at = checkBatch(bytes, at, columns);
}

interface Message {
  readonly kind: number;
  readonly about: Uint8Array;
  readonly body: Uint8Array;
  readonly end: number;
}

/** Reads the message at a position. Returns undefined at the end of the stream. */
function messageAt(bytes: Uint8Array, at: number): Message | undefined {
  const view = viewOf(bytes);
  if (!(at >= 0 && at + 4 <= bytes.length)) throw new Error(`there is no message at ${at} of ${bytes.length} bytes`);
  let size = view.getInt32(at, true);
  let start = at + 4;
  if (size === -1) {
    if (start + 4 > bytes.length) throw new Error("a message goes beyond the end");
    size = view.getInt32(start, true);
    start += 4;
  }
  if (size === 0) return undefined;
  if (size < 8 || start + size > bytes.length) throw new Error(`a message of ${size} bytes goes beyond the end`);
  const about = bytes.subarray(start, start + size);
  const found = readFlatbuffer(about, message);
  const length = numberOf(found, 3);
  if (!(length >= 0 && start + size + length <= bytes.length)) throw new Error(`a body of ${length} bytes goes beyond the end`);
  if (numberOf(found, 0) < fourthVersion) throw new Error("it is of a version before the fourth");
  const body = bytes.subarray(start + size, start + size + length);
  return { kind: numberOf(found, 1), about, body, end: start + size + length };
}

/** Returns the header of a message as a table of this kind. */
function tableIn(about: Uint8Array, kind: TableKind): FlatTable {
  const header = readFlatbuffer(about, { 2: { table: kind } }).get(2);
  if (header === undefined) throw new Error("a message lacks its header");
  return header as FlatTable;
}

/** Returns the bytes per number of each column. */
function widths(about: Uint8Array, found: FlatTable | undefined): number[] {
  const fields = (found?.get(1) ?? []) as readonly FlatTable[];
  return fields.map((one) => {
    const name = String(one.get(0) ?? "");
    const number = numberOf(one, 2);
    const coded = one.has(4);
    if (coded || (number !== 2 && number !== 3)) {
      const kind = coded ? "Dictionary" : (typeNames[number] ?? `type ${number}`);
      throw new DataError(
        "readDrawsArrow",
        `the column "${name}" is of ${kind}, but draws are numbers; leave it out`,
        "DATA_TYPE",
      );
    }
    const bytes =
      number === 2 ? numberOf(typeOf(about, one, type), 0) / 8 : [2, 4, 8][numberOf(typeOf(about, one, precision), 0)];
    if (![1, 2, 4, 8].includes(bytes))
      throw new Error(`the column "${name}" has numbers of ${bytes ?? "an unknown number of"} bytes`);
    return bytes;
  });
}

/** Returns the table of a field's type. Other fields determine its kind. */
function typeOf(about: Uint8Array, { at }: FlatTable, kind: TableKind): FlatTable {
  const found = readFlatbuffer(about, { 3: { table: kind } }, at).get(3);
  if (found === undefined) throw new Error("a column lacks its type");
  return found as FlatTable;
}

/** Checks a batch and returns its end. Returns undefined if there is no further batch. */
function checkBatch(bytes: Uint8Array, at: number, columns: readonly number[]): number | undefined {
  const found = messageAt(bytes, at);
  if (found === undefined) return undefined;
  if (found.kind !== kinds.batch) throw new Error(`a message is of kind ${found.kind}, where rows should be`);
  const table = tableIn(found.about, batch);
  const rows = numberOf(table, 0);
  const nodes = structsOf(table, 1);
  const buffers = structsOf(table, 2);
  if (table.has(3)) throw new Error("it is compressed");
  if (!Number.isSafeInteger(rows) || rows < 0 || (columns.length === 0 && rows > 0)) throw new Error(`it has ${rows} rows`);
  if (nodes.byteLength !== 16 * columns.length || buffers.byteLength !== 32 * columns.length)
    throw new Error(`its rows are not of ${columns.length} columns`);
  columns.forEach((width, j) => {
    const [length, nulls] = pair(nodes, 16 * j);
    if (length !== rows || nulls < 0 || nulls > rows)
      throw new Error(`a column has ${length} values, ${nulls} of them null, in ${rows} rows`);
    const [bits, values] = [32 * j, 32 * j + 16].map((place) => {
      const [offset, size] = pair(buffers, place);
      if (!(offset >= 0 && size >= 0 && offset + size <= found.body.length)) throw new Error(`a buffer goes beyond its body`);
      return size;
    });
    if (values < rows * width) throw new Error(`a column of ${rows} rows has ${values} bytes`);
    if (nulls > 0 && bits < rows / 8) throw new Error(`nulls of ${rows} rows have ${bits} bytes`);
  });
  return found.end;
}

function pair(structs: DataView, at: number): [number, number] {
  return [Number(structs.getBigInt64(at, true)), Number(structs.getBigInt64(at + 8, true))];
}

/** Absent numbers are 0 in flatbuffers. */
function numberOf(table: FlatTable, id: number): number {
  return (table.get(id) as number | undefined) ?? 0;
}

function structsOf(table: FlatTable, id: number): DataView {
  return (table.get(id) as DataView | undefined) ?? new DataView(new ArrayBuffer(0));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
