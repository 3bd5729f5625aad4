import { type Expr, nodesOf } from "./expression.ts";
import { primitiveOf, reductionOf } from "./primitive.ts";

/** Binding strengths: if 0, ∨ 1, ∧ 2, comparisons 3, + and − 4, / 5, · 6, powers 7, atoms 9. */
const ATOM = 9;
const SUM = 4;

/**
 * Expressions as equations in plain Unicode, with no more brackets than needed: `η·g / (√r + ε)`.
 *
 * `symbols` renames scalars and vectors, for instance `{ rate: "η" }`.
 */
export function print(expr: Expr, symbols: Readonly<Record<string, string>> = {}): string {
  const memo = new Map<Expr, { text: string; strength: number }>();
  const bracketed = (node: Expr, needs: number): string => {
    const { text, strength } = memo.get(node)!;
    return strength < needs ? `(${text})` : text;
  };
  for (const node of nodesOf([expr])) memo.set(node, write(node));
  return bracketed(expr, 0);

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

function numeral(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  return Object.is(x, -0) ? "−0" : String(x).replaceAll("-", "−");
}
