/** Rebuilds expressions through their builders, so that all simplification rules apply to the result. */
import { type Expr, type ExprLike, nodesOf, toExpr } from "./expression.ts";
import { rebuild } from "./primitive.ts";

/**
 * Returns `expr` with the given nodes replaced. `replacements` maps nodes, or names of scalars and vectors, to their
 * replacements. Replacements are not searched again.
 */
export function substitute(expr: Expr, replacements: ReadonlyMap<Expr, ExprLike> | Readonly<Record<string, ExprLike>>): Expr {
  const replaced = new Map<Expr, Expr>();
  const lookup = (node: Expr): ExprLike | undefined => {
    if (replacements instanceof Map) return replacements.get(node);
    const byName = replacements as Readonly<Record<string, ExprLike>>;
    return (node.op === "scalar" || node.op === "vector") && Object.hasOwn(byName, node.name) ? byName[node.name] : undefined;
  };
  for (const node of nodesOf([expr])) {
    const given = lookup(node);
    replaced.set(
      node,
      given === undefined
        ? rebuild(
            node,
            node.args.map((a) => replaced.get(a)!),
          )
        : toExpr(given),
    );
  }
  return replaced.get(expr)!;
}

/** Returns the names of scalars and vectors below the roots. */
export function inputsOf(roots: readonly Expr[]): { scalars: string[]; vectors: string[] } {
  const nodes = nodesOf(roots);
  const named = (op: string): string[] => nodes.filter((n) => n.op === op).map((n) => n.name);
  return { scalars: named("scalar"), vectors: named("vector") };
}
