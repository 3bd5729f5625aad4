import type { Snapshot } from "../../engine/contract/index.ts";
import type { Call } from "../../engine/memory/pool.ts";
import type { ColumnSet } from "./column-set.ts";

/**
 * A solver, written as a generator of kernel calls. Several solvers can therefore run in parallel on the workers, and
 * each can pause between any two calls.
 *
 * Each `yield` requests a list of independent calls, which workers share, and receives their results.
 */
export type Calls<T> = Generator<readonly Call[], T, readonly number[]>;

type RunCalls = (calls: Call[]) => Promise<readonly number[]>;

/**
 * Maximum number of elements that one call to kernels/learning/working-set.ts processes. Such a call takes a few
 * milliseconds.
 */
const WORK = 4e6;

/** Runs a kernel on each set, in as many calls as needed (kernels/learning/set-block.ts). */
export function* whole(kernel: string, sets: readonly ColumnSet[], args: (k: number) => number[] = () => []): Calls<void> {
  for (let left = [...sets.keys()]; left.length > 0; ) {
    const done = yield left.map((k) => ({ kernel, args: [sets[k].block, ...args(k), WORK] }));
    left = left.filter((_, i) => done[i] === 0);
  }
}

/** `advance` pauses within a step after this many milliseconds. */
const STRETCH_MS = 20;
/**
 * A step counts as short if it takes less than this many milliseconds. A short step copies its initial state only if
 * copying takes at most COPY_SHARE of the step.
 */
const SHORT_MS = 20;
const COPY_SHARE = 0.05;

interface Follower<T> {
  readonly calls: Calls<T>;
  at: IteratorResult<readonly Call[], T>;
}

/**
 * A step of a run, as a sequence of kernel calls. A step can take a long time, so it is split into stretches.
 *
 * A snapshot cannot represent an incomplete step. A snapshot between two stretches therefore contains the state at the
 * beginning of the step, and a resumed run repeats the whole step bit for bit. Copying that state costs time. If the
 * last step was short and copying is expensive, the next step makes no copy and runs without interruption.
 */
export class LongStep<T> {
  private readonly run: RunCalls;
  private readonly keep: () => Snapshot;
  private followers: Follower<T>[] = [];
  private before: Snapshot | undefined;
  /** Duration of the last step, and duration of the last copy of the state, both in milliseconds. */
  private milliseconds = Number.POSITIVE_INFINITY;
  private copying = 0;

  /** `keep`: returns the run's snapshot between steps. */
  constructor(run: RunCalls, keep: () => Snapshot) {
    this.run = run;
    this.keep = keep;
  }

  /** Whether a step has begun but is not complete. */
  get underWay(): boolean {
    return this.followers.length > 0;
  }

  /**
   * Continues the current step, or begins one. If this stretch completes the step, returns the result of each solver.
   * Otherwise returns undefined.
   */
  async advance(begin: () => readonly Calls<T>[]): Promise<T[] | undefined> {
    if (!this.underWay) {
      const isDear = this.milliseconds < SHORT_MS && this.copying > COPY_SHARE * this.milliseconds;
      this.before = isDear ? undefined : this.copied();
      this.followers = begin().map((calls) => ({ calls, at: calls.next([]) }));
      this.milliseconds = 0;
    }
    const start = performance.now();
    const until = this.before ? start + STRETCH_MS : Number.POSITIVE_INFINITY;
    await Promise.all(this.followers.map((follower) => this.follow(follower, until)));
    this.milliseconds += performance.now() - start;
    if (!this.followers.every(({ at }) => at.done)) return undefined;
    const given = this.followers.map(({ at }) => at.value as T);
    this.followers = [];
    this.before = undefined;
    return given;
  }

  private copied(): Snapshot {
    const start = performance.now();
    const kept = this.keep();
    this.copying = performance.now() - start;
    return kept;
  }

  snapshot(): Snapshot {
    return this.before ?? this.keep();
  }

  private async follow(follower: Follower<T>, until: number): Promise<void> {
    while (!follower.at.done && performance.now() < until)
      follower.at = follower.calls.next(await this.run([...follower.at.value]));
  }
}
