/**
 * Reads draws.json in blocks of text, because the complete text can exceed the maximum string length. The lists of
 * numbers under "values" and "transitions" are parsed piece by piece; the rest is short and parsed as one string.
 *
 * @throws SyntaxError for invalid JSON; DataError [DRAWS_JSON] for lists that contain anything other than numbers
 */
import { numberFromJson } from "./json.ts";

const LISTS = ["values", "transitions"];
/** Text without brackets or quotes. */
const PLAIN = /[^"[\]{}]+/y;
/**
 * Nesting depth at which a list of numbers begins, which is inside the file's object and inside "values" or
 * "transitions".
 */
const DEPTH = 2;

export class DrawsJsonReader {
  /** Text not scanned yet. */
  #text = "";
  /** The file without its lists. Each list is replaced by [its index]. */
  readonly #skeleton: string[] = [];
  readonly #lists: { name: string; pieces: Float64Array[]; ended: boolean }[] = [];
  #depth = 0;
  /**
   * `#key` is the last string at the outermost level, `#section` the key of the section that is open, and `#last` the
   * last string anywhere.
   */
  #key = "";
  #section = "";
  #last = "";

  add(text: string): void {
    const all = this.#text + text;
    this.#text = all.slice(this.#scan(all));
  }

  /** Returns the result of JSON.parse for the whole text, with a Float64Array for each list. */
  end(): unknown {
    const list = this.#lists.at(-1);
    if (list && !list.ended) throw new SyntaxError("the text ends within a list of numbers");
    const json: unknown = JSON.parse([...this.#skeleton, this.#text].join(""));
    for (const section of LISTS) {
      const lists = (json as Record<string, unknown> | null)?.[section];
      if (typeof lists !== "object" || lists === null || Array.isArray(lists)) continue;
      for (const [name, at] of Object.entries(lists)) {
        if (!Array.isArray(at)) continue;
        const value = this.#joined(at[0] as number);
        Object.defineProperty(lists, name, { value, enumerable: true });
      }
    }
    return json;
  }

  /** Scans the text and returns the position up to which it was processed. */
  #scan(text: string): number {
    let at = 0;
    while (at < text.length) {
      const list = this.#lists.at(-1);
      if (list && !list.ended) {
        const end = text.indexOf("]", at);
        const stop = end >= 0 ? end : text.lastIndexOf(",");
        if (stop < at) return at;
        this.#take(list, text.slice(at, stop), end >= 0);
        at = stop + 1;
        continue;
      }
      const char = text[at];
      if (char === '"') {
        const end = closingQuote(text, at);
        if (end < 0) return at;
        this.#last = text.slice(at, end + 1);
        // A name can contain escapes, such as "v\u0061lues".
        if (this.#depth === 1) this.#key = JSON.parse(this.#last);
        this.#skeleton.push(this.#last);
        at = end + 1;
      } else if (char === "[" && this.#depth === DEPTH && LISTS.includes(this.#section)) {
        this.#skeleton.push(`[${this.#lists.length}]`);
        this.#lists.push({ name: this.#last, pieces: [], ended: false });
        at++;
      } else if (char === "[" || char === "{") {
        if (this.#depth === 1) this.#section = char === "{" ? this.#key : "";
        this.#depth++;
        this.#skeleton.push(char);
        at++;
      } else if (char === "]" || char === "}") {
        this.#depth--;
        this.#skeleton.push(char);
        at++;
      } else {
        PLAIN.lastIndex = at;
        const [plain] = PLAIN.exec(text)!;
        this.#skeleton.push(plain);
        at += plain.length;
      }
    }
    return at;
  }

  #take(list: { name: string; pieces: Float64Array[]; ended: boolean }, piece: string, ended: boolean): void {
    const isWhole = ended && list.pieces.length === 0;
    if (piece.trim() === "" && !isWhole) throw new SyntaxError("a number is missing between two commas");
    list.ended = ended;
    const numbers = JSON.parse(`[${piece}]`) as unknown[];
    list.pieces.push(Float64Array.from(numbers, (value) => numberFromJson(JSON.parse(list.name), value)));
  }

  #joined(at: number): Float64Array {
    const { pieces } = this.#lists[at];
    const all = new Float64Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let from = 0;
    for (const piece of pieces) {
      all.set(piece, from);
      from += piece.length;
    }
    return all;
  }
}

/** Returns the position of the closing quote, or −1 if the quote is not in the text yet. */
function closingQuote(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text[first - 1] === "\\") first--;
    if ((end - first) % 2 === 0) return end;
  }
  return -1;
}
