import { type Expr, nodesOf } from "./expression.ts";
import { primitiveOf } from "./primitive.ts";

/**
 * Operations an element: what an expression costs, counted once for each shared part.
 *
 * Machine operations on vectors, an element; scalar arithmetic, done once a call, is free. +, −, ·, /, √ and comparisons count 1,
 * exp and its kin what their code takes, a reduction 1.
 */
export function operations(outputs: readonly Expr[]): number {
  let total = 0;
  for (const node of nodesOf(outputs)) {
    if (node.rank === 1) total += primitiveOf(node)?.cost ?? 0;
    else if (node.args.length === 1 && node.args[0].rank === 1) total += 1;
  }
  return total;
}
