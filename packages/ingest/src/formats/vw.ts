import { checkNumber, murmur3 } from "ergodic/data";
import { commentMark, commentTest } from "../comment.ts";
import { fault, show } from "../fault.ts";
import { shown } from "../lines.ts";
import { parseNumber, roundedAdvice, wasRounded } from "../number.ts";
import type { SparseBuilder } from "../sparse-builder.ts";
import type { LineParser, SparseDecoder, SparseOptions } from "../sparse-rows.ts";
import { sparse } from "./format.ts";

/** Options of Vowpal Wabbit text. */
export interface VwOptions extends Omit<SparseOptions, "columnCount"> {
  /** Number of bits of the hash, which gives 2^bits columns. Default 18, as in VW. */
  bits?: number;
  /** Mark of comment lines, such as "#". Lines that begin with it are not read. Default: there are none. */
  comment?: string;
}

export const vwKeys = ["target", "bits", "comment"];

/**
 * Converts Vowpal Wabbit text to sparse rows, with names hashed to columns: `[label [importance]]
 * ['tag]|namespace[:scale] name[:value] … |…`.
 *
 * column(name) = hash(name, hash(namespace, 0)) mod 2^bits, with MurmurHash3 (x86, 32 bits) over UTF-8, as VW's `--hash
 * strings`. The empty namespace hashes to 0. A name that consists only of digits is not hashed: its number is added to
 * the namespace's hash. If values of one row collide in a column, they are added. Each value is multiplied by the scale
 * of its namespace, and zeros are omitted. VW's constant feature is not added, because a model has its own intercept. A
 * tag follows a blank or begins with '. As in VW, the last word before the bar is also a tag if no blank separates it
 * from the bar.
 *
 * @throws DataError DATA_PARSE, DATA_TYPE, DATA_UNSUPPORTED (initial predictions, other label types), DATA_EMPTY;
 * OptionError
 */
export const vw: SparseDecoder<VwOptions> = { parser: (builder, options) => new VwParser(builder, options) };

const LF = 10;
const COLON = 58;
const BAR = 124;
const QUOTE = 39;
/**
 * Largest number of features per row. A column and its position in the row are packed into one exact float64, with 31 +
 * 22 bits.
 */
const places = 2 ** 22;

class VwParser implements LineParser {
  readonly columnCount: number;
  readonly #builder: SparseBuilder;
  readonly #mask: number;
  readonly #labelOptional: boolean;
  readonly #isComment: (bytes: Uint8Array, start: number) => boolean;
  #line = 0;
  #lineStart = 0;
  #count = 0;
  #keys = new Float64Array(256);
  #values = new Float64Array(256);

  constructor(builder: SparseBuilder, { bits = 18, target, comment }: VwOptions) {
    checkNumber("readVw", "bits", bits, { low: 1, high: 30, integer: true });
    this.#builder = builder;
    builder.hashed = true;
    this.columnCount = 2 ** bits;
    this.#mask = this.columnCount - 1;
    this.#labelOptional = target === false;
    this.#isComment = commentTest(comment, builder);
  }

  /** Largest number of entries. Every feature takes at least two bytes: " a". */
  mostEntries(byteCount: number): number {
    return (byteCount >> 1) + 1;
  }

  line(bytes: Uint8Array, start: number): number {
    this.#line++;
    this.#lineStart = start;
    const found = bytes.indexOf(LF, start);
    const end = found < 0 ? bytes.length : found;
    let stop = end;
    while (stop > start && bytes[stop - 1] <= 32) stop--;
    if (stop > start && !this.#isComment(bytes, start)) this.#row(bytes, start, stop);
    return end + 1;
  }

  #row(bytes: Uint8Array, start: number, end: number): void {
    let bar = bytes.indexOf(BAR, start);
    if (bar < 0 || bar >= end) {
      const text = shown(bytes.subarray(start, end));
      const mark = commentMark(text);
      const advice =
        mark === undefined
          ? 'write it before the features: "1 | a b:0.5"'
          : `pass comment: ${show(mark)} if lines that begin with it are comments`;
      throw this.#fault(start, `the line ${show(text)} has no "|"; ${advice}`, "DATA_PARSE");
    }
    const { label, weight } = this.#head(bytes, start, bar);
    this.#count = 0;
    while (bar < end) {
      const next = bytes.indexOf(BAR, bar + 1);
      const stop = next < 0 || next > end ? end : next;
      this.#namespace(bytes, bar + 1, stop);
      bar = stop;
    }
    this.#close(label, weight);
  }

  #head(bytes: Uint8Array, start: number, bar: number): { label: number; weight: number } {
    const words = this.#words(bytes, start, bar);
    const last = words.at(-1);
    const tagged = last !== undefined && (last.end === bar || bytes[last.start] === QUOTE);
    if (tagged) words.pop();
    if (words.length === 0) {
      if (this.#labelOptional) return { label: NaN, weight: 1 };
      const tag = tagged
        ? `; ${show(shown(bytes.subarray(last.start, last.end)))} touches the "|" or opens with ', so it is read as a tag: put a blank between them`
        : "";
      throw this.#fault(
        start,
        `the line has no label${tag}${tag ? "" : "; put the target first"}, or pass target: false for rows without one`,
        "DATA_PARSE",
      );
    }
    if (words.length > 2) {
      const text = show(shown(bytes.subarray(words[2].start, words[2].end)));
      throw this.#fault(
        words[2].start,
        `${text} follows label and importance: initial predictions and other kinds of label are not supported; remove it`,
        "DATA_UNSUPPORTED",
      );
    }
    const { start: from, end } = words[0];
    const label = parseNumber(bytes, from, end);
    const isRounded = wasRounded(label, bytes, from, end);
    if (label - label !== 0 || isRounded) {
      const wrong = isRounded ? roundedAdvice : "is not a finite number; write one number, -1 and +1 for two classes";
      throw this.#fault(from, `the label ${show(shown(bytes.subarray(from, end)))} ${wrong}`, "DATA_TYPE");
    }
    const weight = words.length < 2 ? 1 : parseNumber(bytes, words[1].start, words[1].end);
    if (!(weight >= 0 && weight < Infinity))
      throw this.#fault(
        words[1].start,
        `the importance ${show(shown(bytes.subarray(words[1].start, words[1].end)))} is not a number >= 0; correct it, or put ' before a tag`,
        "DATA_TYPE",
      );
    return { label, weight };
  }

  #words(bytes: Uint8Array, start: number, end: number): { start: number; end: number }[] {
    const words = [];
    for (let i = start; i < end; ) {
      while (i < end && bytes[i] <= 32) i++;
      const from = i;
      while (i < end && bytes[i] > 32) i++;
      if (i > from) words.push({ start: from, end: i });
    }
    return words;
  }

  /** Reads one namespace, "|…": its name if no blank follows the bar, and then its features. */
  #namespace(bytes: Uint8Array, start: number, end: number): void {
    let i = start;
    let seed = 0;
    let scale = 1;
    let from = i;
    while (i < end && bytes[i] > 32) i++;
    if (i > from) {
      const colon = colonIn(bytes, from, i);
      if (colon > from) seed = hash(bytes, from, colon, 0);
      if (colon < i) scale = this.#number(bytes, from, colon, i);
    }
    for (;;) {
      while (i < end && bytes[i] <= 32) i++;
      if (i >= end) return;
      from = i;
      while (i < end && bytes[i] > 32) i++;
      const colon = colonIn(bytes, from, i);
      if (colon === from)
        throw this.#fault(
          from,
          `${show(shown(bytes.subarray(from, i)))} has no name before the colon; write name:value`,
          "DATA_PARSE",
        );
      const value = colon < i ? this.#number(bytes, from, colon, i) : 1;
      this.#put(hash(bytes, from, colon, seed) & this.#mask, value * scale);
    }
  }

  #number(bytes: Uint8Array, start: number, colon: number, end: number): number {
    const value = parseNumber(bytes, colon + 1, end);
    const isRounded = wasRounded(value, bytes, colon + 1, end);
    if (value - value === 0 && !isRounded) return value;
    const name = show(shown(bytes.subarray(start, colon)));
    const wrong = isRounded ? roundedAdvice : "is not a finite number; correct it, or leave the feature out";
    throw this.#fault(colon + 1, `the value ${show(shown(bytes.subarray(colon + 1, end)))} of ${name} ${wrong}`, "DATA_TYPE");
  }

  #put(column: number, value: number): void {
    if (value === 0) return;
    if (this.#count === this.#values.length) {
      if (this.#count === places)
        throw this.#fault(this.#lineStart, `more than ${places} features in one line; split it`, "DATA_UNSUPPORTED");
      const keys = new Float64Array(2 * this.#count);
      keys.set(this.#keys);
      const values = new Float64Array(2 * this.#count);
      values.set(this.#values);
      this.#keys = keys;
      this.#values = values;
    }
    this.#keys[this.#count] = column * places + this.#count;
    this.#values[this.#count++] = value;
  }

  /** Sorts the row by column, adds values that collide, and passes it on. */
  #close(label: number, weight: number): void {
    const builder = this.#builder;
    const { columnIndex, values } = builder;
    const keys = this.#keys.subarray(0, this.#count).sort();
    let entry = builder.entryCount - 1;
    let last = -1;
    for (const key of keys) {
      const column = Math.floor(key / places);
      const value = this.#values[key - column * places];
      if (column === last) values[entry] += value;
      else {
        columnIndex[++entry] = last = column;
        values[entry] = value;
      }
    }
    builder.endRow(label, weight, entry + 1);
  }

  #fault(at: number, message: string, code: Parameters<typeof fault>[4]): Error {
    return fault(this.#builder.file, this.#line, at - this.#lineStart + 1, message, code);
  }
}

/** Returns the first colon in the range, or the end of the range if there is none. */
function colonIn(bytes: Uint8Array, start: number, end: number): number {
  while (start < end && bytes[start] !== COLON) start++;
  return start;
}

/** VW's `hashstring`. If a name consists only of digits, its hash is the number plus the seed. */
function hash(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) return murmur3(bytes, start, end, seed);
    number = (Math.imul(number, 10) + digit) | 0;
  }
  return (number + seed) >>> 0;
}

export const vwFormat = sparse(vw, vwKeys);
