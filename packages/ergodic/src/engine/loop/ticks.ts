import type { Tick } from "../contract/index.ts";

const RECENT = 2048;

interface Kept {
  /** Index of the tick in the run, from 0. */
  readonly number: number;
  readonly tick: Tick;
}

/**
 * Ticks of a run: the RECENT latest ticks, and at most RECENT evenly spaced ticks before them, including the first. A
 * run that takes months therefore stores no more ticks than a run that takes minutes.
 */
export class Ticks {
  private readonly recentCount: number;
  /** Older ticks: every `stride`-th tick that is no longer recent. */
  private older: Kept[] = [];
  private stride = 1;
  /** Ring buffer: tick t is at index t modulo its size. */
  private readonly recent: Tick[] = [];
  private count = 0;

  constructor(recentCount = RECENT) {
    this.recentCount = recentCount;
  }

  add(tick: Tick): void {
    const at = this.count % this.recentCount;
    const leaving = this.count - this.recentCount;
    if (leaving >= 0 && leaving % this.stride === 0) this.older.push({ number: leaving, tick: this.recent[at] });
    this.recent[at] = tick;
    this.count++;
    if (this.older.length <= this.recentCount) return;
    this.stride *= 2;
    this.older = this.older.filter(({ number }) => number % this.stride === 0);
  }

  /** Returns the first stored tick whose index is at least `from`. */
  from(from: number): Kept | undefined {
    const firstRecent = Math.max(0, this.count - this.recentCount);
    const old = from < firstRecent ? this.older[Math.ceil(from / this.stride)] : undefined;
    const number = old?.number ?? Math.max(from, firstRecent);
    if (number >= this.count) return undefined;
    return old ?? { number, tick: this.recent[number % this.recentCount] };
  }

  /** Returns the stored ticks in order. */
  list(): Tick[] {
    const first = this.count % this.recentCount;
    const recent = this.count < this.recentCount ? this.recent : [...this.recent.slice(first), ...this.recent.slice(0, first)];
    return [...this.older.map(({ tick }) => tick), ...recent];
  }
}
