/**
 * Parses the text of a formula into a tree. The operators and their precedence are the same as in R. Each part stores
 * its position in the text.
 */
import { OptionError } from "../../engine/errors/errors.ts";

/** Part of a formula's text, from `start` up to, but not including, `end`. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export type Operator = "~" | "|" | "||" | "+" | "-" | "*" | "/" | ":" | "^";

export type Node = Place &
  (
    | { readonly kind: "number"; readonly value: number }
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "call"; readonly name: string; readonly given: readonly Node[]; readonly named: ReadonlyMap<string, Node> }
    | { readonly kind: "unary"; readonly operator: "+" | "-"; readonly operand: Node }
    | { readonly kind: "binary"; readonly operator: Operator; readonly left: Node; readonly right: Node }
  );

/** Left and right binding powers. A higher power binds tighter. */
const powers: Readonly<Record<Operator, readonly [left: number, right: number]>> = {
  "~": [1, 2],
  "|": [3, 4],
  "||": [3, 4],
  "+": [5, 6],
  "-": [5, 6],
  "*": [7, 8],
  "/": [7, 8],
  ":": [11, 12],
  "^": [16, 15],
};
const SIGN = 13;

/** Operators that exist in R's formulas or other languages but not here, with advice on what to write instead. */
const foreign: Readonly<Record<string, string>> = {
  "%": 'write nested groups as (1 | a / b), and nested effects as "a + a:b"',
  "&": 'an interaction is written "a:b"',
  "=": "write what is observed on the left of ~",
  "<": "make a column of the comparison, and name it",
  ">": "make a column of the comparison, and name it",
  "!": "make a column of it, and name it",
  "[": "make a column of the element, and name it",
  $: "name the column alone: the data are given to sample()",
  "@": "name the column alone",
};

/** @throws OptionError [FORMULA_SYNTAX] with the position in the text */
export function parse(text: string): Node {
  return new Parser(text).whole();
}

/** Returns an error with the position of the faulty part in the formula. */
export function misread(text: string, { start }: Pick<Place, "start">, message: string, code = "FORMULA_SYNTAX"): OptionError {
  const place = start >= text.length ? "at its end" : `at place ${start + 1}`;
  return new OptionError(`formula "${text}"`, `${place}: ${message}`, code);
}

/** Prints a part with R's spacing: "log(x)", "a:b", "I(x^2)". */
export function printed(node: Node): string {
  switch (node.kind) {
    case "number":
      return String(node.value);
    case "text":
      return JSON.stringify(node.value);
    case "name":
      return node.name;
    case "call":
      return `${node.name}(${[...node.given.map(printed), ...[...node.named].map(([name, value]) => `${name} = ${printed(value)}`)].join(", ")})`;
    case "unary":
      return `${node.operator}${within(node.operand, SIGN)}`;
    case "binary": {
      const [left, right] = powers[node.operator];
      const sides = [within(node.left, left), within(node.right, right)];
      return sides.join(":/^".includes(node.operator) ? node.operator : ` ${node.operator} `);
    }
  }
}

function within(node: Node, power: number): string {
  const own = node.kind === "binary" ? Math.min(...powers[node.operator]) : node.kind === "unary" ? SIGN : Infinity;
  return own < power ? `(${printed(node)})` : printed(node);
}

interface Token extends Place {
  readonly kind: "number" | "text" | "name" | "sign" | "end";
  readonly text: string;
}

const token =
  /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)|("[^"]*"|'[^']*')|`([^`]+)`|([\p{L}_.][\p{L}\p{N}_.]*)|(\|\||\*\*|[~|+\-*/:^(),=]))/uy;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  token.lastIndex = 0;
  while (text.slice(token.lastIndex).trim() !== "") {
    const from = token.lastIndex;
    const match = token.exec(text);
    if (!match) {
      const start = from + text.slice(from).search(/\S/);
      const sign = text[start];
      const advice = foreign[sign] ?? "write names, numbers and the signs ~ + - * : ( ) |, and other names within `…`";
      throw misread(text, { start }, `"${sign}" is not part of a formula; ${advice}`);
    }
    const [whole, number, quoted, ticked, name, sign] = match;
    const end = from + whole.length;
    const start = end - whole.trimStart().length;
    const place = { start, end };
    if (number !== undefined) found.push({ kind: "number", text: number, ...place });
    else if (quoted !== undefined) found.push({ kind: "text", text: quoted.slice(1, -1), ...place });
    else if (sign !== undefined) found.push({ kind: "sign", text: sign === "**" ? "^" : sign, ...place });
    else found.push({ kind: "name", text: ticked ?? name, ...place });
  }
  found.push({ kind: "end", text: "", start: text.length, end: text.length });
  return found;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokens(text);
  }

  whole(): Node {
    const made = this.#expression(0);
    const rest = this.#peek();
    if (rest.kind === "end") return made;
    if (rest.text === ")") throw this.#wrong(rest, 'there is a ")" without a "(" before it; remove it, or add the "("');
    if (rest.text === "=") throw this.#wrong(rest, `"=" is not part of a formula; ${foreign["="]}`);
    throw this.#wrong(rest, `"${rest.text}" follows without a sign before it; write + for another term, or : for an interaction`);
  }

  #expression(least: number): Node {
    let left = this.#operand();
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind !== "sign" || !Object.hasOwn(powers, text)) return left;
      const operator = text as Operator;
      const [power, inner] = powers[operator];
      if (power < least) return left;
      this.#next++;
      const right = this.#expression(inner);
      left = { kind: "binary", operator, left, right, start: left.start, end: right.end };
    }
  }

  #operand(): Node {
    const first = this.#peek();
    const { start, end, text } = first;
    this.#next++;
    if (first.kind === "number") return { kind: "number", value: Number(text), start, end };
    if (first.kind === "text") return { kind: "text", value: text, start, end };
    if (first.kind === "name")
      return this.#peek().text === "(" && this.#peek().kind === "sign"
        ? this.#call(first)
        : { kind: "name", name: text, start, end };
    if (text === "(") {
      const inner = this.#expression(0);
      return { ...inner, start, end: this.#close(first) };
    }
    if (text === "+" || text === "-") {
      const operand = this.#expression(SIGN);
      return { kind: "unary", operator: text, operand, start, end: operand.end };
    }
    if (text === "~") throw this.#wrong(first, 'there is nothing on the left of "~"; write what is observed, as in "y ~ x"');
    const before = this.#tokens[this.#next - 2];
    const after = before ? `after "${before.text}" ` : "";
    throw this.#wrong(first, `${after}a term is missing; add one, or remove the sign`);
  }

  #call({ text: name, start }: Token): Node {
    const open = this.#peek();
    this.#next++;
    const given: Node[] = [];
    const named = new Map<string, Node>();
    while (this.#peek().text !== ")") {
      const [first, second] = [this.#peek(), this.#tokens[this.#next + 1]];
      if (first.kind === "name" && second?.text === "=") {
        this.#next += 2;
        named.set(first.text, this.#expression(0));
      } else given.push(this.#expression(0));
      if (this.#peek().text !== ",") break;
      this.#next++;
    }
    return { kind: "call", name, given, named, start, end: this.#close(open) };
  }

  #close(open: Token): number {
    const { text, kind, end } = this.#peek();
    if (kind !== "sign" || text !== ")") throw this.#wrong(open, 'the "(" is not closed; add a ")"');
    this.#next++;
    return end;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
  }

  #wrong(place: Place, message: string): OptionError {
    return misread(this.#text, place, message);
  }
}
