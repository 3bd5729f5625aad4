/** Returns the number of machine operations per element in expressions over scalars. Shared parts count once. */
import { type Expr, nodesOf } from "../expression.ts";
import { primitiveOf } from "../primitive.ts";

export function costOf(exprs: readonly Expr[]): number {
  return nodesOf(exprs).reduce((sum, node) => sum + (primitiveOf(node)?.cost ?? 0), 0);
}
