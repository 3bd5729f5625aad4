import { checkNumber, OptionError } from "ergodic/data";
import { commentMark, commentTest } from "../comment.ts";
import { fault, show, told } from "../fault.ts";
import { shown } from "../lines.ts";
import { parseNumber, roundedAdvice, wasRounded } from "../number.ts";
import type { SparseBuilder } from "../sparse-builder.ts";
import type { LineParser, SparseDecoder, SparseOptions } from "../sparse-rows.ts";
import { sparse } from "./format.ts";

/** Options of LIBSVM files. */
export interface LibsvmOptions extends SparseOptions {
  /** Index of the first column in the file. Default 1. */
  firstIndex?: 0 | 1;
  /** Treatment of query groups, which occur in ranking data. Default "refuse". */
  qid?: "refuse" | "ignore";
  /**
   * Mark of comment lines. Lines that begin with it are not read. By default, only # marks a comment, and it can do so
   * anywhere in a line.
   */
  comment?: string;
}

export const libsvmKeys = ["columnCount", "target", "firstIndex", "qid", "comment"];

/**
 * Converts LIBSVM and SVMlight text to sparse rows: `label [qid:q] index:value … [# comment]`, with ascending indices
 * from 1 (or from 0 on request).
 *
 * A label is any number: −1/+1, a class, a real. The text is parsed byte by byte in one pass, without creating strings.
 *
 * @throws DataError DATA_PARSE, DATA_TYPE, DATA_INDEX, DATA_UNSUPPORTED (qid), DATA_EMPTY; OptionError
 */
export const libsvm: SparseDecoder<LibsvmOptions> = { parser: (builder, options) => new LibsvmParser(builder, options) };

const LF = 10;
const HASH = 35;
const COLON = 58;
const largestIndex = 2 ** 31 - 2;

class LibsvmParser implements LineParser {
  columnCount: number;
  readonly #builder: SparseBuilder;
  readonly #fixedCount: number;
  readonly #first: number;
  readonly #labelOptional: boolean;
  readonly #ignoreQid: boolean;
  readonly #isComment: (bytes: Uint8Array, start: number) => boolean;
  #line = 0;
  #lineStart = 0;

  constructor(builder: SparseBuilder, { columnCount, target, firstIndex = 1, qid = "refuse", comment }: LibsvmOptions) {
    if (columnCount !== undefined)
      checkNumber("readLibsvm", "columnCount", columnCount, { low: 0, high: largestIndex, integer: true });
    checkNumber("readLibsvm", "firstIndex", firstIndex, { low: 0, high: 1, integer: true });
    if (qid !== "refuse" && qid !== "ignore")
      throw new OptionError("readLibsvm", `qid is ${told(qid)}, but must be "refuse" or "ignore"`, "OPTION_RANGE");
    this.#builder = builder;
    this.columnCount = columnCount ?? 0;
    this.#fixedCount = columnCount ?? largestIndex;
    this.#first = firstIndex;
    this.#labelOptional = target === false;
    this.#ignoreQid = qid === "ignore";
    this.#isComment = commentTest(comment, builder);
  }

  /** Largest number of entries. Every entry takes at least four bytes: " 1:1". */
  mostEntries(byteCount: number): number {
    return (byteCount >> 2) + 1;
  }

  line(bytes: Uint8Array, start: number): number {
    this.#line++;
    this.#lineStart = start;
    const length = bytes.length;
    let i = skipBlanks(bytes, start);
    if (!this.#isComment(bytes, start) && i < length && bytes[i] !== LF && bytes[i] !== HASH) {
      const labelEnd = tokenEnd(bytes, i);
      const target = this.#label(bytes, i, labelEnd);
      i = this.#entries(bytes, target === undefined ? i : labelEnd, target ?? NaN);
    }
    while (i < length && bytes[i] !== LF) i++; // a comment
    return i + 1;
  }

  /** Returns the label in this token. Returns undefined if labels are optional and the line has no label. */
  #label(bytes: Uint8Array, start: number, end: number): number | undefined {
    const value = parseNumber(bytes, start, end);
    const finite = value - value === 0;
    if (finite && !wasRounded(value, bytes, start, end)) return value;
    const text = show(shown(bytes.subarray(start, end)));
    if (finite) throw this.#fault(start, `the label ${text} ${roundedAdvice}`, "DATA_TYPE");
    if (bytes.subarray(start, end).includes(COLON)) {
      if (this.#labelOptional) return undefined;
      throw this.#fault(
        start,
        `the line begins with ${text} and has no label; put the target first, or pass target: false for rows without one`,
        "DATA_PARSE",
      );
    }
    const mark = start === this.#lineStart ? commentMark(shown(bytes.subarray(start, end))) : undefined;
    const advice =
      mark === undefined
        ? "write classes as numbers (-1 and +1, or 0, 1, 2 …)"
        : `pass comment: ${show(mark)} if lines that begin with it are comments`;
    throw this.#fault(start, `the label ${text} is not a finite number; ${advice}`, "DATA_TYPE");
  }

  /** Reads index:value pairs up to the end of the line or a comment, and closes the row. */
  #entries(bytes: Uint8Array, at: number, target: number): number {
    const builder = this.#builder;
    const { columnIndex, values } = builder;
    const length = bytes.length;
    const first = this.#first;
    let entry = builder.entryCount;
    let previous = first - 1;
    let i = at;
    for (;;) {
      while (i < length && bytes[i] <= 32 && bytes[i] !== LF) i++;
      if (i >= length || bytes[i] === LF || bytes[i] === HASH) break;
      const start = i;
      let index = 0;
      let digit = bytes[i] - 48;
      while (digit >= 0 && digit <= 9 && i < length) {
        index = index * 10 + digit;
        digit = bytes[++i] - 48;
      }
      if (i === start || bytes[i] !== COLON || i >= length) {
        i = this.#notEntry(bytes, start);
        continue;
      }
      if (index <= previous || index - first >= this.#fixedCount) throw this.#badIndex(bytes, start, index, previous);
      i++;
      // Most values have only one digit and need no number parser.
      let value = bytes[i] - 48;
      if (value >= 0 && value <= 9 && (i + 1 >= length || bytes[i + 1] <= 32)) i++;
      else {
        const end = tokenEnd(bytes, i);
        value = parseNumber(bytes, i, end);
        if (value - value !== 0 || wasRounded(value, bytes, i, end)) throw this.#badValue(bytes, i, end, index);
        i = end;
      }
      columnIndex[entry] = index - first;
      values[entry++] = value;
      previous = index;
    }
    if (previous >= first && previous - first >= this.columnCount) this.columnCount = previous - first + 1;
    builder.endRow(target, 1, entry);
    return i;
  }

  /** Handles a token other than index:value. Skips a query group, and throws for anything else. Returns its end. */
  #notEntry(bytes: Uint8Array, start: number): number {
    const end = tokenEnd(bytes, start);
    const text = shown(bytes.subarray(start, end));
    if (text.startsWith("qid:")) {
      if (this.#ignoreQid) return end;
      throw this.#fault(
        start,
        `${show(text)} groups rows for ranking, which is not supported; pass qid: "ignore" to read the rows without it`,
        "DATA_UNSUPPORTED",
      );
    }
    const colon = text.indexOf(":");
    if (colon < 0)
      throw this.#fault(start, `${show(text)} is not index:value; write a feature as 3:0.5, and a comment after #`, "DATA_PARSE");
    throw this.#fault(
      start,
      `the index ${show(text.slice(0, colon))} in ${show(text)} is not a whole number; name columns by their number`,
      "DATA_INDEX",
    );
  }

  #badIndex(bytes: Uint8Array, start: number, index: number, previous: number): Error {
    const text = show(shown(bytes.subarray(start, tokenEnd(bytes, start))));
    const first = this.#first;
    if (index < first)
      return this.#fault(
        start,
        `index 0 in ${text}, but columns count from 1; pass firstIndex: 0 if this file counts from 0`,
        "DATA_INDEX",
      );
    if (index <= previous) {
      return this.#fault(
        start,
        `index ${index} in ${text} follows ${previous}, but indices must ascend; sort the line${index === previous ? " and drop the repeated one" : ""}`,
        "DATA_INDEX",
      );
    }
    const last = this.#fixedCount - 1 + first;
    return this.#fault(
      start,
      `index ${index} in ${text} is beyond the last column, ${last}; raise columnCount, or correct the line`,
      "DATA_INDEX",
    );
  }

  #badValue(bytes: Uint8Array, start: number, end: number, index: number): Error {
    const text = show(shown(bytes.subarray(start, end)));
    const finite = Number.isFinite(parseNumber(bytes, start, end));
    const wrong = finite ? roundedAdvice : "is not a finite number; correct it, or leave the entry out";
    return this.#fault(start, `the value ${text} of index ${index} ${wrong}`, "DATA_TYPE");
  }

  #fault(at: number, message: string, code: Parameters<typeof fault>[4]): Error {
    return fault(this.#builder.file, this.#line, at - this.#lineStart + 1, message, code);
  }
}

function skipBlanks(bytes: Uint8Array, i: number): number {
  while (i < bytes.length && bytes[i] <= 32 && bytes[i] !== LF) i++;
  return i;
}

/** Returns the end of a token, which is a blank or a line end. */
function tokenEnd(bytes: Uint8Array, i: number): number {
  while (i < bytes.length && bytes[i] > 32) i++;
  return i;
}

export const libsvmFormat = sparse(libsvm, libsvmKeys);
