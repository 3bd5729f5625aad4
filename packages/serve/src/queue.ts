/** A batch that the queue will become, as far as is known: rows and requests of it that wait, and the earliest deadline that any had. */
interface Planned {
  rows: number;
  count: number;
  deadline: number;
}

/** What waits. The queue keeps `key`, `fill`, `planned`, `before` and `after`. */
export interface Waiting {
  /** Rows, ≥ 1. */
  readonly rows: number;
  /** 1 (first) to LEVELS. */
  readonly priority: number;
  /** When it came, in milliseconds of the clock. */
  readonly since: number;
  /** When its answer is of no use any more; Infinity: never. */
  readonly deadline: number;
  key?: number;
  /** Its rows, as far as a batch has so many. */
  fill?: number;
  planned?: Planned | undefined;
  before?: this | undefined;
  after?: this | undefined;
}

/** Where a newcomer would be: what is ahead of the batch that it would be in, and rows of that batch, its own included. */
export interface Place {
  rows: number;
  batches: number;
  own: number;
}

/** Priorities. */
export const LEVELS = 9;

/** Requests of one priority in the order in which they came. */
interface Lane<T> {
  head: T | undefined;
  tail: T | undefined;
  rows: number;
  /** The same, of requests that are larger than a batch no more than a batch. */
  fill: number;
  /** Batches that its requests were planned to be. */
  batches: number;
}

/**
 * Requests that wait, in the order in which they will be taken: by the time at which they came, to which each step down in priority adds `ageingMs`.
 *
 * So what comes later than that overtakes nothing, and nobody starves; within a priority the order is that of arrival. The queue is kept as the
 * batches that it will become, so that a newcomer's place is told in constant time, however many wait.
 */
export class Queue<T extends Waiting> {
  /** Rows that wait. */
  rows = 0;
  /** Requests that wait. */
  count = 0;
  private readonly ageingMs: number;
  private readonly lanes: Lane<T>[] = [];

  constructor(ageingMs: number) {
    this.ageingMs = ageingMs;
    for (let i = 0; i < LEVELS; i++) this.lanes.push({ head: undefined, tail: undefined, rows: 0, fill: 0, batches: 0 });
  }

  /** Appends to its lane, into the last planned batch where `joins`, else into one of its own. `limit`: rows of batches. */
  add(one: T, limit: number, joins: boolean): void {
    const lane = this.lanes[one.priority - 1];
    one.key = this.keyOf(one);
    one.fill = Math.min(one.rows, limit);
    const last = joins ? lane.tail?.planned : undefined;
    one.planned = last ?? { rows: 0, count: 0, deadline: Infinity };
    if (!last) lane.batches++;
    one.planned.rows += one.rows;
    one.planned.count++;
    one.planned.deadline = Math.min(one.planned.deadline, one.deadline);
    one.before = lane.tail;
    if (lane.tail) lane.tail.after = one;
    else lane.head = one;
    lane.tail = one;
    lane.rows += one.rows;
    lane.fill += one.fill;
    this.rows += one.rows;
    this.count++;
  }

  /** Takes out one that waits. */
  remove(one: T): void {
    const lane = this.lanes[one.priority - 1];
    const { before, after } = one;
    if (before) before.after = after;
    else lane.head = after;
    if (after) after.before = before;
    else lane.tail = before;
    one.before = one.after = undefined;
    one.planned!.rows -= one.rows;
    if (--one.planned!.count === 0) lane.batches--;
    lane.rows -= one.rows;
    lane.fill -= one.fill!;
    this.rows -= one.rows;
    this.count--;
  }

  /** The one that is taken next. */
  head(): T | undefined {
    let first: T | undefined;
    for (const { head } of this.lanes) if (head && (!first || head.key! < first.key!)) first = head;
    return first;
  }

  /** When the one came that waits longest; Infinity where none waits. */
  oldest(): number {
    let since = Infinity;
    for (const { head } of this.lanes) if (head && head.since < since) since = head.since;
    return since;
  }

  /** All that wait, priority by priority. */
  *[Symbol.iterator](): Generator<T> {
    for (const { head } of this.lanes) for (let one = head; one; one = one.after) yield one;
  }

  /** The batch of its lane that a newcomer may join, if it fits into `limit` rows. */
  open(one: T, limit: number): Planned | undefined {
    const last = this.lanes[one.priority - 1].tail?.planned;
    return last && last.rows + one.rows <= limit ? last : undefined;
  }

  /** The place of a newcomer, in the batch `joined` or in one of its own, if batches have `limit` rows. */
  place(one: T, limit: number, joined: Planned | undefined): Place {
    const key = this.keyOf(one);
    const place = { rows: joined ? -joined.rows : 0, batches: joined ? -1 : 0, own: (joined?.rows ?? 0) + one.rows };
    for (let i = 0; i < LEVELS; i++) {
      const { head, tail, rows, fill, batches } = this.lanes[i];
      if (!head || !tail) continue;
      // Of lanes further down those are ahead that have waited long enough: told from the ends, as if they had come evenly.
      const part = i < one.priority || tail.key! <= key ? 1 : Math.max(0, (key - head.key!) / (tail.key! - head.key!));
      place.rows += part * rows;
      // The limit may have fallen since they were planned.
      place.batches += part * Math.max(batches, fill / limit);
    }
    return place;
  }

  private keyOf({ since, priority }: Waiting): number {
    return since + (priority - 1) * this.ageingMs;
  }
}
