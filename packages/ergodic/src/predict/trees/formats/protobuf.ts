/**
 * Reads messages of protocol buffers: fields with a number and a wire type, which is 0 for variable-length integers, 1
 * for eight bytes, 2 for bytes, and 5 for four bytes. Source: protobuf.dev, "Encoding".
 */

import { checkPart, damaged, type Origin } from "./faults.ts";

const [VARIANT, EIGHT_BYTES, BYTES, FOUR_BYTES] = [0, 1, 2, 5];

/** Position and end of a field's content, and its wire type. A variable-length integer has its value instead. */
type Field = { readonly wire: number; readonly from: number; readonly to: number; readonly value: number };

export class Message {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #origin: Origin;
  readonly #fields = new Map<number, Field[]>();

  /** @throws DataError unless the bytes are a message */
  constructor(bytes: Uint8Array, origin: Origin) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#origin = origin;
    for (let at = 0; at < bytes.length; ) at = this.#read(at);
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  messages(field: number): Message[] {
    return this.#contents(field).map((bytes) => new Message(bytes, this.#origin));
  }

  /** The last message of this field, or an empty one. */
  message(field: number): Message {
    return this.messages(field).at(-1) ?? new Message(new Uint8Array(0), this.#origin);
  }

  texts(field: number): string[] {
    const utf8 = new TextDecoder();
    return this.#contents(field).map((bytes) => utf8.decode(bytes));
  }

  text(field: number): string {
    return this.texts(field).at(-1) ?? "";
  }

  /** Signed whole numbers, packed or one by one. */
  integers(field: number): number[] {
    const all: number[] = [];
    for (const { wire, from, to, value } of this.#fields.get(field) ?? []) {
      if (wire === VARIANT) all.push(value);
      else {
        this.#check(wire === BYTES, from);
        for (let at = from; at < to; ) {
          const next = this.#integer(at, to);
          all.push(next.value);
          at = next.at;
        }
      }
    }
    return all;
  }

  integer(field: number): number | undefined {
    return this.integers(field).at(-1);
  }

  /** Numbers of four bytes each, packed or one by one. */
  floats(field: number): number[] {
    return this.#numbers(field, FOUR_BYTES, 4, (at) => this.#view.getFloat32(at, true));
  }

  /** Numbers of eight bytes each, packed or one by one. */
  doubles(field: number): number[] {
    return this.#numbers(field, EIGHT_BYTES, 8, (at) => this.#view.getFloat64(at, true));
  }

  /** Bytes of the field's last value. */
  bytes(field: number): Uint8Array {
    return this.#contents(field).at(-1) ?? new Uint8Array(0);
  }

  #numbers(field: number, single: number, size: number, read: (at: number) => number): number[] {
    const all: number[] = [];
    for (const { wire, from, to } of this.#fields.get(field) ?? []) {
      this.#check((wire === single || wire === BYTES) && (to - from) % size === 0, from);
      for (let at = from; at < to; at += size) all.push(read(at));
    }
    return all;
  }

  #contents(field: number): Uint8Array[] {
    return (this.#fields.get(field) ?? []).map(({ wire, from, to }) => {
      this.#check(wire === BYTES, from);
      return this.#bytes.subarray(from, to);
    });
  }

  /** Reads the field at a position, and returns the position after it. */
  #read(at: number): number {
    const end = this.#bytes.length;
    const tag = this.#integer(at, end);
    const [field, wire] = [Math.floor(tag.value / 8), tag.value & 7];
    this.#check(field > 0 && field < 2 ** 29, at);
    let [from, to, value] = [tag.at, tag.at, 0];
    if (wire === VARIANT) ({ value, at: to } = this.#integer(from, end));
    else if (wire === BYTES) {
      const length = this.#integer(from, end);
      this.#check(length.value >= 0, from);
      from = length.at;
      to = from + length.value;
    } else if (wire === EIGHT_BYTES) to = from + 8;
    else if (wire === FOUR_BYTES) to = from + 4;
    else throw damaged(this.#origin, `has a field of the unknown kind ${wire}`);
    this.#check(to <= end, from);
    const own = this.#fields.get(field);
    if (own) own.push({ wire, from, to, value });
    else this.#fields.set(field, [{ wire, from, to, value }]);
    return to;
  }

  /** Reads an integer of up to ten bytes. */
  #integer(from: number, end: number): { value: number; at: number } {
    let low = 0;
    let wide: bigint | undefined;
    for (let at = from, bits = 0; at < end && bits < 70; at++, bits += 7) {
      const byte = this.#bytes[at];
      if (bits < 28) low += (byte & 127) * 2 ** bits;
      else wide = (wide ?? BigInt(low)) | (BigInt(byte & 127) << BigInt(bits));
      if (byte < 128) return { value: wide === undefined ? low : Number(BigInt.asIntN(64, wide)), at: at + 1 };
    }
    throw damaged(this.#origin, "ends within a number");
  }

  #check(holds: boolean, at: number): void {
    checkPart(this.#origin, holds, `has a field at byte ${at} of its message that does not fit`);
  }
}
