/**
 * Caches the results of a function whose arguments are an object and a second value. Results are cached for as long as
 * the object lives. Use this cache for immutable objects from which the same result is computed repeatedly. Errors are
 * not cached. `where`: for errors.
 */
export function keptWith<K extends object, W, T>(
  compute: (of: K, key: W, where: string) => T,
): (of: K, key: W, where: string) => T {
  const kept = new Map<W, WeakMap<K, T>>();
  return (of, key, where) => {
    let all = kept.get(key);
    if (!all) kept.set(key, (all = new WeakMap()));
    let found = all.get(of);
    if (found === undefined) all.set(of, (found = compute(of, key, where)));
    return found;
  };
}
