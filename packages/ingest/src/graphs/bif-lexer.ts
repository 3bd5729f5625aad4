import { type FaultCode, fault, show } from "../fault.ts";
import { decoded, wholeText } from "../lines.ts";
import type { ByteSource } from "../source.ts";

/** A token of a BIF file: a word (without its quotes), or a mark. */
export interface BifToken {
  readonly text: string;
  readonly kind: "word" | "mark" | "end";
  readonly at: number;
}

const MARKS = "{}()[],;|";

/** Whether a name contains characters that end words, so that it must be quoted. */
export const needsQuotes = (name: string): boolean => /[\s{}()[\],;|"=]/.test(name) || /^\/[/*]/.test(name);

/**
 * Tokens of the Interchange Format for Bayesian networks: words, "quoted words" and marks, separated by white space and
 * comments of both kinds.
 */
export class BifLexer {
  readonly file: string;
  private readonly text: string;
  private position = 0;
  private ahead: BifToken | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  static async of(source: ByteSource): Promise<BifLexer> {
    return new BifLexer(source.name, decoded(source.name, await wholeText(source), 1));
  }

  /** Number of characters in the text. */
  get length(): number {
    return this.text.length;
  }

  peek(): BifToken {
    this.ahead ??= this.read();
    return this.ahead;
  }

  next(): BifToken {
    const token = this.peek();
    this.ahead = undefined;
    return token;
  }

  /** Consumes the mark if it is next. */
  skip(mark: string): boolean {
    const { kind, text } = this.peek();
    if (kind !== "mark" || text !== mark) return false;
    this.next();
    return true;
  }

  mark(mark: string, where: string): void {
    const token = this.next();
    if (token.kind !== "mark" || token.text !== mark) throw this.unexpected(token, `"${mark}" ${where}`);
  }

  word(wanted: string): BifToken {
    const token = this.next();
    if (token.kind !== "word") throw this.unexpected(token, wanted);
    return token;
  }

  /** Skips everything up to and including the next ";". */
  skipStatement(): void {
    for (let token = this.next(); token.text !== ";" || token.kind !== "mark"; token = this.next())
      if (token.kind === "end") throw this.unexpected(token, '";"');
  }

  unexpected(token: BifToken, wanted: string): Error {
    if (token.kind === "end")
      return this.fault(token, `the file ends where ${wanted} was expected; fetch or write it again`, "DATA_TRUNCATED");
    return this.fault(token, `found ${show(token.text)}, but expected ${wanted}; correct it`, "DATA_PARSE");
  }

  fault({ at }: BifToken, message: string, code: FaultCode): Error {
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    return fault(this.file, line, at - before.lastIndexOf("\n"), message, code);
  }

  private read(): BifToken {
    this.skipBlanks();
    const { text, position: at } = this;
    if (at >= text.length) return { text: "", kind: "end", at };
    const first = text[at];
    if (MARKS.includes(first)) {
      this.position++;
      return { text: first, kind: "mark", at };
    }
    if (first === '"') {
      const end = text.indexOf('"', at + 1);
      if (end < 0)
        throw this.fault({ text: first, kind: "mark", at }, "the quote that opens here is never closed; close it", "DATA_PARSE");
      this.position = end + 1;
      return { text: text.slice(at + 1, end), kind: "word", at };
    }
    const ending = /[\s{}()[\],;|"]/g;
    ending.lastIndex = at;
    const end = ending.exec(text)?.index ?? text.length;
    this.position = end;
    return { text: text.slice(at, end), kind: "word", at };
  }

  private skipBlanks(): void {
    const { text } = this;
    for (;;) {
      const blank = /\S/g;
      blank.lastIndex = this.position;
      const at = blank.exec(text)?.index ?? text.length;
      this.position = at;
      if (text.startsWith("//", at)) {
        const end = text.indexOf("\n", at);
        this.position = end < 0 ? text.length : end;
      } else if (text.startsWith("/*", at)) {
        const end = text.indexOf("*/", at + 2);
        if (end < 0)
          throw this.fault(
            { text: "/*", kind: "mark", at },
            "the comment that opens here is never closed; close it",
            "DATA_PARSE",
          );
        this.position = end + 2;
      } else return;
    }
  }
}
