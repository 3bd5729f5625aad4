/**
 * CSV bytes → fields of one record after another, as byte ranges: no string is made unless somebody asks for one.
 *
 * RFC 4180 with these freedoms: records end with LF, CRLF or CR; blank lines are skipped; blanks around a field are dropped outside
 * quotes. A quote doubles inside quotes. Feed blocks of whole lines; a record whose quotes span blocks is kept and tried again when
 * the bytes at hand have doubled, so that the work stays linear.
 *
 * @throws DataError DATA_PARSE: quote not closed, text behind a closing quote, quote inside an unquoted field
 */
import { fault, show } from "./fault.ts";
import { decoded, shown } from "./lines.ts";
import { joined } from "./source.ts";

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;

export class CsvTokens {
  /** Fields of the record at hand: field i is bytes starts[i] … ends[i], without quotes. */
  count = 0;
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  bytes: Uint8Array = new Uint8Array(0);
  /** The line on which the record at hand begins. */
  line = 1;

  readonly #file: string;
  readonly #delimiter: number;
  readonly #quote: number;
  /** 1: the field holds doubled quotes. 2: it was quoted. */
  #marks = new Uint8Array(64);
  #at = 0;
  #recordStart = 0;
  #nextLine = 1;
  #final = false;
  #text = "";
  #ascii = true;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #triedBytes = 0;

  /** `quote`: -1 = none. */
  constructor(file: string, delimiter: number, quote: number) {
    this.#file = file;
    this.#delimiter = delimiter;
    this.#quote = quote;
  }

  feed(block: Uint8Array): void {
    this.#waiting.push(block);
    this.#waitingBytes += block.length;
    if (this.#waitingBytes >= 2 * this.#triedBytes) this.#load();
  }

  end(): void {
    this.#final = true;
    this.#load();
  }

  #load(): void {
    this.bytes = joined(...this.#waiting);
    this.#text = decoded(this.#file, this.bytes, this.#nextLine);
    this.#ascii = this.#text.length === this.bytes.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#triedBytes = 0;
    this.#at = 0;
  }

  /** Moves to the next record; false = feed more, or the end. */
  next(): boolean {
    for (;;) {
      if (this.#at >= this.bytes.length) return false;
      this.#recordStart = this.#at;
      this.line = this.#nextLine;
      if (!this.#record()) return this.#wait();
      const blank = this.count === 1 && this.starts[0] === this.ends[0] && this.#marks[0] === 0;
      if (!blank) return true;
    }
  }

  /** The record runs beyond the bytes at hand. */
  #wait(): false {
    const rest = this.bytes.subarray(this.#recordStart);
    this.#waiting = [rest];
    this.#waitingBytes = this.#triedBytes = rest.length;
    this.#nextLine = this.line;
    this.bytes = new Uint8Array(0);
    this.#at = 0;
    return false;
  }

  #record(): boolean {
    const bytes = this.bytes;
    const length = bytes.length;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    let i = this.#at;
    for (let field = 0; ; field++) {
      if (field === this.starts.length) this.#widen();
      while (i < length && (bytes[i] === SPACE || bytes[i] === TAB) && bytes[i] !== delimiter) i++;
      let byte = bytes[i];
      if (byte === quote && i < length) {
        i = this.#quoted(i, field);
        if (i < 0) return false;
        byte = bytes[i];
      } else {
        this.starts[field] = i;
        this.#marks[field] = 0;
        for (; i < length; i++) {
          byte = bytes[i];
          if (byte === delimiter || byte === LF || byte === CR) break;
          if (byte === quote) this.#strayQuote(field, i);
        }
        let end = i;
        while (end > this.starts[field] && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end--;
        this.ends[field] = end;
      }
      if (i < length && byte === delimiter) {
        i++;
        continue;
      }
      this.count = field + 1;
      if (i < length) {
        i += byte === CR && bytes[i + 1] === LF ? 2 : 1;
        this.#nextLine++;
      }
      this.#at = i;
      return true;
    }
  }

  /** Reads a quoted field from its opening quote; returns the place behind it, or −1 for "needs more". */
  #quoted(open: number, field: number): number {
    const bytes = this.bytes;
    const length = bytes.length;
    const quote = this.#quote;
    const openLine = this.#nextLine;
    let mark = 2;
    let i = open + 1;
    for (; ; i++) {
      if (i >= length) {
        if (!this.#final) return -1;
        const text = show(firstLine(bytes.subarray(open, open + 60)));
        throw fault(
          this.#file,
          openLine,
          field + 1,
          `the quote that opens ${text} is never closed; close it, double a quote that belongs to the text, or pass quote: ""`,
          "DATA_PARSE",
        );
      }
      const byte = bytes[i];
      if (byte === LF || (byte === CR && bytes[i + 1] !== LF)) this.#nextLine++;
      if (byte !== quote) continue;
      if (bytes[i + 1] !== quote || i + 1 >= length) break;
      mark = 3;
      i++;
    }
    this.starts[field] = open + 1;
    this.ends[field] = i;
    this.#marks[field] = mark;
    i++;
    while (i < length && (bytes[i] === SPACE || bytes[i] === TAB) && bytes[i] !== this.#delimiter) i++;
    if (i < length && bytes[i] !== this.#delimiter && bytes[i] !== LF && bytes[i] !== CR) {
      const text = show(firstLine(bytes.subarray(open, i + 10)));
      throw fault(
        this.#file,
        this.#nextLine,
        field + 1,
        `text follows a closing quote in ${text}; double a quote that belongs to the text, or pass quote: ""`,
        "DATA_PARSE",
      );
    }
    return i;
  }

  #strayQuote(field: number, at: number): never {
    const text = show(firstLine(this.bytes.subarray(this.starts[field], at + 20)));
    throw fault(
      this.#file,
      this.#nextLine,
      field + 1,
      `a quote stands inside the unquoted field ${text}; quote the whole field and double the quote, or pass quote: ""`,
      "DATA_PARSE",
    );
  }

  /** Text of field `i`. It may share memory with the whole block: copy what is to stay. */
  text(i: number): string {
    const start = this.starts[i];
    const end = this.ends[i];
    const text = this.#ascii ? this.#text.slice(start, end) : shown(this.bytes.subarray(start, end));
    if ((this.#marks[i] & 1) === 0) return text;
    const quote = String.fromCharCode(this.#quote);
    return text.replaceAll(quote + quote, quote);
  }

  texts(): string[] {
    return Array.from({ length: this.count }, (_, i) => this.text(i));
  }

  /** The record at hand as it stands in the file. */
  recordText(): string {
    return shown(this.bytes.subarray(this.#recordStart, this.#at)).trimEnd();
  }

  #widen(): void {
    const grow = <A extends Int32Array | Uint8Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    const size = 2 * this.starts.length;
    this.starts = grow(this.starts, new Int32Array(size));
    this.ends = grow(this.ends, new Int32Array(size));
    this.#marks = grow(this.#marks, new Uint8Array(size));
  }
}

function firstLine(bytes: Uint8Array): string {
  return shown(bytes).split(/[\r\n]/)[0];
}
