/** Least-recently-used cache by key: at most `count` values with a total weight of at most `weight`. */
export class Recent<T> {
  readonly #count: number;
  readonly #weight: number;
  readonly #known = new Map<string, { readonly value: T; readonly weight: number }>();
  #held = 0;

  constructor(count: number, weight: number) {
    this.#count = count;
    this.#weight = weight;
  }

  get(key: string): T | undefined {
    const known = this.#known.get(key);
    if (!known) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known.value;
  }

  /** Stores a value. A value is not stored if its weight exceeds the limit for the whole cache. */
  set(key: string, value: T, weight: number): void {
    this.#drop(key);
    if (weight > this.#weight) return;
    this.#known.set(key, { value, weight });
    this.#held += weight;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#count && this.#held <= this.#weight) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#held -= this.#known.get(key)?.weight ?? 0;
    this.#known.delete(key);
  }
}
