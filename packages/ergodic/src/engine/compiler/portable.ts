/**
 * Expressions as plain data that can be sent to another thread. The data consists of a list of nodes, in which
 * arguments precede their users.
 */
import { type Expr, intern, nodesOf } from "./expression.ts";

interface PortableNode {
  readonly op: string;
  /** Indices of the arguments among the nodes. */
  readonly args: readonly number[];
  readonly rank: 0 | 1;
  readonly name: string;
  readonly value: number;
}

/** Several expressions with their shared nodes. */
export interface PortableExpressions {
  readonly nodes: readonly PortableNode[];
  /** Indices of the expressions among the nodes. */
  readonly roots: readonly number[];
}

export function portableExpressions(roots: readonly Expr[]): PortableExpressions {
  const places = new Map(nodesOf(roots).map((node, i) => [node, i]));
  const placeOf = (node: Expr): number => places.get(node)!;
  const nodes = [...places.keys()].map(({ op, args, rank, name, value }) => ({ op, args: args.map(placeOf), rank, name, value }));
  return { nodes, roots: roots.map(placeOf) };
}

/** Returns the same expressions without simplifying them again. */
export function expressionsFrom({ nodes, roots }: PortableExpressions): Expr[] {
  const made: Expr[] = [];
  for (const { op, args, rank, name, value } of nodes)
    made.push(
      intern(
        op,
        args.map((i) => made[i]),
        rank,
        name,
        value,
      ),
    );
  return roots.map((i) => made[i]);
}
