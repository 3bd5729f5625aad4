/**
 * draws.json read in blocks of text, since the whole may be longer than a string can be: the lists of numbers under "values" and "transitions" are parsed a
 * piece at a time, and all else, which is short, as one text.
 *
 * @throws SyntaxError for what is no JSON; DataError [DRAWS_JSON] for lists that hold no numbers
 */
import { numberFromJson } from "./json.ts";

const LISTS = ["values", "transitions"];
/** What holds no bracket and no quote. */
const PLAIN = /[^"[\]{}]+/y;
/** Open brackets where a list of numbers begins: those of the file and of "values". */
const DEPTH = 2;

export class DrawsJsonReader {
  /** Not looked at yet. */
  #text = "";
  /** The file without its lists: each is [its number]. */
  readonly #skeleton: string[] = [];
  readonly #lists: { name: string; pieces: Float64Array[]; ended: boolean }[] = [];
  #depth = 0;
  /** The last text at the outermost level, and the one before what is open there. */
  #key = "";
  #section = "";
  #last = "";

  add(text: string): void {
    const all = this.#text + text;
    this.#text = all.slice(this.#scan(all));
  }

  /** What JSON.parse gives for the whole, with arrays of float64 for the lists. */
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

  /** Where what is left begins: with what is only there in part. */
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
        // A name may be written in several ways: "v\u0061lues".
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

/** −1 where it is not there yet. */
function closingQuote(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text[first - 1] === "\\") first--;
    if ((end - first) % 2 === 0) return end;
  }
  return -1;
}
