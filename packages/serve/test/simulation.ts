/**
 * Time controlled by the test, a model that takes simulated time, and arrivals. Batchers behave in the simulation as in
 * reality, only faster.
 */
import { stream } from "ergodic";
import { type Answered, type Batcher, type BatcherOptions, batcher, type Clock, type SubmitOptions } from "../src/index.ts";

/** A sequence of random numbers. */
export type Numbers = ReturnType<ReturnType<typeof stream>["at"]>;

interface Event {
  at: number;
  order: number;
  callback: () => void;
}

/** A binary heap ordered by time, then by insertion. */
export class FakeClock implements Clock {
  private time = 0;
  private order = 0;
  private readonly heap: Event[] = [];
  private readonly taken = new Set<unknown>();
  private immediates: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    return this.at(this.time + Math.max(0, ms), callback);
  }

  clearTimeout(timer: unknown): void {
    if (timer !== undefined) this.taken.add(timer);
  }

  setImmediate(callback: () => void): void {
    this.immediates.push(callback);
  }

  at(time: number, callback: () => void): Event {
    const event = { at: time, order: this.order++, callback };
    const { heap } = this;
    let i = heap.push(event) - 1;
    while (i > 0 && before(event, heap[(i - 1) >> 1])) {
      heap[i] = heap[(i - 1) >> 1];
      i = (i - 1) >> 1;
    }
    heap[i] = event;
    return event;
  }

  /** Runs all events before `until`. */
  async run(until = Infinity): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.heap[0];
      if (next && next.at <= this.time) this.pop().callback();
      else if (this.immediates.length > 0) for (const callback of this.immediates.splice(0)) callback();
      else if (next && next.at < until) this.time = next.at;
      else break;
    }
    if (until < Infinity) this.time = until;
  }

  private pop(): { callback: () => void } {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      let i = 0;
      for (let child = 1; child < heap.length; child = 2 * i + 1) {
        if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
        if (!before(heap[child], last)) break;
        heap[i] = heap[child];
        i = child;
      }
      heap[i] = last;
    }
    return this.taken.delete(first) ? { callback: () => {} } : first;
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export interface Arrival extends Omit<SubmitOptions, "signal"> {
  at: number;
  rows: number;
  /** Time at which the request is cancelled. */
  cancelAt?: number;
}

export interface RanBatch {
  start: number;
  end: number;
  ids: number[];
  rows: number;
}

export interface Outcome {
  /** Outcome: the answer, or the code or name of the error. */
  said: Answered<number> | string;
  at: number;
}

export interface Simulated {
  batches: RanBatch[];
  outcomes: Outcome[];
  batcher: Batcher<number, number>;
  /** Time at which the arrivals began. */
  from: number;
}

/** Sizes of batches that run before the arrivals, so that times are known. */
export const WARM = [1, 7, 3];

/**
 * Runs arrivals through a batcher. Requests are their numbers, and so are answers. `time` is the duration of a batch of
 * that many rows that starts at a moment after the first arrivals.
 */
export async function simulate(
  arrivals: readonly Arrival[],
  time: (rows: number, now: number) => number,
  options: Omit<BatcherOptions<number, number>, "run" | "rows" | "clock"> = {},
): Promise<Simulated> {
  const clock = new FakeClock();
  const batches: RanBatch[] = [];
  const outcomes: Outcome[] = [];
  const rowsOf = (id: number): number => (id < 0 ? -id : arrivals[id].rows);
  let from = 0;
  const one = batcher<number, number>({
    ...options,
    clock,
    rows: rowsOf,
    run: (ids) => {
      const rows = ids.reduce((sum, id) => sum + rowsOf(id), 0);
      const start = clock.now();
      const end = start + time(rows, start - from);
      if (ids[0] >= 0) batches.push({ start: start - from, end: end - from, ids, rows });
      return new Promise((resolve) => clock.at(end, () => resolve(ids)));
    },
  });
  for (const rows of WARM) {
    const warmed = one.submit(-rows, { deadlineMs: 1e9 });
    await clock.run();
    await warmed;
  }
  from = clock.now();
  for (const [id, { at, rows: _, cancelAt, ...how }] of arrivals.entries())
    clock.at(from + at, () => {
      const canceller = new AbortController();
      if (cancelAt !== undefined) clock.at(from + cancelAt, () => canceller.abort(new Error("cancelled")));
      const settled = (said: Answered<number> | string): void => {
        if (outcomes[id]) throw new Error(`request ${id} was settled twice`);
        outcomes[id] = { said, at: clock.now() - from };
      };
      one
        .submit(id, cancelAt === undefined ? how : { ...how, signal: canceller.signal })
        .then(settled, (error) => settled(error.code ?? error.message));
    });
  await clock.run();
  return { batches, outcomes, batcher: one, from };
}

/** Times of arrivals in [0, until) with exponential gaps, `rate` per millisecond. */
export function poisson(rate: number, until: number, draws: Numbers): number[] {
  const times: number[] = [];
  for (let t = draws.exponential() / rate; t < until; t += draws.exponential() / rate) times.push(t);
  return times;
}

/**
 * A Poisson process whose rate alternates between 0.6 and 2.2 times `rate`, for 60 and 20 ms on average, so that its
 * long-run mean is `rate`.
 */
export function bursty(rate: number, until: number, draws: Numbers): number[] {
  const times: number[] = [];
  let high = false;
  for (let from = 0; from < until; high = !high) {
    const to = Math.min(until, from + draws.exponential() * (high ? 20 : 60));
    for (const t of poisson(rate * (high ? 2.2 : 0.6), to - from, draws)) times.push(from + t);
    from = to;
  }
  return times;
}

/** Repeated bursts. Each has as many arrivals as `rate` gives in the 30 ms or so since the previous one. */
export function floods(rate: number, until: number, draws: Numbers): number[] {
  const times: number[] = [];
  for (let t = 0; t < until; t += 10 + draws.exponential() * 20)
    for (let i = draws.integer(Math.ceil(60 * rate)) + 1; i > 0; i--) times.push(t);
  return times;
}

export const draws = (seed: number, ...names: (string | number)[]): Numbers => stream(seed, ...names).at(0);

/** Nearest-rank quantile. */
export function quantile(values: readonly number[], p: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(p * values.length) - 1)];
}
