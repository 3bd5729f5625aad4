/**
 * Reads Thrift's compact protocol within bounds. Parquet's footer and page headers are written in this protocol. Lists
 * must not be longer than the remaining bytes, structures must not be nested more than 32 deep, and numbers must not be
 * wider than their type. A decoder can then read the same bytes without allocating memory for content that is not
 * there.
 *
 * Source: thrift-compact-protocol.md of Apache Thrift.
 *
 * @throws Error with a description
 */
export type ThriftValue = boolean | number | Uint8Array | readonly ThriftValue[] | ThriftStruct;
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

const deepest = 32;

export function readThrift(bytes: Uint8Array, at: number): { fields: ThriftStruct; end: number } {
  const reader = new ThriftReader(bytes, at);
  return { fields: reader.struct(0), end: reader.at };
}

/** Returns the structure or number in the field `id`. Returns undefined if the field is missing or has another kind. */
export function structAt(fields: ThriftStruct, id: number): ThriftStruct | undefined {
  const value = fields.get(id);
  return value instanceof Map ? value : undefined;
}

export function numberAt(fields: ThriftStruct, id: number): number | undefined {
  const value = fields.get(id);
  return typeof value === "number" ? value : undefined;
}

/** Reads a varint of at most `bits` bits: seven bits per byte, lowest first. */
export function readVarint(bytes: Uint8Array, at: number, end: number, bits: number): { value: number; end: number } {
  let value = 0;
  for (let shift = 0; shift < bits; shift += 7) {
    if (at >= end) throw new Error("a number goes beyond the end");
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte >= 128) continue;
    // The sum can be rounded, but this byte is exact.
    if (byte >= 2 ** (bits - shift)) break;
    return { value, end: at };
  }
  throw new Error(`a number is wider than ${bits} bits`);
}

class ThriftReader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  struct(depth: number): ThriftStruct {
    if (depth > deepest) throw new Error(`structures are nested deeper than ${deepest}`);
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 15;
      if (type === 0) return fields;
      id = head >> 4 === 0 ? this.#zigzag(32) : id + (head >> 4);
      fields.set(id, this.#value(type, depth));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case 1:
      case 2:
        return type === 1;
      case 3:
        return this.#byte();
      case 4:
      case 5:
        return this.#zigzag(32);
      case 6:
        return this.#zigzag(64);
      case 7:
        return this.#take(8);
      case 8:
        return this.#take(this.#varint(32));
      case 9:
        return this.#list(depth);
      case 12:
        return this.struct(depth + 1);
      default:
        throw new Error(`there is no type ${type}`);
    }
  }

  #list(depth: number): ThriftValue[] {
    if (depth > deepest) throw new Error(`lists are nested deeper than ${deepest}`);
    const head = this.#byte();
    const length = head >> 4 === 15 ? this.#varint(32) : head >> 4;
    if (length > this.#bytes.length - this.at) throw new Error(`a list of ${length} values goes beyond the end`);
    const type = head & 15;
    const values: ThriftValue[] = [];
    for (let i = 0; i < length; i++) values.push(type === 1 || type === 2 ? this.#byte() === 1 : this.#value(type, depth + 1));
    return values;
  }

  #byte(): number {
    if (this.at >= this.#bytes.length) throw new Error("a structure goes beyond the end");
    return this.#bytes[this.at++];
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new Error(`${length} bytes go beyond the end`);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  #varint(bits: number): number {
    const { value, end } = readVarint(this.#bytes, this.at, this.#bytes.length, bits);
    this.at = end;
    return value;
  }

  #zigzag(bits: number): number {
    const value = this.#varint(bits);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
