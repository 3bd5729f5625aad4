import { type Expr, nodesOf } from "./expression.ts";
import { primitiveOf } from "./primitive.ts";

/**
 * Returns the cost of expressions in machine operations per element. Each shared part counts once.
 *
 * Only vector operations count, because scalar arithmetic is done once per call. +, −, ·, /, √ and comparisons count 1,
 * a reduction counts 1, and exp and similar functions count the length of their code.
 */
export function operations(outputs: readonly Expr[]): number {
  let total = 0;
  for (const node of nodesOf(outputs)) {
    if (node.rank === 1) total += primitiveOf(node)?.cost ?? 0;
    else if (node.args.length === 1 && node.args[0].rank === 1) total += 1;
  }
  return total;
}
