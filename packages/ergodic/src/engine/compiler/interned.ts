/**
 * Interns equal nodes as one object. The key of a node is a string that describes the node completely. Nodes without
 * other references can be garbage collected. The entries of collected nodes are removed whenever the table has doubled
 * in size. Thousands of short-lived nodes are made per compilation, so a finalisation callback per node would cost more
 * than the node itself.
 */
const FEWEST = 8192;

export class Interned<T extends object> {
  readonly #known = new Map<string, WeakRef<T>>();
  #sweepAt = FEWEST;

  get(key: string): T | undefined {
    return this.#known.get(key)?.deref();
  }

  set(key: string, node: T): void {
    this.#known.set(key, new WeakRef(node));
    if (this.#known.size < this.#sweepAt) return;
    for (const [each, reference] of this.#known) if (reference.deref() === undefined) this.#known.delete(each);
    this.#sweepAt = Math.max(FEWEST, 2 * this.#known.size);
  }
}
