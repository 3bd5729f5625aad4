/**
 * A planned batch of the queue: the number of waiting rows and requests, and the earliest deadline of any request that
 * has been in it.
 */
interface Planned {
  rows: number;
  count: number;
  deadline: number;
}

/** A waiting request. Its properties `key`, `fill`, `planned`, `before` and `after` are maintained by the queue. */
export interface Waiting {
  /** Number of rows, ≥ 1. */
  readonly rows: number;
  /** Priority, from 1 (first) to LEVELS. */
  readonly priority: number;
  /** Arrival time, in milliseconds of the clock. */
  readonly since: number;
  /** Time after which the request's answer is useless; Infinity if there is no deadline. */
  readonly deadline: number;
  key?: number;
  /** Number of the request's rows, but at most the size of a batch. */
  fill?: number;
  planned?: Planned | undefined;
  before?: this | undefined;
  after?: this | undefined;
}

/**
 * Position of a new request: the number of rows and batches ahead of its batch, and the number of rows in its batch,
 * including its own rows.
 */
export interface Place {
  rows: number;
  batches: number;
  own: number;
}

/** Number of priorities. */
export const LEVELS = 9;

/** Requests of one priority in order of arrival. */
interface Lane<T> {
  head: T | undefined;
  tail: T | undefined;
  rows: number;
  /** Number of rows, where a request with more rows than a batch counts as one batch. */
  fill: number;
  /** Number of batches that the requests of the lane are planned to form. */
  batches: number;
}

/**
 * Waiting requests, in the order in which they will be taken. The order is by arrival time plus `ageingMs` for each
 * step by which the priority is lower.
 *
 * A later request can overtake only within that time, so no request starves. Within a priority, requests are in the
 * order of their arrival. The queue is stored as the batches that it will form, so that the position of a new request
 * is found in constant time.
 */
export class Queue<T extends Waiting> {
  /** Number of waiting rows. */
  rows = 0;
  /** Number of waiting requests. */
  count = 0;
  private readonly ageingMs: number;
  private readonly lanes: Lane<T>[] = [];

  constructor(ageingMs: number) {
    this.ageingMs = ageingMs;
    for (let i = 0; i < LEVELS; i++) this.lanes.push({ head: undefined, tail: undefined, rows: 0, fill: 0, batches: 0 });
  }

  /**
   * Appends a request to its lane. If `joins`, the request joins the last planned batch; otherwise it begins a new
   * batch. `limit`: rows per batch.
   */
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

  /** Removes a waiting request. */
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

  /** Returns the next request. */
  head(): T | undefined {
    let first: T | undefined;
    for (const { head } of this.lanes) if (head && (!first || head.key! < first.key!)) first = head;
    return first;
  }

  /** Returns the arrival time of the request that has waited longest. Returns Infinity if no request waits. */
  oldest(): number {
    let since = Infinity;
    for (const { head } of this.lanes) if (head && head.since < since) since = head.since;
    return since;
  }

  /** Yields all waiting requests, priority by priority. */
  *[Symbol.iterator](): Generator<T> {
    for (const { head } of this.lanes) for (let one = head; one; one = one.after) yield one;
  }

  /**
   * Returns the batch that a new request would join, which is the last batch of its lane if the request fits into
   * `limit` rows.
   */
  open(one: T, limit: number): Planned | undefined {
    const last = this.lanes[one.priority - 1].tail?.planned;
    return last && last.rows + one.rows <= limit ? last : undefined;
  }

  /**
   * Returns the position of a new request. If `joined` is given, the request joins this batch. Otherwise, it gets a new
   * batch. Batches have `limit` rows.
   */
  place(one: T, limit: number, joined: Planned | undefined): Place {
    const key = this.keyOf(one);
    const place = { rows: joined ? -joined.rows : 0, batches: joined ? -1 : 0, own: (joined?.rows ?? 0) + one.rows };
    for (let i = 0; i < LEVELS; i++) {
      const { head, tail, rows, fill, batches } = this.lanes[i];
      if (!head || !tail) continue;
      // In lanes of lower priority, requests that have waited long enough are ahead. The share of such requests is
      // estimated from the lane's ends, as if arrivals were evenly spaced.
      const part = i < one.priority || tail.key! <= key ? 1 : Math.max(0, (key - head.key!) / (tail.key! - head.key!));
      place.rows += part * rows;
      // The limit might have decreased since the batches were planned.
      place.batches += part * Math.max(batches, fill / limit);
    }
    return place;
  }

  private keyOf({ since, priority }: Waiting): number {
    return since + (priority - 1) * this.ageingMs;
  }
}
