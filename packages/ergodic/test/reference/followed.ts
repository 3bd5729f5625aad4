/**
 * Runs a generator to its end. Returns its value and the number of its pauses, at each of which `meanwhile` is called.
 */
export function followed<T>(steps: Generator<void, T>, meanwhile = (): void => {}): { pauses: number; value: T } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done) return { pauses, value };
    meanwhile();
  }
}
