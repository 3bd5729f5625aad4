import { turn } from "./turn.ts";

/** Things, or numbers of theirs, between two yields: a few milliseconds. */
const [PAUSE_THINGS, PAUSE_NUMBERS] = [1024, 1 << 17];

/** When a generator that goes through many things yields. */
export class Pauses {
  private left = PAUSE_NUMBERS;

  /** Whether to yield before a thing of so many numbers. */
  due(numbers = 0): boolean {
    this.left -= numbers + PAUSE_NUMBERS / PAUSE_THINGS;
    if (this.left > 0) return false;
    this.left = PAUSE_NUMBERS;
    return true;
  }
}

/** What a generator ends with that yields every few milliseconds, all of it at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, with a turn of the event loop where it yields. @throws the reason of an aborted `signal`, once the generator has cleared up */
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
