/**
 * Interns equal nodes as one object, by a string key that describes the node completely. Nodes without other references
 * can be collected; their entries are removed when the table has doubled. A finalisation callback per node would cost
 * more than the nodes themselves, because a compiler makes thousands of short-lived nodes.
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
