/** Walks over graphs of nodes without recursion: programs may be chains of 100,000 operations, which no stack takes. */

interface Argued<T> {
  readonly args: readonly T[];
}

/** All nodes below the roots, the roots included, arguments before their users: as a recursion would leave them. */
export function nodesBelow<T extends Argued<T>>(roots: readonly T[]): T[] {
  const seen = new Set<T>();
  const order: T[] = [];
  /** From a root to where the walk is, and which argument of each comes next. */
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

/** Nodes below the roots, users before their arguments, each once, as a recursion would meet them; below a node only if `isOpen` says so. */
export function forEachBelow<T extends Argued<T>>(roots: readonly T[], isOpen: (node: T) => boolean): void {
  const seen = new Set<T>();
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (isOpen(node)) for (let i = node.args.length - 1; i >= 0; i--) waiting.push(node.args[i]);
  }
}
