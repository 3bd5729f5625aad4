import type { JsonObject } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { batchLength, LEAST_BATCHES } from "./chain-sums.ts";

/** Sweeps that are kept before a run may end as precise, and of one that begins where another ended. */
export const LEAST_SWEEPS = 1000;
export const LEAST_CONTINUED = 100;
/** By how much more sweeps there must be until precision is looked at again. */
const LOOK = 1.25;

/** Chains that keep sums of a batch of sweeps, and of batches. */
interface Summed {
  /** What was kept of sweeps so far counts no more. */
  forget(): void;
  /** Ends a batch of so many sweeps. */
  settle(sweeps: number): void;
}

/**
 * Where a run of sweeps is: warming up, then in batches of growing lengths until it is precise, or at its last sweep. What chains keep while they warm up is an
 * answer in need: it is forgotten half-way, and once they have.
 */
export class Batches {
  /** Sweeps that are done, and stretches of the one under way. */
  sweep = 0;
  stretch = 0;
  /** Batches that are done, and their sweeps. */
  done = 0;
  settled = 0;
  private inBatch = 0;
  /** When precision was last looked at, and whether it was enough. */
  private looked = 0;
  private precise = false;
  /** Sweeps before anything is kept. */
  warmup: number;
  private last: number;
  /** Kept sweeps before the run may end as precise. */
  readonly least: number;

  constructor({ warmup, sweeps }: { readonly warmup: number; readonly sweeps: number }, least = LEAST_SWEEPS) {
    this.warmup = warmup;
    this.least = least;
    this.last = warmup + sweeps;
  }

  /** Two sweeps are all: each gives the same, whatever the chains' states. */
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
  /** Whether a batch has just ended, and the next has not begun. */
  get isBetween(): boolean {
    return this.warmedUp && this.inBatch === 0 && this.stretch === 0;
  }
  get half(): number {
    return Math.floor(this.warmup / 2);
  }
  /** Sweeps that may be made before anything else is done. */
  get left(): number {
    const { sweep, half, warmup, last } = this;
    const next = sweep < half ? half : sweep < warmup ? warmup : last;
    return Math.min(batchLength(this.done) - this.inBatch, next - sweep);
  }

  /** Before a sweep. */
  begin(chains: readonly Summed[]): void {
    if (this.stretch > 0 || (this.sweep !== this.warmup && this.sweep !== this.half)) return;
    for (const chain of chains) chain.forget();
    this.settled = this.inBatch = this.done = 0;
  }

  /** After so many sweeps, with a look at precision where it is time. */
  count(sweeps: number, chains: readonly Summed[], isPrecise: () => boolean): void {
    this.made(sweeps, chains);
    if (this.isDue) this.look(isPrecise());
  }

  /** After so many sweeps. */
  made(sweeps: number, chains: readonly Summed[]): void {
    this.stretch = 0;
    this.sweep += sweeps;
    this.inBatch += sweeps;
    if (this.inBatch === batchLength(this.done)) this.settle(chains);
  }

  /** Whether it is time to look at precision: what a snapshot keeps tells it. */
  get isDue(): boolean {
    const enough = this.warmedUp && this.done >= LEAST_BATCHES && this.settled >= this.least;
    return enough && this.settled >= this.looked * LOOK;
  }

  /** After that. */
  look(precise: boolean): void {
    this.looked = this.settled;
    this.precise = precise;
  }

  /** After the last sweep. */
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
