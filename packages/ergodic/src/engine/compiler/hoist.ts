import { type Expr, nodesOf } from "./expression.ts";
import { rebuild } from "./primitive.ts";
import { div, mul } from "./primitives/arithmetic.ts";
import { sum } from "./primitives/reductions.ts";

/**
 * Moves arithmetic out of the loop before code is generated. Chains of scalar factors are multiplied once, a division
 * by a scalar becomes a product with its reciprocal, and scalar factors are moved out of sums.
 *
 * This changes results by a few roundings (float64 for scalars). Hoisting is therefore not part of simplification, so
 * expressions are printed and counted as they were written.
 */
export function hoist(roots: readonly Expr[]): Expr[] {
  const moved = new Map<Expr, Expr>();
  for (const node of nodesOf(roots))
    moved.set(
      node,
      step(
        rebuild(
          node,
          node.args.map((a) => moved.get(a)!),
        ),
      ),
    );
  return roots.map((root) => moved.get(root)!);
}

function step(node: Expr): Expr {
  const [a, b] = node.args;
  if (node.op === "div" && a.rank === 1 && b.rank === 0) return step(mul(div(1, b), a));
  if (node.op === "mul" && a.rank !== b.rank) return scaled(a.rank === 0 ? a : b, a.rank === 0 ? b : a) ?? node;
  if (node.op === "sum" && a.op === "mul" && a.args[0].rank !== a.args[1].rank) {
    const [s, v] = a.args[0].rank === 0 ? a.args : [a.args[1], a.args[0]];
    return mul(s, step(sum(v)));
  }
  return node;
}

/** Returns s·v with the scalar factors of v multiplied into s. */
function scaled(s: Expr, v: Expr): Expr | null {
  const [a, b] = v.args;
  if (v.op === "div" && a.rank === 0) return div(mul(s, a), b);
  if (v.op !== "mul" || a.rank === b.rank) return null;
  return a.rank === 0 ? mul(mul(s, a), b) : mul(mul(s, b), a);
}
