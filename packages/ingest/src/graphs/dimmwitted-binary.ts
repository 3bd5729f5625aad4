/**
 * DimmWitted's binary files, which are big-endian and have no headers. They contain weights of 17 bytes (id, fixed,
 * value), variables of 27 bytes (id, role, initial value, type, number of states), domains, and factors. The length of
 * a factor depends on its number of variables. Source: HazyResearch/sampler.
 */

import { DataError } from "ergodic/data";
import { allBytes, type ByteSource, joined } from "../source.ts";
import type { DimmWittedGraph, DomainRow, Refuse, VariableRows, WeightRows } from "./dimmwitted-rows.ts";

const WEIGHT = 17;
const VARIABLE = 27;
/** Bytes of a factor before its variables, per variable, and after them. */
const HEAD = 10;
const EDGE = 16;
const TAIL = 16;

/** Largest size in bytes of a file that is read as a whole. */
const MOST_BYTES = 2 ** 32;

const again = "fetch or write it again";
const byteFault = (file: string, offset: number, message: string): DataError =>
  new DataError(`${file}: byte ${offset}`, message, "DATA_PARSE");
const cut = (file: string, offset: number, message: string): DataError =>
  new DataError(`${file}: byte ${offset}`, message, "DATA_TRUNCATED");

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Exact up to 2^53. Larger numbers exceed every range used here. */
const u64 = (view: DataView, at: number): number => view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);

async function wholeBytes(source: ByteSource): Promise<Uint8Array> {
  try {
    return await allBytes(source, MOST_BYTES);
  } finally {
    await source.close?.();
  }
}

async function records(source: ByteSource, size: number, what: string): Promise<DataView> {
  const bytes = await wholeBytes(source);
  const over = bytes.length % size;
  if (over > 0) throw cut(source.name, bytes.length - over, `the last ${what} has ${over} of its ${size} bytes; ${again}`);
  return viewOf(bytes);
}

function column(view: DataView, size: number, read: (at: number) => number): Float64Array {
  const values = new Float64Array(view.byteLength / size);
  for (let row = 0; row < values.length; row++) values[row] = read(row * size);
  return values;
}

const refuseBy =
  (file: string, size: number, offsets: readonly number[]): Refuse =>
  (row, field, message) =>
    byteFault(file, row * size + offsets[field], message);

/** Reads the file of weights. */
export async function readBinaryWeights(source: ByteSource): Promise<{ rows: WeightRows; refuse: Refuse }> {
  const view = await records(source, WEIGHT, "weight");
  const rows = {
    ids: column(view, WEIGHT, (at) => u64(view, at)),
    fixed: column(view, WEIGHT, (at) => view.getUint8(at + 8)),
    values: column(view, WEIGHT, (at) => view.getFloat64(at + 9)),
  };
  return { rows, refuse: refuseBy(source.name, WEIGHT, [0, 8, 9]) };
}

/** Reads the file of variables. */
export async function readBinaryVariables(source: ByteSource): Promise<{ rows: VariableRows; refuse: Refuse }> {
  const view = await records(source, VARIABLE, "variable");
  const rows = {
    ids: column(view, VARIABLE, (at) => u64(view, at)),
    roles: column(view, VARIABLE, (at) => view.getUint8(at + 8)),
    initials: column(view, VARIABLE, (at) => u64(view, at + 9)),
    types: column(view, VARIABLE, (at) => view.getUint16(at + 17)),
    counts: column(view, VARIABLE, (at) => u64(view, at + 19)),
  };
  return { rows, refuse: refuseBy(source.name, VARIABLE, [0, 8, 9, 17, 19]) };
}

/** Reads the file of domains. */
export async function readBinaryDomains(source: ByteSource): Promise<{ rows: DomainRow[]; refuse: Refuse }> {
  const bytes = await wholeBytes(source);
  const view = viewOf(bytes);
  const rows: DomainRow[] = [];
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const count = at + 16 <= bytes.length ? u64(view, at + 8) : 0;
    if (at + 16 + 16 * count > bytes.length)
      throw cut(
        source.name,
        at,
        `the domain that begins here needs ${16 + 16 * count} bytes, but ${bytes.length - at} are left; ${again}`,
      );
    offsets.push(at);
    const values = Array.from({ length: count }, (_, i) => u64(view, at + 16 + 16 * i));
    const truthiness = Array.from({ length: count }, (_, i) => view.getFloat64(at + 24 + 16 * i));
    rows.push({ variable: u64(view, at), count, values, truthiness });
    at += 16 + 16 * count;
  }
  return { rows, refuse: (row, field, message) => byteFault(source.name, offsets[row] + [0, 8, 16, 24][field], message) };
}

/** Reads a file of factors into the graph, piece by piece. */
export async function readBinaryFactors(source: ByteSource, into: DimmWittedGraph): Promise<void> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  try {
    for await (const chunk of source.chunks()) {
      const bytes = joined(...(rest.length > 0 ? [rest, chunk] : [chunk]));
      const taken = takeFactors(source.name, bytes, offset, into);
      offset += taken;
      rest = bytes.subarray(taken);
    }
  } finally {
    await source.close?.();
  }
  if (rest.length === 0) return;
  const arity = rest.length >= HEAD ? u64(viewOf(rest), 2) : 0;
  const needed = HEAD + EDGE * arity + TAIL;
  throw cut(
    source.name,
    offset,
    `the factor that begins here, of ${arity} variables, needs ${needed} bytes, but ${rest.length} are left; ${again}`,
  );
}

/** Reads the complete factors and returns their size in bytes. */
function takeFactors(file: string, bytes: Uint8Array, offset: number, into: DimmWittedGraph): number {
  const view = viewOf(bytes);
  const variables: number[] = [];
  const equals: number[] = [];
  let at = 0;
  while (at + HEAD <= bytes.length) {
    const arity = u64(view, at + 2);
    if (arity > 2 ** 28)
      throw byteFault(file, offset + at + 2, `the factor has ${arity} variables, but can have at most ${2 ** 28}; ${again}`);
    const end = at + HEAD + EDGE * arity + TAIL;
    if (end > bytes.length) break;
    variables.length = equals.length = 0;
    for (let i = 0; i < arity; i++) {
      variables.push(u64(view, at + HEAD + EDGE * i));
      equals.push(u64(view, at + HEAD + EDGE * i + 8));
    }
    const start = at;
    const refuse = (message: string): Error => byteFault(file, offset + start, `in the factor that begins here, ${message}`);
    into.addFactor(view.getUint16(at), variables, equals, u64(view, end - 16), view.getFloat64(end - 8), refuse);
    at = end;
  }
  return at;
}

/** Writes bytes one after another. */
export class BinaryWriter {
  private bytes = new Uint8Array(1024);
  private view = viewOf(this.bytes);
  private length = 0;

  u8(value: number): this {
    const at = this.room(1);
    this.view.setUint8(at, value);
    return this;
  }
  u16(value: number): this {
    const at = this.room(2);
    this.view.setUint16(at, value);
    return this;
  }
  u64(value: number): this {
    const at = this.room(8);
    this.view.setUint32(at, Math.floor(value / 2 ** 32));
    this.view.setUint32(at + 4, value % 2 ** 32);
    return this;
  }
  f64(value: number): this {
    const at = this.room(8);
    this.view.setFloat64(at, value);
    return this;
  }
  done(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** Reserves `count` bytes and returns their position. The view can be replaced. */
  private room(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.ceil(1.5 * this.length));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = viewOf(grown);
    }
    return at;
  }
}
