import { type Expr, nodesOf } from "./expression.ts";
import { primitiveOf, reductionOf } from "./primitive.ts";

/** Binding strengths: if 0, ∨ 1, ∧ 2, comparisons 3, + and − 4, / 5, · 6, powers 7, atoms 9. */
const ATOM = 9;
const SUM = 4;
/** Expressions with more parts than this are printed with names for shared subexpressions. */
const LONGEST = 500;

/**
 * Prints an expression as an equation in plain Unicode, with the fewest brackets: `η·g / (√r + ε)`. `symbols` renames
 * scalars and vectors, for instance `{ rate: "η" }`.
 */
export function print(expr: Expr, symbols: Readonly<Record<string, string>> = {}): string {
  const nodes = nodesOf([expr]);
  const named = partsWritten(expr, nodes) > LONGEST ? sharedOf(nodes) : new Set<Expr>();
  const stem = freeStem(nodes, symbols);
  const memo = new Map<Expr, { text: string; strength: number }>();
  const definitions: string[] = [];
  const bracketed = (node: Expr, needs: number): string => {
    const { text, strength } = memo.get(node)!;
    return strength < needs ? `(${text})` : text;
  };
  for (const node of nodes) {
    const written = write(node);
    if (!named.has(node)) memo.set(node, written);
    else {
      const name = `${stem}${definitions.length + 1}`;
      definitions.push(`${name} = ${written.text}`);
      memo.set(node, { text: name, strength: ATOM });
    }
  }
  return bracketed(expr, 0) + (definitions.length > 0 ? ` where ${definitions.join(", ")}` : "");

  function write(node: Expr): { text: string; strength: number } {
    const { op, args, name, value } = node;
    if (op === "constant") return { text: numeral(value), strength: value < 0 || Object.is(value, -0) ? SUM : ATOM };
    if (op === "index") return { text: "i", strength: ATOM };
    if (op === "count") return { text: "n", strength: ATOM };
    if (op === "scalar" || op === "vector") return { text: Object.hasOwn(symbols, name) ? symbols[name] : name, strength: ATOM };
    const reduced = reductionOf(node);
    if (reduced) return { text: `${reduced.symbol}(${bracketed(args[0], 0)})`, strength: ATOM };
    const form = primitiveOf(node)!.print;
    if (!form) return { text: `${op}(${args.map((a) => bracketed(a, 0)).join(", ")})`, strength: ATOM };
    return { text: form.write(...args.map((a, i) => bracketed(a, form.needs[i]))), strength: form.strength };
  }
}

/**
 * Returns the number of parts of an expression when shared parts are written out at every use. `nodes`: arguments
 * before their users.
 */
function partsWritten(expr: Expr, nodes: readonly Expr[]): number {
  const parts = new Map<Expr, number>();
  for (const node of nodes) parts.set(node, 1 + node.args.reduce((sum, arg) => sum + parts.get(arg)!, 0));
  return parts.get(expr)!;
}

/** Returns the nodes that have arguments and more than one user. */
function sharedOf(nodes: readonly Expr[]): Set<Expr> {
  const users = new Map<Expr, number>();
  for (const { args } of nodes) for (const arg of args) users.set(arg, (users.get(arg) ?? 0) + 1);
  return new Set([...users].flatMap(([node, count]) => (count > 1 && node.args.length > 0 ? [node] : [])));
}

/**
 * Returns the first letters of names for shared parts: "t", or more letters if names in the expression start with "t"
 * and a digit.
 */
function freeStem(nodes: readonly Expr[], symbols: Readonly<Record<string, string>>): string {
  const taken = [...nodes.map(({ name }) => name ?? ""), ...Object.values(symbols)];
  let stem = "t";
  while (taken.some((name) => name.startsWith(stem) && /^\d/.test(name.slice(stem.length)))) stem += "t";
  return stem;
}

function numeral(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  return Object.is(x, -0) ? "−0" : String(x).replaceAll("-", "−");
}
