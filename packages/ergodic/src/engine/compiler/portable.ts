/** Expressions as plain data, for another thread: their nodes, arguments before their users. */
import { type Expr, intern, nodesOf } from "./expression.ts";

interface PortableNode {
  readonly op: string;
  /** Places of the arguments among the nodes. */
  readonly args: readonly number[];
  readonly rank: 0 | 1;
  readonly name: string;
  readonly value: number;
}

/** Expressions, which share nodes. */
export interface PortableExpressions {
  readonly nodes: readonly PortableNode[];
  /** Places of the expressions among the nodes. */
  readonly roots: readonly number[];
}

export function portableExpressions(roots: readonly Expr[]): PortableExpressions {
  const places = new Map(nodesOf(roots).map((node, i) => [node, i]));
  const placeOf = (node: Expr): number => places.get(node)!;
  const nodes = [...places.keys()].map(({ op, args, rank, name, value }) => ({ op, args: args.map(placeOf), rank, name, value }));
  return { nodes, roots: roots.map(placeOf) };
}

/** The same expressions, as they were: nothing is simplified anew. */
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
