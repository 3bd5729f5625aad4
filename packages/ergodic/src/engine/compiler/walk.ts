/**
 * Traversals of node graphs without recursion. A program can be a chain of 100,000 operations, which would overflow the
 * stack.
 */

import { holds } from "../errors/checks.ts";
import { CompileError } from "../errors/errors.ts";
import { isListOf } from "../errors/list-of.ts";
import { shown } from "../errors/shown.ts";

interface Argued<T> {
  readonly args: readonly T[];
}

const isNode = (root: unknown): boolean => holds(root, "args");

/**
 * Returns all nodes below the roots, including the roots. Arguments precede their users, in the order of a depth-first
 * recursion.
 */
export function nodesBelow<T extends Argued<T>>(roots: readonly T[]): T[] {
  if (!isListOf(roots, isNode))
    throw new CompileError("nodesBelow", `the roots are ${shown(roots)}, but must be a list of nodes`, "COMPILE_OPERAND");
  const seen = new Set<T>();
  const order: T[] = [];
  /** Path from a root to the current node, and for each node on this path the next argument to visit. */
  const path: T[] = [];
  const next: number[] = [];
  const enter = (node: T): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.args.length === 0) order.push(node);
    else {
      path.push(node);
      next.push(0);
    }
  };
  for (const root of roots) {
    enter(root);
    while (path.length > 0) {
      const last = path.length - 1;
      if (next[last] < path[last].args.length) enter(path[last].args[next[last]++]);
      else {
        order.push(path[last]);
        path.pop();
        next.pop();
      }
    }
  }
  return order;
}

/**
 * Visits each node below the roots once, users before their arguments, in the order of a recursion. Descends below a
 * node only if `isOpen` returns true.
 */
export function forEachBelow<T extends Argued<T>>(roots: readonly T[], isOpen: (node: T) => boolean): void {
  const seen = new Set<T>();
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (isOpen(node)) for (let i = node.args.length - 1; i >= 0; i--) waiting.push(node.args[i]);
  }
}
