import type { Tick } from "../contract/index.ts";
import { ErgodicError } from "../errors/errors.ts";
import { Ticks } from "./ticks.ts";

interface Waiter {
  resolve(result: IteratorResult<Tick>): void;
}

function unawaited(name: string): never {
  throw new ErgodicError(
    "run",
    `"${name}" was asked of a run, but belongs to its result; write await before it: const made = await …`,
    "RUN_UNAWAITED",
  );
}

/** A run that can be awaited for its result and iterated for its ticks, on this thread or on another. */
export abstract class Watched<Result> implements PromiseLike<Result>, AsyncIterable<Tick> {
  protected abstract readonly result: Promise<Result>;
  protected readonly ticks = new Ticks();
  protected ended = false;
  private readonly waiters: Waiter[] = [];

  // biome-ignore lint/suspicious/noThenProperty: a run is awaitable by design
  then<A = Result, B = never>(
    onValue?: ((value: Result) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result.then(onValue, onError);
  }

  /** Handles a failure of the run, as `catch` does for a promise. */
  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Result | B> {
    return this.result.catch(onError);
  }

  /** Calls a function when the run ends, as `finally` does for a promise. */
  finally(onEnd?: (() => void) | null): Promise<Result> {
    return this.result.finally(onEnd);
  }

  /**
   * Iterates over the ticks. A consumer that keeps up with the run sees every tick. A consumer that lags behind by
   * thousands of ticks sees only a sample. If the run failed, the iteration throws its error.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Tick> {
    for (let next = 0; ; ) {
      const found = this.ticks.from(next);
      if (found) {
        next = found.number + 1;
        yield found.tick;
      } else if (this.ended) break;
      else if ((await new Promise<IteratorResult<Tick>>((resolve) => this.waiters.push({ resolve }))).done) break;
    }
    await this.result;
  }

  protected emit(tick: Tick): void {
    this.ticks.add(tick);
    for (const waiter of this.waiters.splice(0)) waiter.resolve({ done: false, value: tick });
  }

  /** Ends all iterations, because no further tick will follow. */
  protected endWatching(): void {
    this.ended = true;
    for (const waiter of this.waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
  }

  /**
   * Defines the result's properties on the run. Reading such a property from the run throws an error that asks for
   * `await`.
   */
  protected refuseUnawaited(names: readonly string[]): void {
    for (const name of names) if (!(name in this)) Object.defineProperty(this, name, { get: () => unawaited(name) });
  }
}
