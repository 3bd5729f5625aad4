import { ErgodicError } from "ergodic/data";
import { type FaultCode, fault, show } from "../fault.ts";
import { shown, wholeText } from "../lines.ts";
import { parseNumber } from "../number.ts";
import type { ByteSource } from "../source.ts";

const LF = 10;

/**
 * Reads white-space separated tokens of a text one after another, with their positions. Optionally, # begins a comment.
 */
export class Tokens {
  readonly file: string;
  readonly bytes: Uint8Array;
  private readonly comments: boolean;
  private start = 0;
  private end = 0;

  constructor(file: string, bytes: Uint8Array, { comments = false } = {}) {
    this.file = file;
    this.bytes = bytes;
    this.comments = comments;
  }

  static async of(source: ByteSource, options: { comments?: boolean } = {}): Promise<Tokens> {
    return new Tokens(source.name, await wholeText(source), options);
  }

  /** Number of bytes left, which bounds the rest of the file's content. */
  get left(): number {
    return this.bytes.length - this.end;
  }

  /** Moves to the next token; returns false if there is none. */
  next(): boolean {
    const { bytes } = this;
    let i = this.end;
    for (;;) {
      while (i < bytes.length && bytes[i] <= 32) i++;
      if (!this.comments || bytes[i] !== 35) break;
      while (i < bytes.length && bytes[i] !== LF) i++;
    }
    this.start = i;
    while (i < bytes.length && bytes[i] > 32) i++;
    this.end = i;
    return this.start < i;
  }

  /** Returns the next token as a string. At the end of the file, throws an error that names what was expected. */
  word(wanted: string): string {
    if (!this.next()) throw this.ended(wanted);
    return this.text();
  }

  /** Returns the next token as a whole number within [low, high]. */
  whole(wanted: string, low: number, high = Number.MAX_SAFE_INTEGER): number {
    const value = this.real(wanted);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    const range = high < Number.MAX_SAFE_INTEGER ? `from ${low} to ${high}` : `>= ${low}`;
    throw this.fault(`${wanted} is ${show(this.text())}, but must be a whole number ${range}; correct it`, "DATA_PARSE");
  }

  /** Returns the next token as a number; NaN if it is not one. */
  real(wanted: string): number {
    if (!this.next()) throw this.ended(wanted);
    return parseNumber(this.bytes, this.start, this.end);
  }

  /** Returns the next token as an entry of a table: finite and ≥ 0. */
  entry(wanted: string): number {
    const value = this.real(wanted);
    if (value >= 0 && value < Infinity) return value;
    throw this.fault(`${wanted} is ${show(this.text())}, but must be a number >= 0; correct it`, "DATA_PARSE");
  }

  /**
   * Returns the next token as a count of items, each of at least two bytes. A count that exceeds the file's capacity is
   * refused before memory is allocated.
   */
  count(wanted: string, low: number): number {
    const count = this.whole(wanted, low);
    if (count > this.left) {
      const text = show(this.text());
      throw this.fault(
        `${wanted} is ${text}, but only ${this.left} bytes follow; the file is cut short, or the number wrong`,
        "DATA_TRUNCATED",
      );
    }
    return count;
  }

  /** Checks that no token follows. */
  finish(what: string): void {
    if (this.next())
      throw this.fault(`${show(this.text())} follows ${what}; remove it, or correct the counts above`, "DATA_PARSE");
  }

  text(): string {
    return shown(this.bytes.subarray(this.start, this.end));
  }

  /** Makes an error at the token. */
  fault(message: string, code: FaultCode): Error {
    return this.faultAt(this.start, message, code);
  }

  faultAt(at: number, message: string, code: FaultCode): Error {
    let line = 1;
    let lineStart = 0;
    for (let i = this.bytes.indexOf(LF); i >= 0 && i < at; i = this.bytes.indexOf(LF, i + 1)) {
      line++;
      lineStart = i + 1;
    }
    return fault(this.file, line, at - lineStart + 1, message, code);
  }

  private ended(wanted: string): Error {
    return this.faultAt(
      this.bytes.length,
      `the file ends where ${wanted} was expected; fetch or write it again`,
      "DATA_TRUNCATED",
    );
  }

  /** Adds the token's position to an error of the graph. */
  at<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof ErgodicError) || error.code === "MEMORY_LIMIT") throw error;
      throw this.fault(error.said, "DATA_PARSE");
    }
  }
}

/**
 * Number of entries that a file's tables may have for zeros and defaults, in addition to the entries written in the
 * file.
 */
export class Allowance {
  private left: number;

  constructor(byteLength: number) {
    this.left = 2 ** 20 + 64 * byteLength;
  }

  /** Reserves room for the given number of additional entries. Returns false if there is not enough room. */
  take(entries: number): boolean {
    if (!(entries <= this.left)) return false;
    this.left -= entries;
    return true;
  }
}

/** Returns the number of entries of a table with these numbers of states; ∞ beyond exact integers. */
export function entriesOf(counts: readonly number[]): number {
  const size = counts.reduce((product, count) => product * count, 1);
  return Number.isSafeInteger(size) ? size : Infinity;
}
