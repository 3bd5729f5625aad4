/**
 * What is computed of an object and of a word besides, kept as long as the object is there: for functions that are asked again and again of what does not change.
 */
export function keptWith<K extends object, W, T>(
  compute: (of: K, word: W, where: string) => T,
): (of: K, word: W, where: string) => T {
  const kept = new Map<W, WeakMap<K, T>>();
  return (of, word, where) => {
    let all = kept.get(word);
    if (!all) kept.set(word, (all = new WeakMap()));
    let found = all.get(of);
    if (found === undefined) all.set(of, (found = compute(of, word, where)));
    return found;
  };
}
