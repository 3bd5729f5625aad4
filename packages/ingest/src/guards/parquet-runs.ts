/**
 * Visits the runs and deltas in Parquet pages without storing them.
 *
 * Source: Encodings.md of Apache Parquet, "RLE/bit-packing hybrid", "Delta encoding", "Delta strings".
 *
 * @throws Error with a description
 */
import { readVarint } from "./parquet-thrift.ts";

/** Largest total length of strings that share prefixes. */
const mostTextBytes = 1 << 28;
const BEYOND = "a text goes beyond its page";

/**
 * Checks `values` numbers of `width` bits. Each number must be below `limit`, and no run may extend beyond the last
 * number. `ones`: number of ones, if the width is 1.
 */
export function checkRuns(
  bytes: Uint8Array,
  at: number,
  end: number,
  width: number,
  values: number,
  limit = Infinity,
): { ones: number } {
  const any = limit >= 2 ** width;
  let ones = 0;
  for (let seen = 0; seen < values; ) {
    const head = readVarint(bytes, at, end, 31);
    at = head.end;
    if (head.value % 2 === 1) {
      const packed = 8 * ((head.value - 1) / 2);
      const taken = Math.min(packed, values - seen);
      // Writers pad the last group, and some pad a block of groups. The bytes can also end with the values.
      const room = width === 0 ? values - seen + 7 : 8 * (bytes.length - at + 1);
      if (packed > room || at + Math.ceil((taken * width) / 8) > end)
        throw new Error(`a run of ${packed} values goes beyond its page`);
      if (width === 1) for (let i = 0; i < taken; i++) ones += (bytes[at + (i >> 3)] >> (i & 7)) & 1;
      if (!any) for (let i = 0; i < taken; i++) checkPlace(bitsAt(bytes, 8 * at + i * width, width), limit);
      at += (packed * width) / 8;
      seen += taken;
    } else {
      const run = head.value / 2;
      if (run > values - seen) throw new Error(`a run of ${run} values where ${values - seen} are left`);
      if (at + Math.ceil(width / 8) > end) throw new Error("a run goes beyond its page");
      if (width === 1 && bytes[at] === 1) ones += run;
      if (!any && run > 0) checkPlace(bitsAt(bytes, 8 * at, 8 * Math.ceil(width / 8)), limit);
      at += Math.ceil(width / 8);
      seen += run;
    }
  }
  return { ones };
}

function checkPlace(place: number, limit: number): void {
  if (place < 0 || place >= limit) throw new Error(`a value has index ${place} in a dictionary of ${limit} values`);
}

/** Checks numbers stored as differences. Returns the numbers modulo 2^32, and the position at which they end. */
export function checkDeltas(bytes: Uint8Array, at: number, values: number): { numbers: Int32Array; end: number } {
  const { length } = bytes;
  const number = (bits: number): number => {
    const { value, end } = readVarint(bytes, at, length, bits);
    at = end;
    return value;
  };
  const block = number(31);
  const parts = number(31);
  const counted = number(31);
  // The check also fails if there are zero parts, or if a part does not contain a whole number of values.
  if (parts > 1 << 16 || (block / parts) % 8 !== 0 || counted !== values)
    throw new Error(`differences of ${counted} values in blocks of ${block} by ${parts}, where ${values} are left`);
  const numbers = new Int32Array(values);
  let last = low(number(64));
  numbers[0] = last;
  const each = block / parts;
  for (let seen = 1; seen < values; ) {
    const least = low(number(64));
    const bits = bytes.subarray(at, at + parts);
    at += parts;
    if (at > length || each === 0) throw new Error("differences go beyond their page");
    for (let p = 0; p < parts && seen < values; p++) {
      if (bits[p] > 64) throw new Error(`differences are ${bits[p]} bits wide`);
      const taken = Math.min(each, values - seen);
      if (at + Math.ceil((taken * bits[p]) / 8) > length) throw new Error("differences go beyond their page");
      for (let i = 0; i < taken; i++) numbers[seen++] = last = (last + least + bitsAt(bytes, 8 * at + i * bits[p], bits[p])) | 0;
      at += (each * bits[p]) / 8;
    }
  }
  return { numbers, end: at };
}

/** Checks strings, each of which is preceded by its length in four bytes. */
export function checkTexts(bytes: Uint8Array, at: number, values: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < values; i++) {
    if (at + 4 > bytes.length) throw new Error(BEYOND);
    at += 4 + view.getUint32(at, true);
    if (at > bytes.length) throw new Error(BEYOND);
  }
}

/** Checks strings that follow a list of all their lengths. */
export function checkDeltaLengths(bytes: Uint8Array, at: number, values: number): void {
  const { numbers, end } = checkDeltas(bytes, at, values);
  let room = bytes.length - end;
  for (const length of numbers) {
    room -= length;
    if (length < 0 || room < 0) throw new Error(BEYOND);
  }
}

/** Checks strings that are stored with the length of the prefix that they share with the previous string. */
export function checkDeltaTexts(bytes: Uint8Array, at: number, values: number): void {
  const shared = checkDeltas(bytes, at, values);
  const own = checkDeltas(bytes, shared.end, values);
  let before = 0;
  let all = 0;
  let room = bytes.length - own.end;
  for (let i = 0; i < values; i++) {
    const [first, rest] = [shared.numbers[i], own.numbers[i]];
    if (first < 0 || first > before) throw new Error("a text shares a longer prefix than the one before has");
    room -= rest;
    if (rest < 0 || room < 0) throw new Error(BEYOND);
    before = first + rest;
    all += before;
  }
  if (all > Math.max(mostTextBytes, 64 * bytes.length))
    throw new Error(`the texts of a page of ${bytes.length} bytes have ${all}`);
}

/** Zigzag, modulo 2^32. Large numbers are exact only below 2^53, but their upper bits do not matter here. */
function low(value: number): number {
  return (value % 2 === 0 ? value / 2 : -(value + 1) / 2) | 0;
}

/** Returns the lowest 32 of `width` bits. */
function bitsAt(bytes: Uint8Array, bit: number, width: number): number {
  const byte = bit >> 3;
  if (width <= 24) {
    const word = bytes[byte] | (bytes[byte + 1] << 8) | (bytes[byte + 2] << 16) | (bytes[byte + 3] << 24);
    return (word >>> (bit & 7)) & (2 ** width - 1);
  }
  let value = 0;
  for (let k = 0; k < Math.min(width, 32); k++) value |= ((bytes[(bit + k) >> 3] >> ((bit + k) & 7)) & 1) << k;
  return value;
}
