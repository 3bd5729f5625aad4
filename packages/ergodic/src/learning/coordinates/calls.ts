import type { Snapshot } from "../../engine/contract/index.ts";
import type { Call } from "../../engine/memory/pool.ts";
import type { ColumnSet } from "./column-set.ts";

/**
 * Solvers written as generators of kernel calls, so that several of them can run side by side on the workers, and stop between any two calls.
 *
 * What a solver asks to be run, calls side by side that do not depend on each other: workers share them. The results come back.
 */
export type Calls<T> = Generator<readonly Call[], T, readonly number[]>;

type RunCalls = (calls: Call[]) => Promise<readonly number[]>;

/** Elements that a call of kernels/learning/working-set.ts touches at most: some milliseconds. */
const WORK = 4e6;

/** A kernel on each of the sets, in as many calls as it takes (kernels/learning/set-block.ts). */
export function* whole(kernel: string, sets: readonly ColumnSet[], args: (k: number) => number[] = () => []): Calls<void> {
  for (let left = [...sets.keys()]; left.length > 0; ) {
    const done = yield left.map((k) => ({ kernel, args: [sets[k].block, ...args(k), WORK] }));
    left = left.filter((_, i) => done[i] === 0);
  }
}

/** Of an `advance` that stops within a step. */
const STRETCH_MS = 20;
/** A step that is expected to be shorter is worth a copy of what it begins with only where that takes no more than a share of it. */
const SHORT_MS = 20;
const COPY_SHARE = 0.05;

interface Follower<T> {
  readonly calls: Calls<T>;
  at: IteratorResult<readonly Call[], T>;
}

/**
 * A step of a run made of kernel calls, which may take long: it is made in stretches.
 *
 * Between two stretches the step is half done, which no snapshot can hold: what is kept then is the run as it was when the step began, from where the same step is
 * made again, bit for bit. That copy costs time, so that after a short step (the next is likely to be short as well) none is made where it is dear, and the step is not interrupted.
 */
export class LongStep<T> {
  private readonly run: RunCalls;
  private readonly keep: () => Snapshot;
  private followers: Follower<T>[] = [];
  private before: Snapshot | undefined;
  /** Of the last step, and of the last copy. */
  private milliseconds = Number.POSITIVE_INFINITY;
  private copying = 0;

  /** `keep`: the run's snapshot between steps. */
  constructor(run: RunCalls, keep: () => Snapshot) {
    this.run = run;
    this.keep = keep;
  }

  /** A step has begun, and is not done yet. */
  get underWay(): boolean {
    return this.followers.length > 0;
  }

  /** Continues the step under way, or begins one. Undefined where it is not done after a stretch; else what each solver gave. */
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
