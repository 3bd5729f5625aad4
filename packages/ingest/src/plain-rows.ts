const kindDelimiter = 1;
const kindLineFeed = 2;
const kindReturn = 3;
const kindQuote = 4;
const [tab, lineFeed, carriageReturn, blank] = [9, 10, 13, 32];

/**
 * Finds the fields of simple CSV records directly in their bytes. A simple record is one line, and its quotes enclose
 * whole fields that contain no quotes. `CsvRecords` reads all other records, because it handles the full grammar and
 * reports faults.
 */
export class PlainRows {
  /** Number of fields of the record. */
  count = 0;
  /**
   * Start and end of each field's bytes. The quotes, and blanks around unquoted fields, are not part of these bytes.
   */
  starts = new Int32Array(64);
  ends = new Int32Array(64);

  readonly #kinds = new Uint8Array(256);
  /** Largest byte of a special kind. Most digits and letters are above it. */
  readonly #last: number;
  readonly #comment: number;

  /** `quote`, `comment`: "" = none. */
  constructor(delimiter: string, quote: string, comment: string) {
    this.#kinds[lineFeed] = kindLineFeed;
    this.#kinds[carriageReturn] = kindReturn;
    this.#kinds[delimiter.charCodeAt(0)] = kindDelimiter;
    if (quote !== "") this.#kinds[quote.charCodeAt(0)] = kindQuote;
    this.#last = this.#kinds.findLastIndex((kind) => kind > 0);
    this.#comment = comment === "" ? -1 : new TextEncoder().encode(comment)[0];
  }

  /**
   * Reads the record at `from`, in bytes that end with a line feed. Returns the position after the record, or −1 if the
   * record is not simple. A blank line has 0 fields.
   */
  next(bytes: Uint8Array, from: number): number {
    const kinds = this.#kinds;
    const last = this.#last;
    if (bytes[from] === this.#comment) return -1;
    let { starts, ends } = this;
    let count = 0;
    let start = from;
    let end = -1; // of a quoted field
    for (let i = from; ; i++) {
      if (bytes[i] > last) continue;
      const kind = kinds[bytes[i]];
      if (kind === 0) continue;
      if (kind === kindQuote) {
        if (i !== start) return -1;
        for (i++; kinds[bytes[i]] === 0 || kinds[bytes[i]] === kindDelimiter; i++);
        if (kinds[bytes[i]] !== kindQuote) return -1;
        end = i;
        const after = kinds[bytes[i + 1]];
        if (after === kindDelimiter || after === kindLineFeed) continue;
        if (after !== kindReturn || bytes[i + 2] !== lineFeed) return -1;
        continue;
      }
      if (kind === kindReturn && bytes[i + 1] !== lineFeed) return -1;
      if (count === starts.length) {
        this.#grow();
        ({ starts, ends } = this);
      }
      if (end >= 0) {
        starts[count] = start + 1;
        ends[count] = end;
        end = -1;
      } else {
        let to = i;
        // Only bytes up to the code of a space can be blanks.
        if (start < to && (bytes[start] <= blank || bytes[to - 1] <= blank)) {
          while (start < to && isBlank(bytes[start])) start++;
          while (start < to && isBlank(bytes[to - 1])) to--;
        }
        if (start === to && count === 0 && kind !== kindDelimiter) {
          this.count = 0;
          return kind === kindReturn ? i + 2 : i + 1;
        }
        starts[count] = start;
        ends[count] = to;
      }
      count++;
      if (kind === kindDelimiter) {
        start = i + 1;
        continue;
      }
      this.count = count;
      return kind === kindReturn ? i + 2 : i + 1;
    }
  }

  #grow(): void {
    const [starts, ends] = [this.starts, this.ends];
    this.starts = new Int32Array(2 * starts.length);
    this.ends = new Int32Array(2 * ends.length);
    this.starts.set(starts);
    this.ends.set(ends);
  }
}

function isBlank(byte: number): boolean {
  return byte === blank || byte === tab;
}
