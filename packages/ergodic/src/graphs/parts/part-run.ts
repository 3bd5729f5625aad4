import type { Snapshot } from "../../engine/contract/index.ts";
import type { PartAnswer, PartInference } from "./algorithm.ts";

/**
 * Inference on a part as a generator that yields after every stretch of work. `restore` must be called before the work
 * begins.
 */
export abstract class PartRun implements PartInference {
  ended = false;
  private under: Generator<void> | undefined;

  async advance(): Promise<void> {
    this.under ??= this.work();
    if (this.under.next().done) this.ended = true;
  }

  /** Performs all remaining work, yielding every few milliseconds. */
  *finishing(): Generator<void> {
    yield* (this.under ??= this.work());
    this.ended = true;
  }

  dispose(): void {
    this.under?.return(undefined);
  }

  /** Performs all remaining work, yielding every few milliseconds. */
  protected abstract work(): Generator<void>;
  abstract answer(): PartAnswer | undefined;
  abstract report(): Record<string, number>;
  abstract snapshot(): Snapshot;
  abstract restore(snapshot: Snapshot): void;
}
