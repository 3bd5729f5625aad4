import type { JsonObject } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { batchLength, LEAST_BATCHES } from "./chain-sums.ts";

/**
 * Smallest number of kept sweeps before a precise run may end. The first number is for a new run, and the second is for
 * a run that continues an earlier one.
 */
export const LEAST_SWEEPS = 1000;
export const LEAST_CONTINUED = 100;
/** Factor by which the number of sweeps must grow before precision is checked again. */
const LOOK = 1.25;

/** Chains with two kinds of sums: over the current batch of sweeps, and over all finished batches. */
interface Summed {
  /** Discards everything summed so far. */
  forget(): void;
  /** Ends a batch of this many sweeps. */
  settle(sweeps: number): void;
}

/**
 * Progress of a run of sweeps. The warm-up comes first, then batches of growing lengths until the result is precise or
 * the last sweep is done. Sums kept during warm-up provide a provisional answer. These sums are discarded halfway
 * through the warm-up and at its end.
 */
export class Batches {
  /** Number of finished sweeps, and of finished stretches of the current sweep. */
  sweep = 0;
  stretch = 0;
  /** Number of finished batches, and their sweeps. */
  done = 0;
  settled = 0;
  private inBatch = 0;
  /** Number of sweeps at the last precision check, and the result of this check. */
  private looked = 0;
  private precise = false;
  /** Number of warm-up sweeps. */
  warmup: number;
  private last: number;
  /** Smallest number of kept sweeps before the run may end as precise. */
  readonly least: number;

  constructor({ warmup, sweeps }: { readonly warmup: number; readonly sweeps: number }, least = LEAST_SWEEPS) {
    this.warmup = warmup;
    this.least = least;
    this.last = warmup + sweeps;
  }

  /** Limits the run to two sweeps, for chains in which every sweep gives the same result. */
  onlyTwo(): void {
    this.warmup = 0;
    this.last = 2;
  }

  get over(): boolean {
    return this.sweep >= this.last || this.precise;
  }
  get warmedUp(): boolean {
    return this.sweep > this.warmup;
  }
  /** Whether a batch has just ended and the next has not begun. */
  get isBetween(): boolean {
    return this.warmedUp && this.inBatch === 0 && this.stretch === 0;
  }
  get half(): number {
    return Math.floor(this.warmup / 2);
  }
  /** Number of sweeps to run before the next event, such as the end of a batch. */
  get left(): number {
    const { sweep, half, warmup, last } = this;
    const next = sweep < half ? half : sweep < warmup ? warmup : last;
    return Math.min(batchLength(this.done) - this.inBatch, next - sweep);
  }

  /** Must be called before a sweep. */
  begin(chains: readonly Summed[]): void {
    if (this.stretch > 0 || (this.sweep !== this.warmup && this.sweep !== this.half)) return;
    for (const chain of chains) chain.forget();
    this.settled = this.inBatch = this.done = 0;
  }

  /** Records finished sweeps, and checks precision if that is due. */
  count(sweeps: number, chains: readonly Summed[], isPrecise: () => boolean): void {
    this.made(sweeps, chains);
    if (this.isDue) this.look(isPrecise());
  }

  /** Records finished sweeps. */
  made(sweeps: number, chains: readonly Summed[]): void {
    this.stretch = 0;
    this.sweep += sweeps;
    this.inBatch += sweeps;
    if (this.inBatch === batchLength(this.done)) this.settle(chains);
  }

  /** Whether a precision check is due. Depends only on what a snapshot stores. */
  get isDue(): boolean {
    const enough = this.warmedUp && this.done >= LEAST_BATCHES && this.settled >= this.least;
    return enough && this.settled >= this.looked * LOOK;
  }

  /** Records the result of a precision check. */
  look(precise: boolean): void {
    this.looked = this.settled;
    this.precise = precise;
  }

  /** Must be called after the last sweep. */
  end(chains: readonly Summed[]): void {
    if (this.inBatch > 0) this.settle(chains);
  }

  private settle(chains: readonly Summed[]): void {
    for (const chain of chains) chain.settle(this.inBatch);
    this.settled += this.inBatch;
    this.inBatch = 0;
    this.done++;
  }

  snapshot(): JsonObject {
    const { sweep, stretch, done, settled, inBatch, looked, precise } = this;
    return { sweep, stretch, batches: done, settled, inBatch, looked, precise };
  }

  restore(kept: KeptPart): void {
    this.sweep = kept.count("sweep");
    this.stretch = kept.count("stretch");
    this.done = kept.count("batches");
    this.settled = kept.count("settled");
    this.inBatch = kept.count("inBatch");
    this.looked = kept.count("looked");
    this.precise = kept.flag("precise");
  }
}
