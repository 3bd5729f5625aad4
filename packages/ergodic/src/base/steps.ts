import { turn } from "./turn.ts";

/** What a generator ends with that yields every few milliseconds, all of it at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, with a turn of the event loop where it yields. @throws the reason of an aborted `signal` */
export async function inTurns<T>(steps: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await turn();
    signal?.throwIfAborted();
  }
}
