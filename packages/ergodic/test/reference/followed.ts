/** What a generator ends with that yields where others may have their turn, and how often it does; `meanwhile` is what they do then. */
export function followed<T>(steps: Generator<void, T>, meanwhile = (): void => {}): { pauses: number; value: T } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done) return { pauses, value };
    meanwhile();
  }
}
