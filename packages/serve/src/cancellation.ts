/** Callbacks by signal. Each signal has only one listener, because Node warns of a leak if there are more than ten. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `cancel` when the signal aborts. Returns a function that removes the callback. */
export function onAbort(signal: AbortSignal, cancel: () => void): () => void {
  let all = waiting.get(signal);
  if (!all) {
    const some = new Set<() => void>();
    const abort = (): void => {
      waiting.delete(signal);
      for (const one of some) one();
    };
    signal.addEventListener("abort", abort, { once: true });
    waiting.set(signal, (all = some));
  }
  const kept = all;
  kept.add(cancel);
  return () => void kept.delete(cancel);
}
