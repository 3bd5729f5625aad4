/**
 * Reads UBJSON: values with a type marker of one byte, big-endian numbers, and arrays and objects with an optional
 * element type and count. Typed arrays of numbers become Float64Array. Source: ubjson.org, Draft 12.
 */

import { checkPart, damaged, type Origin } from "./faults.ts";

/** Deepest nesting of a file. */
const DEEPEST = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });

type Read = (view: DataView, at: number) => number;

/** Bytes and readers of the types of numbers. */
const numbers: Readonly<Record<string, readonly [bytes: number, read: Read]>> = {
  i: [1, (view, at) => view.getInt8(at)],
  U: [1, (view, at) => view.getUint8(at)],
  I: [2, (view, at) => view.getInt16(at)],
  l: [4, (view, at) => view.getInt32(at)],
  L: [8, (view, at) => Number(view.getBigInt64(at))],
  d: [4, (view, at) => view.getFloat32(at)],
  D: [8, (view, at) => view.getFloat64(at)],
};

const words: Readonly<Record<string, unknown>> = { Z: null, T: true, F: false };

/** Returns the value in the file. @throws DataError for damaged files */
export function readUbjson(bytes: Uint8Array, origin: Origin): unknown {
  const reader = new Reader(bytes, origin);
  const value = reader.value(reader.marker(), 0);
  reader.end();
  return value;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #origin: Origin;
  #at = 0;

  constructor(bytes: Uint8Array, origin: Origin) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#origin = origin;
  }

  end(): void {
    checkPart(this.#origin, this.#at === this.#bytes.length, `ends at byte ${this.#at}, but has ${this.#bytes.length} bytes`);
  }

  marker(): string {
    let marker = "N";
    while (marker === "N") marker = String.fromCharCode(this.#bytes[this.#take(1)]);
    return marker;
  }

  value(marker: string, depth: number): unknown {
    checkPart(this.#origin, depth <= DEEPEST, `is nested more than ${DEEPEST} levels deep`);
    if (Object.hasOwn(words, marker)) return words[marker];
    if (Object.hasOwn(numbers, marker)) return this.#number(marker);
    if (marker === "S" || marker === "H") return this.#text();
    if (marker === "C") return String.fromCharCode(this.#bytes[this.#take(1)]);
    if (marker === "[") return this.#array(depth);
    if (marker === "{") return this.#object(depth);
    throw damaged(this.#origin, `has an unknown marker ${JSON.stringify(marker)} at byte ${this.#at - 1}`);
  }

  #take(count: number): number {
    const from = this.#at;
    checkPart(this.#origin, count <= this.#bytes.length - from, `ends at byte ${this.#bytes.length}, within a value`);
    this.#at += count;
    return from;
  }

  #number(marker: string): number {
    const [bytes, read] = numbers[marker];
    return read(this.#view, this.#take(bytes));
  }

  /** A count of elements. Each element takes a byte or more, so that a short file cannot claim many elements. */
  #count(): number {
    const marker = this.marker();
    const count = Object.hasOwn(numbers, marker) ? this.#number(marker) : Number.NaN;
    const fits = Number.isInteger(count) && count >= 0 && count <= this.#bytes.length - this.#at;
    checkPart(this.#origin, fits, `has a count of ${count} at byte ${this.#at}, more than the file holds`);
    return count;
  }

  #text(): string {
    const length = this.#count();
    const from = this.#take(length);
    try {
      return utf8.decode(this.#bytes.subarray(from, from + length));
    } catch {
      throw damaged(this.#origin, `has a string at byte ${from} that is not UTF-8`);
    }
  }

  /** Reads the type and the count that can follow the beginning of an array or an object. */
  #head(): { type?: string; count?: number } {
    const peek = (): string => String.fromCharCode(this.#bytes[this.#at] ?? 0);
    let type: string | undefined;
    if (peek() === "$") {
      this.#take(1);
      type = String.fromCharCode(this.#bytes[this.#take(1)]);
      checkPart(this.#origin, peek() === "#", `has a type without a count at byte ${this.#at}`);
    }
    if (peek() !== "#") return {};
    this.#take(1);
    const count = this.#count();
    return type === undefined ? { count } : { type, count };
  }

  #array(depth: number): unknown {
    const { type, count } = this.#head();
    if (type !== undefined && Object.hasOwn(numbers, type)) {
      const [bytes, read] = numbers[type];
      const from = this.#take(count! * bytes);
      return Float64Array.from({ length: count! }, (_, k) => read(this.#view, from + k * bytes));
    }
    const list: unknown[] = [];
    for (let k = 0; count === undefined || k < count; k++) {
      const marker = type ?? this.marker();
      if (count === undefined && marker === "]") break;
      list.push(this.value(marker, depth + 1));
    }
    return list;
  }

  #object(depth: number): unknown {
    const { type, count } = this.#head();
    const entries: [string, unknown][] = [];
    for (let k = 0; count === undefined || k < count; k++) {
      if (count === undefined && String.fromCharCode(this.#bytes[this.#at] ?? 0) === "}") {
        this.#take(1);
        break;
      }
      const name = this.#text();
      entries.push([name, this.value(type ?? this.marker(), depth + 1)]);
    }
    return Object.fromEntries(entries);
  }
}
