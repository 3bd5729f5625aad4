import { turn } from "./turn.ts";

/**
 * Maximum number of items, and maximum number of values in these items, between two yields. This much work takes a few
 * milliseconds.
 */
const [PAUSE_THINGS, PAUSE_NUMBERS] = [1024, 1 << 17];

/** Decides when a generator that visits many items should yield. */
export class Pauses {
  private left = PAUSE_NUMBERS;

  /** Returns whether the generator should yield before it visits an item with this many numbers. */
  due(numbers = 0): boolean {
    this.left -= numbers + PAUSE_NUMBERS / PAUSE_THINGS;
    if (this.left > 0) return false;
    this.left = PAUSE_NUMBERS;
    return true;
  }
}

/** Runs a generator to its end without pausing when it yields (every few milliseconds), and returns its result. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Runs a generator to its end. Lets the event loop run at each yield. @throws the reason of an aborted `signal`, after
 * the generator has cleaned up
 */
export async function inTurns<T>(steps: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await turn();
    if (!signal?.aborted) continue;
    steps.return(undefined as T);
    throw signal.reason;
  }
}
