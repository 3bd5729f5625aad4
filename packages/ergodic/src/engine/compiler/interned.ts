/**
 * Equal nodes as one object, by a text that says all that is in them. What nobody holds any more may be collected; its entry goes when the table
 * has doubled: asking to be told of each would cost a compiler of thousands of short-lived nodes more than the nodes.
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
