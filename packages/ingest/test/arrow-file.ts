/**
 * An Arrow file or stream with an int32 "a" and a float64 "b", with the changes of a case.
 *
 * Source: Arrow's "IPC format"; File.fbs, Message.fbs, Schema.fbs; FlatBuffers, "Internals".
 */
import { bytesOf, changed, type Part } from "./parts.ts";

/** A table by the numbers of its fields. */
type Flat = { [id: string]: FlatField };
type FlatField =
  | { u1: number }
  | { i2: number }
  | { i4: number }
  | { i8: number | string }
  | { text: string }
  /** Bytes in place of an offset. */
  | { raw: Part[] }
  | { table: Flat }
  /** Vectors by position, so that a case can change a single element. */
  | { tables: Flat[] | Record<number, Flat> }
  /** Pairs of int64, or blocks of 24 bytes: [offset, size of the metadata, size of the body]. */
  | { pairs: number[][] | Record<number, number[]> }
  | { blocks: number[][] };

const column = (name: string, type: number, about: Flat): Flat => ({
  0: { text: name },
  1: { u1: 1 },
  2: { u1: type },
  3: { table: about },
  5: { tables: [] },
});

/** b is missing in its second row. */
const plain = {
  form: "file",
  head: "h 4152524f57310000",
  schema: {
    before: -1,
    message: {
      0: { i2: 4 },
      1: { u1: 1 },
      2: {
        table: { 1: { tables: { 0: column("a", 2, { 0: { i4: 32 }, 1: { u1: 1 } }), 1: column("b", 3, { 0: { i2: 2 } }) } } },
      },
      3: { i8: 0 },
    },
    body: [] as Part[],
  },
  rows: {
    before: -1,
    message: {
      0: { i2: 4 },
      1: { u1: 3 },
      2: {
        table: {
          0: { i8: 3 },
          1: { pairs: { 0: [3, 0], 1: [3, 1] } },
          2: { pairs: { 0: [0, 0], 1: [0, 12], 2: [16, 1], 3: [24, 24] } },
        },
      },
      3: { i8: 48 },
    },
    body: ["i4 1 -2 3 0", 5, "h 00000000000000", "f8 0.5 0 -4"] as Part[],
  },
  /** Number of repetitions of the rows. */
  times: 1,
  end: "i4 -1 0",
  footer: {},
  tail: "h 4152524f5731",
};

type Message = { before: number; size?: number; message: object; body: Part[] };

export function arrowFile(given: object): Uint8Array {
  if ("bytes" in given) return Uint8Array.from(bytesOf(given.bytes as Part[]));
  const { form, head, schema, rows, times, end, footer, tail, ...more } = changed(plain, given);
  const { over = [], cut } = more as { over?: [number, ...Part[]][]; cut?: number };
  const parts: number[] = form === "file" ? bytesOf([head]) : [];
  parts.push(...messageBytes(schema));
  const blocks: number[][] = [];
  for (let k = 0; k < times; k++) {
    const bytes = messageBytes(rows);
    blocks.push([parts.length, bytes.length - bytesOf(rows.body).length, bytesOf(rows.body).length]);
    parts.push(...bytes);
  }
  parts.push(...bytesOf([end]));
  if (form === "file") {
    const about = (schema.message as Flat)[2];
    const whole = { 0: { i2: 4 }, ...(about ? { 1: about } : {}), 2: { blocks: [] }, 3: { blocks } };
    const { size, ...changes } = footer as { size?: number };
    const bytes = flatBytes(changed(whole, changes) as Flat);
    parts.push(...bytes, ...bytesOf([`i4 ${size ?? bytes.length}`, tail]));
  }
  const bytes = Uint8Array.from(parts);
  for (const [at, ...written] of over) bytes.set(bytesOf(written), at < 0 ? bytes.length + at : at);
  return cut === undefined ? bytes : bytes.slice(0, cut);
}

/** `before`: −1, or null if the size comes first, as before Arrow 0.15. */
function messageBytes({ before, size, message, body }: Message): number[] {
  const about = flatBytes(message as Flat);
  while (about.length % 8 !== 0) about.push(0);
  const sizes = `i4${before === undefined ? "" : ` ${before}`} ${size ?? about.length}`;
  return [...bytesOf([sizes]), ...about, ...bytesOf(body)];
}

/** The root's offset, then every table after its vtable. Referenced objects follow the tables. */
export function flatBytes(fields: Flat): number[] {
  const bytes: number[] = [0, 0, 0, 0];
  put(bytes, 0, table(bytes, fields));
  return bytes;
}

function put(bytes: number[], at: number, to: number): void {
  bytes.splice(at, 4, ...bytesOf([`i4 ${to - at}`]));
}

/** Start of the table. */
function table(bytes: number[], fields: Flat): number {
  const entries = Object.entries(fields);
  const about = bytes.length;
  const last = Math.max(-1, ...Object.keys(fields).map(Number));
  const places = new Array<number>(last + 1).fill(0);
  const inline: number[] = [];
  const later: [at: number, field: FlatField][] = [];
  const start = about + 4 + 2 * places.length;
  for (const [id, field] of entries) {
    places[Number(id)] = 4 + inline.length;
    const [kind, value] = "raw" in field ? ["raw", field.raw] : Object.entries(field)[0];
    if (kind === "u1") inline.push(value as number);
    else if (kind === "i2") inline.push(...bytesOf([`u2 ${value}`]));
    else if (kind === "raw") inline.push(...bytesOf(value as Part[]));
    else if (kind === "i4" || kind === "i8") inline.push(...bytesOf([`${kind} ${value}`]));
    else {
      later.push([start + 4 + inline.length, field]);
      inline.push(0, 0, 0, 0);
    }
  }
  bytes.push(...bytesOf([`u2 ${4 + 2 * places.length} ${4 + inline.length}`, ...places.map((place) => `u2 ${place}`)]));
  bytes.push(...bytesOf([`i4 ${start - about}`]), ...inline);
  for (const [at, field] of later) {
    if ("table" in field) put(bytes, at, table(bytes, field.table));
    else {
      put(bytes, at, bytes.length);
      vector(bytes, field);
    }
  }
  return start;
}

function vector(bytes: number[], field: FlatField): void {
  if ("text" in field) bytes.push(...bytesOf([`t ${field.text}`]));
  else if ("tables" in field) {
    const tables = Object.values(field.tables);
    bytes.push(...bytesOf([`i4 ${tables.length}`]));
    const at = bytes.length;
    bytes.push(...new Array<number>(4 * tables.length).fill(0));
    for (const [i, one] of tables.entries()) put(bytes, at + 4 * i, table(bytes, one));
  } else if ("pairs" in field) {
    const pairs = Object.values(field.pairs);
    bytes.push(...bytesOf([`i4 ${pairs.length}`, ...pairs.map((pair) => `i8 ${pair.join(" ")}`)]));
  } else if ("blocks" in field) {
    const parts = field.blocks.map(([offset, about, body]) => [`i8 ${offset}`, `i4 ${about} 0`, `i8 ${body}`]);
    bytes.push(...bytesOf([`i4 ${field.blocks.length}`, ...parts.flat()]));
  }
}
