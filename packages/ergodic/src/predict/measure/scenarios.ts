/**
 * Runs queries one after another. Each query starts when the previous one completes, or when it is due. Latencies are
 * in milliseconds, per query.
 */
import { float64s } from "../../engine/memory/room.ts";
import { turn } from "../../engine/threads/turn.ts";

/** A clock. Tests replace this clock to simulate time. */
export interface MeasureClock {
  /** Returns milliseconds since an arbitrary moment. */
  now(): number;
  /** Resolves once `now()` is at least `time`. */
  until(time: number): Promise<void> | void;
}

/** The function to measure, and the clock. */
export interface Load {
  readonly clock: MeasureClock;
  /** Returns the answer to query i, or a promise of it. */
  call(i: number): unknown;
  readonly signal: AbortSignal | undefined;
}

export interface Timings {
  readonly latencies: Float64Array;
  /** Milliseconds from the first query to the last answer. */
  readonly ms: number;
  /** Number of queries whose latency is above the limit. */
  readonly over: number;
}

/** Maximum number of stored latencies. */
export const MOST_QUERIES = 2 ** 24;
/**
 * Interval, in milliseconds, at which the event loop gets a turn. Without these turns, signals and timers would not be
 * handled.
 */
const PAUSE = 50;
/**
 * Largest delay of a timer, in milliseconds. A timer is therefore used only until this time before the deadline, and
 * after that turns of the event loop.
 */
const TIMER = 3;

export const hostClock: MeasureClock = {
  now: () => performance.now(),
  async until(time) {
    for (let left = time - performance.now(); left > 0; left = time - performance.now()) {
      if (left > TIMER) await new Promise((resolve) => setTimeout(resolve, left - TIMER));
      else await turn();
    }
  },
};

const isPromise = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof (answer as PromiseLike<unknown> | null | undefined)?.then === "function";

async function pause({ signal }: Load): Promise<void> {
  await turn();
  signal?.throwIfAborted();
}

/** Starts each query when the previous one completes, until there are `atLeast` queries and `ms` have passed. */
export async function consecutive(load: Load, atLeast: number, ms: number): Promise<Timings> {
  const { clock } = load;
  const latencies: number[] = [];
  const begin = clock.now();
  for (let now = begin, paused = begin; latencies.length < MOST_QUERIES; ) {
    const from = clock.now();
    const answer = load.call(latencies.length);
    if (isPromise(answer)) await answer;
    now = clock.now();
    latencies.push(now - from);
    if (latencies.length >= atLeast && now - begin >= ms)
      return { latencies: Float64Array.from(latencies), ms: now - begin, over: 0 };
    if (now - paused < PAUSE) continue;
    await pause(load);
    paused = clock.now();
  }
  return { latencies: Float64Array.from(latencies), ms: clock.now() - begin, over: 0 };
}

/**
 * Starts query i at due(i), whether or not earlier queries have been answered. The query's latency counts from due(i).
 * Answers that are promises are not awaited. Ends early if more than `allowed` queries took longer than `limit`.
 */
export async function scheduled(
  load: Load,
  count: number,
  due: (i: number) => number,
  limit = Infinity,
  allowed = Infinity,
): Promise<Timings> {
  const { clock } = load;
  const latencies = float64s("measure", "latencies", count).fill(NaN);
  const pending: PromiseLike<void>[] = [];
  const failures: unknown[] = [];
  let over = 0;
  const begin = clock.now();
  let paused = begin;
  for (let i = 0; i < count && over <= allowed && failures.length === 0; i++) {
    const at = begin + due(i);
    if (clock.now() < at) {
      await clock.until(at);
      load.signal?.throwIfAborted();
      paused = clock.now();
    } else if (clock.now() - paused >= PAUSE) {
      await pause(load);
      paused = clock.now();
    }
    const done = (): void => {
      latencies[i] = clock.now() - at;
      if (latencies[i] > limit) over++;
    };
    const answer = load.call(i);
    if (isPromise(answer)) pending.push(answer.then(done, (error) => void failures.push(error)));
    else done();
  }
  await Promise.all(pending);
  if (failures.length > 0) throw failures[0];
  return { latencies, ms: clock.now() - begin, over };
}

/** A rate that was tried. */
export interface RateTrial {
  /** Queries per second. */
  readonly rate: number;
  /** Whether the 99th percentile was within the bound. */
  readonly passed: boolean;
}

const NEAR = 1.02;
/**
 * Maximum number of halvings of the rate. At the lowest load, 1/256, queries hardly ever overlap. A query that is too
 * slow at this load would therefore also be too slow alone.
 */
const HALVINGS = 7;
const DOUBLINGS = 40;

/**
 * Finds the highest rate that passes, with a relative precision of 2 %. The rate is doubled until a run fails, or
 * halved until a run passes. It is then bisected on a log scale. Undefined if no rate passed.
 */
export async function highestRate<T extends RateTrial>(
  start: number,
  run: (rate: number) => Promise<T>,
): Promise<{ best: T | undefined; trials: T[] }> {
  const trials: T[] = [];
  let best: T | undefined;
  let failed = Infinity;
  const tried = async (rate: number): Promise<boolean> => {
    const trial = await run(rate);
    trials.push(trial);
    if (trial.passed) best = trial;
    else failed = rate;
    return trial.passed;
  };
  for (let rate = start, k = 0; k < DOUBLINGS && (await tried(rate)); rate *= 2, k++);
  for (let rate = start / 2, k = 0; !best && k < HALVINGS && !(await tried(rate)); rate /= 2, k++);
  while (best && failed < Infinity && failed / best.rate > NEAR) await tried(Math.sqrt(failed * best.rate));
  return { best, trials };
}
