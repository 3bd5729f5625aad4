/**
 * Cuts a JSON array into the texts of its elements, block by block, so that only one element is in memory in full. The
 * elements must be objects; their content is not checked here.
 *
 * @throws DataError DATA_PARSE for anything else between, before or after the elements
 */
import { fault, show } from "../fault.ts";

/** Text of an object, its first line, and the number of characters before it on this line. */
export interface ArrayElement {
  readonly text: string;
  readonly line: number;
  readonly indent: number;
}

/** The next expected thing, outside an element. */
const wanted = {
  start: '"["',
  first: 'an object or "]"',
  element: "an object",
  comma: '"," or "]"',
  end: "nothing more",
} as const;

const blanks = /[ \t\r\n]*/y;
const [lineFeed, quote, backslash] = [10, 34, 92];
const [openBracket, closeBracket, openBrace, closeBrace] = [91, 93, 123, 125];

export const lineEnds = (text: string): number => text.split("\n").length - 1;

export class ArrayElements {
  readonly #file: string;
  #next: keyof typeof wanted = "start";
  #line: number;
  /** Number of characters before the next one on its line. */
  #indent = 0;
  /** Parts of the current element, whose brackets are open to this depth. */
  #parts: string[] = [];
  #depth = 0;
  #inString = false;

  constructor(file: string, line: number) {
    this.#file = file;
    this.#line = line;
  }

  /** Returns the elements that end in this text, which continues the texts before. */
  *read(text: string): Generator<ArrayElement> {
    let at = 0;
    while (at < text.length) {
      if (this.#depth === 0) {
        blanks.lastIndex = at;
        at = this.#pass(blanks.exec(text)![0], at);
        if (at === text.length) return;
        if (text[at] !== "{" || (this.#next !== "first" && this.#next !== "element")) {
          this.#mark(text, at);
          at = this.#pass(text[at], at);
          continue;
        }
      }
      const end = this.#endOf(text, at);
      this.#parts.push(text.slice(at, end));
      at = end;
      if (this.#depth > 0) return;
      const whole = this.#parts.join("");
      this.#parts = [];
      this.#next = "comma";
      yield { text: whole, line: this.#line, indent: this.#indent };
      this.#pass(whole, 0);
    }
  }

  /** @throws DataError if the array has not ended */
  finish(): void {
    if (this.#next === "end") return;
    const missing = this.#depth > 0 ? "the end of an object" : wanted[this.#next];
    throw this.#fault(`the file ends, but wanted ${missing}; is it complete?`);
  }

  #mark(text: string, at: number): void {
    const mark = text[at];
    if (this.#next === "start" && mark === "[") this.#next = "first";
    else if (this.#next === "comma" && mark === ",") this.#next = "element";
    else if ((this.#next === "first" || this.#next === "comma") && mark === "]") this.#next = "end";
    else {
      const found = show(text.slice(at).trimEnd());
      throw this.#fault(
        `found ${found}, but wanted ${wanted[this.#next]}; each element must be one object, like {"a": 1, "b": "x"}`,
      );
    }
  }

  /** Returns the position after the current element, or the end of the text if the element continues there. */
  #endOf(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#inString) {
        if (code === backslash) at++;
        else if (code === quote) this.#inString = false;
        else if (code === lineFeed) {
          // A string cannot contain a line end, so an unfinished one ends its element here.
          this.#inString = false;
          this.#depth = 0;
          return at + 1;
        }
      } else if (code === quote) this.#inString = true;
      else if (code === openBrace || code === openBracket) this.#depth++;
      else if ((code === closeBrace || code === closeBracket) && --this.#depth === 0) return at + 1;
    }
    return text.length;
  }

  /** Moves the position past these characters. Returns their end in the text. */
  #pass(characters: string, at: number): number {
    const last = characters.lastIndexOf("\n");
    if (last >= 0) this.#line += lineEnds(characters);
    this.#indent = last < 0 ? this.#indent + characters.length : characters.length - last - 1;
    return at + characters.length;
  }

  #fault(message: string): Error {
    return fault(this.#file, this.#line, this.#indent + 1, message, "DATA_PARSE");
  }
}
