import Papa from "papaparse";
import { fault, show } from "./fault.ts";
import { countLines, decoded } from "./lines.ts";

const longestRecord = 1 << 28;
const blanks = " \t\r\n";

/**
 * Parses CSV bytes with Papa Parse and returns the fields of one record after another.
 *
 * This class adds three things: it reads a stream in blocks, provides lines and columns for messages, and refuses
 * malformed quotes that Papa Parse would repair. Records end with LF or CRLF. If the first record ends with CR alone,
 * all records must do so. Blank lines are skipped. Blanks around a field are removed if they are not inside quotes. If
 * quotes of a record extend over several blocks, the record is kept. It is parsed again each time its text has doubled
 * in length, so that the work stays linear.
 *
 * @throws DataError DATA_PARSE: quote not closed, text after a closing quote, quote or other line end inside an
 * unquoted field
 */
export class CsvRecords {
  /** Line on which the current record begins. */
  line = 1;

  readonly #file: string;
  readonly #delimiter: string;
  readonly #quote: string;
  readonly #quoted: RegExp;
  readonly #blankBeforeQuote: RegExp;
  readonly #blanksOrQuoted: RegExp;
  readonly #quotedOrComment: RegExp | undefined;
  readonly #skipped: () => void;
  #newline: "\n" | "\r" | undefined;
  #text = "";
  #start = 0;
  #end = 0;
  #nextLine = 1;
  #blockLine = 1;
  #triedLength = 0;

  /**
   * Whether the next record begins at the beginning of the next block. This holds if records end with a line feed and
   * no part of an earlier block remains.
   */
  get between(): boolean {
    return this.#text === "" && this.#newline === "\n";
  }

  /** Skips lines that another reader has read after the last record. */
  skipLines(count: number): void {
    this.#nextLine += count;
    this.#blockLine += count;
  }

  /** Line after the last record. */
  get nextLine(): number {
    return this.#nextLine;
  }

  /** `quote`, `comment`: "" = none. `skipped`: called for each comment. */
  constructor(file: string, delimiter: string, quote: string, comment = "", skipped: () => void = () => {}) {
    this.#file = file;
    this.#skipped = skipped;
    this.#delimiter = delimiter;
    this.#quote = quote;
    const [d, q] = [delimiter, quote || '"'].map((mark) => `\\x${mark.charCodeAt(0).toString(16).padStart(2, "0")}`);
    const quoted = `${q}[^${q}]*(?:${q}${q}[^${q}]*)*(?:${q}|$)`;
    const blankBeforeQuote = `(^|[\\r\\n${d}])(?:(?!${d})[ \\t])+(?=${q})`;
    this.#quoted = new RegExp(quoted, "y");
    this.#blankBeforeQuote = new RegExp(blankBeforeQuote);
    this.#blanksOrQuoted = new RegExp(`${quoted}|${blankBeforeQuote}`, "g");
    const opens = comment.replace(/[^\w]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`);
    if (comment !== "")
      this.#quotedOrComment = new RegExp(`${quote ? `${quoted}|` : ""}((?<![^\\r\\n])${opens}[^\\r\\n]*)`, "gu");
  }

  /**
   * Yields the records that are complete after a block of whole lines has been added. If no block is given, yields the
   * remaining records.
   */
  *read(block?: Uint8Array): Generator<string[]> {
    if (block !== undefined) {
      this.#text += decoded(this.#file, block, this.#blockLine);
      this.#blockLine += countLines(block);
    }
    const final = block === undefined || this.#text.length > longestRecord; // the length limit stops an unclosed quote from collecting the whole file
    if (!final && this.#text.length < 2 * this.#triedLength) return;
    this.#newline ??= /\r?\n|\r/.exec(this.#text)?.[0] === "\r" ? "\r" : "\n";
    if (!this.#text.endsWith(this.#newline)) {
      this.#triedLength = this.#text.length;
      if (!final) return;
      this.#text += this.#newline;
    }
    yield* this.#records(final);
  }

  *#records(final: boolean): Generator<string[]> {
    const { data, errors } = this.#parsed();
    const text = this.#text;
    const quote = text.includes(this.#quote) ? this.#quote : "";
    const otherLineEnd = this.#newline === "\n" ? "\r" : "\n";
    this.#end = 0;
    for (const fields of data) {
      if (this.#end === text.length) break; // after the last line end Papa Parse finds an extra record
      this.line = this.#nextLine;
      this.#start = this.#end;
      let blank = fields.length === 1;
      for (let i = 0; i < fields.length; i++) {
        const field = fields[i];
        if (quote !== "" && text[this.#end] === quote) {
          if (errors.length > 0 && errors[0].index === this.#end + 1) {
            if (errors[0].code === "MissingQuotes" && !final) return this.#wait();
            throw this.#quoteFault(errors[0].code, i + 1);
          }
          blank = false;
          this.#skipQuoted(field, i + 1);
        } else {
          if (quote !== "" && field.includes(quote)) throw this.#strayQuote(i + 1, field);
          const other = field.indexOf(otherLineEnd);
          const ofCrlf = otherLineEnd === "\r" && i === fields.length - 1 && other === field.length - 1;
          if (other >= 0 && !ofCrlf) throw this.#strayLineEnd(i + 1, field);
          this.#end += field.length;
          fields[i] = trimmed(field);
        }
        this.#end++;
      }
      this.#nextLine++;
      if (!(blank && fields[0] === "")) yield fields;
    }
    this.#text = "";
    this.#triedLength = 0;
  }

  #parsed(): Papa.ParseResult<string[]> {
    const quote = this.#quote;
    // Replaces comments with blank lines, which count as lines but are not rows. Quoted fields can contain anything.
    if (this.#quotedOrComment)
      this.#text = this.#text.replace(this.#quotedOrComment, (match, line?: string) => {
        if (!line) return match;
        this.#skipped();
        return "";
      });
    if (quote !== "" && this.#blankBeforeQuote.test(this.#text)) {
      this.#text = this.#text.replace(this.#blanksOrQuoted, (match, before?: string) => before ?? match);
    }
    const text = this.#text.startsWith("\ufeff") ? `\ufeff${this.#text}` : this.#text; // Papa Parse would remove one mark
    return Papa.parse<string[]>(text, {
      delimiter: this.#delimiter,
      newline: this.#newline,
      quoteChar: quote || undefined,
      fastMode: quote === "" ? true : undefined,
    });
  }

  /** Keeps a record that continues beyond the current text. */
  #wait(): void {
    this.#text = this.#text.slice(this.#start);
    this.#triedLength = this.#text.length;
    this.#nextLine = this.line;
  }

  /**
   * Skips from an opening quote to the end of the field. Papa Parse accepts any white space after the closing quote.
   */
  #skipQuoted(field: string, column: number): void {
    const text = this.#text;
    let end = this.#end + 2 + field.length + (field.includes(this.#quote) ? field.split(this.#quote).length - 1 : 0);
    for (; text[end] !== this.#delimiter && text[end] !== this.#newline; end++)
      if (!blanks.includes(text[end])) throw this.#quoteFault("InvalidQuotes", column);
    this.#end = end;
    this.#nextLine += lineEnds(field);
  }

  #quoteFault(code: string, column: number): Error {
    const text = this.#text;
    const open = this.#end;
    if (code === "MissingQuotes") {
      const advice = 'close it, double a quote that belongs to the text, or pass quote: ""';
      const message = `the quote that opens ${show(firstLine(text.slice(open, open + 60)))} is never closed; ${advice}`;
      return fault(this.#file, this.#nextLine, column, message, "DATA_PARSE");
    }
    this.#quoted.lastIndex = open;
    const [quoted] = this.#quoted.exec(text)!;
    return fault(
      this.#file,
      this.#nextLine + lineEnds(quoted),
      column,
      `text follows a closing quote in ${show(firstLine(text.slice(open, open + quoted.length + 10)))}; double a quote that belongs to the text, or pass quote: ""`,
      "DATA_PARSE",
    );
  }

  #strayQuote(column: number, field: string): Error {
    const start = this.#end + field.indexOf(trimmed(field));
    const shown = firstLine(this.#text.slice(start, this.#end + field.indexOf(this.#quote) + 20));
    return fault(
      this.#file,
      this.#nextLine,
      column,
      `there is a quote inside the unquoted field ${show(shown)}; quote the whole field and double the quote, or pass quote: ""`,
      "DATA_PARSE",
    );
  }

  #strayLineEnd(column: number, field: string): Error {
    const [found, others] = this.#newline === "\n" ? ["CR", "LF"] : ["LF", "CR"];
    return fault(
      this.#file,
      this.#nextLine,
      column,
      `${found} occurs in ${show(field)}, but the first line ends with ${others}; end all lines alike, or quote the field`,
      "DATA_PARSE",
    );
  }

  /** Returns the current record as it is in the file. */
  recordText(): string {
    return this.#text.slice(this.#start, this.#end).trimEnd();
  }
}

/** Removes blanks at both ends of the field, and the CR of a CRLF. */
function trimmed(field: string): string {
  if (field.charCodeAt(0) > 32 && field.charCodeAt(field.length - 1) > 32) return field;
  let start = 0;
  let end = field.length;
  while (start < end && blanks.includes(field[start])) start++;
  while (start < end && blanks.includes(field[end - 1])) end--;
  return field.slice(start, end);
}

function lineEnds(text: string): number {
  return text.includes("\n") || text.includes("\r") ? text.split(/\r?\n|\r/).length - 1 : 0;
}

function firstLine(text: string): string {
  return text.split(/[\r\n]/)[0];
}
