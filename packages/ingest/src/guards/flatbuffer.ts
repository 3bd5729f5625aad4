/**
 * Reads flatbuffers within bounds. Every offset must point to existing bytes, and every vector must end within the
 * file. The file's size limits the number of visited tables. If these checks succeed, a generated reader also comes to
 * an end on the same bytes.
 *
 * Source: FlatBuffers, "Internals".
 *
 * @throws Error with a description
 */
export type FieldKind =
  | "u8"
  | "i16"
  | "i32"
  | "i64"
  | "text"
  | { readonly table: TableKind }
  | { readonly tables: () => TableKind }
  /** Consecutive structs or numbers of this many bytes. */
  | { readonly structs: number };

/** Kinds of fields by field number. Unnamed fields are ignored. */
export type TableKind = Readonly<Record<number, FieldKind>>;

export type FlatValue = number | string | FlatTable | readonly FlatTable[] | DataView;
/** Values by field number. Absent fields are missing. */
export type FlatTable = ReadonlyMap<number, FlatValue> & { readonly at: number };

const deepest = 24;

/** Reads the table at position `at`. By default, this is the table to which the first four bytes point. */
export function readFlatbuffer(bytes: Uint8Array, kind: TableKind, at?: number): FlatTable {
  const reader = new FlatReader(bytes);
  return reader.table(at ?? reader.u32(0), kind);
}

class FlatReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #visits: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#visits = bytes.length / 4;
  }

  u32(at: number): number {
    this.#within(at, 4);
    return this.#view.getUint32(at, true);
  }

  table(at: number, kind: TableKind, depth = 0): FlatTable {
    if (depth > deepest || this.#visits-- <= 0) throw new Error("tables are nested without end");
    this.#within(at, 4);
    const about = at - this.#view.getInt32(at, true);
    this.#within(about, 4);
    const size = this.#view.getUint16(about, true);
    this.#within(about, size);
    const fields = new Map<number, FlatValue>();
    for (const [id, field] of Object.entries(kind)) {
      const entry = 4 + 2 * Number(id);
      const offset = entry + 2 <= size ? this.#view.getUint16(about + entry, true) : 0;
      if (offset !== 0) fields.set(Number(id), this.#value(at + offset, field, depth));
    }
    return Object.assign(fields, { at });
  }

  #value(at: number, kind: FieldKind, depth: number): FlatValue {
    if (kind === "u8") return this.#within(at, 1) ?? this.#view.getUint8(at);
    if (kind === "i16") return this.#within(at, 2) ?? this.#view.getInt16(at, true);
    if (kind === "i32") return this.#within(at, 4) ?? this.#view.getInt32(at, true);
    if (kind === "i64") return this.#within(at, 8) ?? Number(this.#view.getBigInt64(at, true));
    const to = at + this.u32(at);
    if (typeof kind === "object" && "table" in kind) return this.table(to, kind.table, depth + 1);
    const count = this.u32(to);
    if (kind === "text") {
      this.#within(to + 4, count);
      return new TextDecoder().decode(this.#bytes.subarray(to + 4, to + 4 + count));
    }
    if ("structs" in kind) {
      this.#within(to + 4, count * kind.structs);
      return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + to + 4, count * kind.structs);
    }
    this.#within(to + 4, 4 * count);
    return Array.from({ length: count }, (_, i) => {
      const place = to + 4 + 4 * i;
      return this.table(place + this.u32(place), kind.tables(), depth + 1);
    });
  }

  #within(at: number, count: number): undefined {
    if (at >= 0 && at + count <= this.#bytes.length) return undefined;
    throw new Error(`${count} bytes at ${at} are not within ${this.#bytes.length}`);
  }
}
