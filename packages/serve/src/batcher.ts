import { isPromise, wrongCount } from "./batch-answers.ts";
import { BatchTime } from "./batch-time.ts";
import { onAbort } from "./cancellation.ts";
import type { Clock } from "./clock.ts";
import { Forecast, type Running, SLACK_MS } from "./forecast.ts";
import { type Answered, Job, Large, type Parts, rowsOfPart, settle, tooLate } from "./job.ts";
import { type BatcherOptions, checkSubmitted, complete, type Settings, type SubmitOptions } from "./options.ts";
import { Queue, type Waiting } from "./queue.ts";
import { RefusedError } from "./refused.ts";
import { type BatcherStats, Tally } from "./stats.ts";

/** Number of waiting requests whose deadlines are checked per millisecond, in about 1 % of a processor's time. */
const LOOKED_AT_PER_MS = 500;
/** Retry time if nothing better is known. */
const RETRY_MS = 1000;

/** Gathers requests into batches. Made by {@link batcher}. */
export class Batcher<Request, Answer> {
  protected static readonly typeName: string = "Batcher";
  private readonly tally = new Tally();
  /** Live histograms: rows per batch, and microseconds of answered requests in the queue, in the model and in total. */
  readonly histograms = this.tally.histograms;
  private readonly options: Settings<Request, Answer>;
  private readonly clock: Clock;
  private readonly queue: Queue<Job<Request, Answer>>;
  private readonly time = new BatchTime();
  private readonly forecast: Forecast;
  private readonly running = new Set<Running>();
  private readonly counts = this.tally.counts;
  private readonly refused = this.tally.refused;
  private readonly parts: Parts<Request, Answer> | undefined;
  /** Number of rows of large requests that are not in the queue yet. */
  private unqueued = 0;
  private limit: number;
  private scheduled = false;
  private delayTimer: unknown;
  private deadlineTimer: unknown;
  /** Time at which the timer fires. */
  private deadlineAt = Infinity;
  /** Lower bound of the deadlines of waiting requests. */
  private earliest = Infinity;
  private closing: { promise: Promise<void>; resolve: () => void } | undefined;

  /** `parts`: how the model splits requests with more rows than a batch. Without it, such a request runs whole. */
  constructor(options: BatcherOptions<Request, Answer>, parts?: Parts<Request, Answer>) {
    this.parts = parts;
    this.options = complete(options);
    this.clock = this.options.clock;
    this.queue = new Queue(this.options.ageingMs);
    this.forecast = new Forecast(this.queue, this.time, this.running, this.options);
    this.limit = this.options.maxRows;
  }

  /**
   * Submits a request. Resolves with its answer. Rejects with a {@link RefusedError} (`status` 429 or 503,
   * `retryAfterMs`), the signal's reason, an error from `run`, or an OptionError.
   */
  submit(request: Request, options: SubmitOptions = {}): Promise<Answered<Answer>> {
    return new Promise((resolve, reject) => {
      const { priority, deadlineMs, signal } = checkSubmitted(options, this.options.deadlineMs, this.options.rows(request));
      signal?.throwIfAborted();
      const job = this.ask(request, priority, deadlineMs, resolve, reject);
      if (signal) job.forget = onAbort(signal, () => this.cancel(job, signal.reason));
    });
  }

  /**
   * Submits a request without creating a promise and without checks, for the hot path. Exactly one of the two callbacks
   * is called, and it is called only once.
   * @throws RefusedError
   * @internal
   */
  ask(
    request: Request,
    priority: number,
    deadlineMs: number,
    resolve: (answered: Answered<Answer>) => void,
    reject: (error: unknown) => void,
  ): Job<Request, Answer> {
    const job = new Job<Request, Answer>(
      request,
      this.options.rows(request),
      this.clock.now(),
      priority,
      deadlineMs,
      resolve,
      reject,
    );
    const joins = this.accept(job);
    if (job.rows > this.limit && this.parts?.part(request, 0, 1) !== undefined) {
      const large = new Large(job);
      this.unqueued += job.rows;
      for (let i = 0; i < this.options.concurrency; i++) this.addPart(large);
    } else this.enqueue(job, joins);
    this.schedule();
    return job;
  }

  /**
   * Cancels a job of `ask` with a reason. A waiting job leaves the queue, and the answer of a running job is dropped.
   * @internal
   */
  cancel(job: Job<Request, Answer>, reason: unknown): void {
    if (job.state === "waiting" && !job.large) this.queue.remove(job);
    const asked = this.settled(job);
    if (!asked) return;
    this.counts.cancelled++;
    asked.reject(reason);
  }

  /**
   * Predicts the milliseconds until a request of this many rows would be answered if no other request came. Deadlines
   * are compared with this prediction. The prediction is the 99 % quantile if times are normally distributed. Before
   * the first answer, little is known, so the prediction is small.
   */
  predictMs(rows = 1, priority = 5): number {
    const probe: Waiting = { rows, priority, since: this.clock.now(), deadline: Infinity };
    return this.forecast.placeOf(probe, this.limit).waitMs;
  }

  /** Returns the statistics so far. */
  stats(): BatcherStats {
    const { perRow: perRowMs, perBatch: perBatchMs, spread } = this.time;
    const { count, rows } = this.queue;
    return this.tally.toStats({
      waiting: { requests: count, rows: rows + this.unqueued, running: this.running.size },
      time: { perRowMs, perBatchMs, spread },
      maxRows: this.limit,
    });
  }

  /** Refuses new requests (503). Resolves when all accepted requests are settled. */
  close(): Promise<void> {
    if (!this.closing) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => (resolve = done));
      this.closing = { promise, resolve };
      this.closeIfDone();
    }
    return this.closing.promise;
  }

  /** Throws the reason if a job is refused. Returns whether it would join the last planned batch. */
  private accept(job: Job<Request, Answer>): boolean {
    const { maxQueueRows } = this.options;
    if (this.closing) {
      this.refused.closed++;
      throw new RefusedError("batcher", "it is closed and accepts no more requests; use another server", "CLOSED", RETRY_MS);
    }
    const { waitMs, joins } = this.forecast.placeOf(job, this.limit);
    const { count } = this.queue;
    const rows = this.queue.rows + this.unqueued;
    if (rows > 0 && rows + job.rows > maxQueueRows) {
      this.refused.full++;
      const said = `${rows} rows are waiting, and ${job.rows} more would exceed maxQueueRows = ${maxQueueRows}; try again later`;
      throw new RefusedError("batcher", said, "QUEUE_FULL", waitMs);
    }
    // If nothing waits or runs, a try delays no other request, and only a try can correct a wrong prediction.
    const idle = count === 0 && this.running.size === 0;
    if (!idle && job.since + waitMs > job.deadline) {
      this.refused.deadline++;
      throw tooLate(job, job.since + waitMs);
    }
    return joins;
  }

  private enqueue(job: Job<Request, Answer>, joins: boolean): void {
    this.queue.add(job, this.limit, joins);
    this.earliest = Math.min(this.earliest, job.deadline);
  }

  /** Queues the next part of a large request behind the requests that wait now. */
  private addPart(large: Large<Request, Answer>): void {
    if (large.left === 0) return;
    const job = large.take(rowsOfPart(this.limit, this.time.perRow), this.clock.now(), this.parts!.part);
    this.unqueued -= job.rows;
    this.enqueue(job, false);
  }

  /**
   * Settles a job. If it is a part of a request, settles the request and all its parts. Returns the request, or
   * undefined if it was settled before.
   */
  private settled(job: Job<Request, Answer>): Job<Request, Answer> | undefined {
    const { large } = job;
    if (!large) return settle(job) ? job : undefined;
    // A part that is refused has left the queue.
    large.parts.delete(job);
    this.unqueued -= large.abandon((part) => this.queue.remove(part));
    return settle(large.whole) ? large.whole : undefined;
  }

  /** Dispatches the queue as soon as it contains all requests that have arrived by now. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.clock.setImmediate(() => {
      this.scheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    const { concurrency, maxDelayMs } = this.options;
    this.clock.clearTimeout(this.delayTimer);
    while (this.queue.count > 0 && this.running.size < concurrency) {
      if (this.running.size > 0 && this.queue.rows < this.limit) {
        const left = this.queue.oldest() + maxDelayMs - this.clock.now();
        if (left > SLACK_MS) {
          this.delayTimer = this.clock.setTimeout(() => this.dispatch(), left);
          break;
        }
      }
      const batch = this.nextBatch();
      // If the model runs on this thread, it has blocked the thread. Requests that have arrived are handled first.
      if (batch.length > 0 && this.start(batch)) break;
    }
    if (this.queue.count === 0) this.earliest = Infinity;
    if (this.queue.count === 0 || this.earliest < this.deadlineAt) this.watchDeadlines();
    this.closeIfDone();
  }

  /**
   * Takes the next batch from the head of the queue. The batch contains as many jobs as possible without making any of
   * them late. Late jobs are refused, except that the first one is tried if only late jobs wait and nothing runs.
   */
  private nextBatch(): Job<Request, Answer>[] {
    const now = this.clock.now() - SLACK_MS;
    const batch: Job<Request, Answer>[] = [];
    const late: Job<Request, Answer>[] = [];
    let rows = 0;
    let earliest = Infinity;
    for (let job = this.queue.head(); job; job = this.queue.head()) {
      const more = rows + job.rows;
      // Jobs that were planned together already have a margin for slow batches. Other jobs must leave such a margin.
      const ms = job.planned === batch[0]?.planned ? this.time.mean(more) : this.time.slow(more);
      if (batch.length > 0 && (more > this.limit || now + ms > earliest)) break;
      const isLate = now + this.time.mean(more) > job.deadline;
      // Another batch that starts now might still meet its deadlines.
      const hasHope = this.options.concurrency > 1 && now + this.time.mean(job.rows) <= job.deadline;
      if (isLate && hasHope && batch.length > 0) break;
      this.queue.remove(job);
      if (isLate) {
        late.push(job);
        continue;
      }
      batch.push(job);
      rows = more;
      earliest = Math.min(earliest, job.deadline);
    }
    for (const job of late) {
      if (batch.length === 0 && this.running.size === 0 && job.deadline > now) batch.push(job);
      else this.refuseLate(job, now + this.time.mean(job.rows));
    }
    return batch;
  }

  /** Starts a batch. Returns whether the batch is finished, which is so if `run` returns no promise. */
  private start(jobs: Job<Request, Answer>[]): boolean {
    let rows = 0;
    for (const job of jobs) {
      rows += job.rows;
      job.state = "running";
    }
    const batch: Running = { rows, since: this.clock.now() };
    this.running.add(batch);
    const end = (answers: readonly (Answer | Error)[]): void => {
      if (answers?.length !== jobs.length) throw wrongCount(jobs.length, answers);
      this.running.delete(batch);
      this.succeed(jobs, batch, answers);
    };
    const fail = (error: unknown): void => {
      this.running.delete(batch);
      this.fail(jobs, error);
    };
    let answers: readonly (Answer | Error)[] | PromiseLike<readonly (Answer | Error)[]>;
    try {
      answers = this.options.run(jobs.map((job) => job.request));
      if (!isPromise(answers)) end(answers);
    } catch (error) {
      fail(error);
      this.schedule();
      return true;
    }
    if (isPromise(answers)) {
      Promise.resolve(answers)
        .then(end)
        .catch(fail)
        .then(() => this.schedule());
      return false;
    }
    this.schedule();
    return true;
  }

  private succeed(jobs: Job<Request, Answer>[], { rows: batchRows, since }: Running, answers: readonly (Answer | Error)[]): void {
    const now = this.clock.now();
    const computeMs = now - since;
    this.time.observe(batchRows, computeMs);
    const { maxRows, targetP99Ms } = this.options;
    if (targetP99Ms !== undefined) this.limit = Math.min(maxRows, this.time.rowsFor(targetP99Ms));
    this.tally.batch(batchRows, computeMs);
    for (let i = 0; i < jobs.length; i++) {
      const job = jobs[i];
      // The client has left.
      if (job.state === "settled") continue;
      const answer = answers[i];
      if (answer instanceof Error) {
        const asked = this.settled(job);
        if (!asked) continue;
        this.counts.rejected++;
        asked.reject(answer);
      } else if (job.large) {
        settle(job);
        job.large.answer(job, answer, since, computeMs, batchRows);
        this.continue(job.large);
      } else {
        settle(job);
        const queueUs = 1000 * (since - job.since);
        this.tally.answer(queueUs, 1000 * (now - job.since));
        job.resolve({ answer, batchRows, batchRequests: jobs.length, queueUs, computeUs: 1000 * computeMs });
      }
    }
  }

  /** Queues the next part of a large request, or resolves it if all parts are answered. */
  private continue(large: Large<Request, Answer>): void {
    this.addPart(large);
    if (!large.isAnswered) return;
    const { whole } = large;
    settle(whole);
    const answered = large.answered(this.parts!.joined);
    this.tally.answer(answered.queueUs, 1000 * (this.clock.now() - whole.since));
    whole.resolve(answered);
  }

  private fail(jobs: Job<Request, Answer>[], error: unknown): void {
    for (const job of jobs) {
      const asked = job.state === "settled" ? undefined : this.settled(job);
      if (!asked) continue;
      this.counts.failed++;
      asked.reject(error);
    }
  }

  /** Rejects a job that has left the queue. */
  private refuseLate(job: Job<Request, Answer>, wouldBe: number): void {
    const asked = this.settled(job);
    if (!asked) return;
    this.refused.deadline++;
    asked.reject(tooLate(asked, wouldBe));
  }

  /** Sets the only timer to the earliest deadline, or to `soonest` if `soonest` is later. */
  private watchDeadlines(soonest = 0): void {
    this.clock.clearTimeout(this.deadlineTimer);
    this.deadlineAt = Math.max(this.earliest, soonest);
    if (this.deadlineAt < Infinity)
      this.deadlineTimer = this.clock.setTimeout(() => this.refusePassed(), Math.max(0, this.deadlineAt - this.clock.now()));
  }

  /** Refuses jobs whose deadline passed while they waited. The checks take only a small part of the time. */
  private refusePassed(): void {
    const now = this.clock.now();
    this.earliest = Infinity;
    for (const job of [...this.queue]) {
      if (job.deadline > now) this.earliest = Math.min(this.earliest, job.deadline);
      else {
        this.queue.remove(job);
        this.refuseLate(job, now);
      }
    }
    this.watchDeadlines(now + 1 + this.queue.count / LOOKED_AT_PER_MS);
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.queue.count === 0 && this.running.size === 0) this.closing?.resolve();
  }
}

/**
 * Gathers requests into batches, for a model that answers many rows together faster than one by one.
 *
 * While no batch runs, a request starts immediately. Otherwise it waits for the next batch. The next batch takes the
 * waiting requests, up to `maxRows` rows. Requests are taken in the order of priority and arrival, and no request
 * starves. The batcher learns how long batches take (t = a·rows + b), and refuses requests that would miss their
 * deadline. Each answer includes the size of its batch, its waiting time and the batch's time.
 * @throws OptionError if an option is unknown or out of its range
 * @example
 * ```ts
 * const batches = batcher({ run: (requests) => model.predict(requests) });
 * const { answer, batchRows, queueUs, computeUs } = await batches.submit([1, 2, 3], { deadlineMs: 50 });
 * ```
 */
export function batcher<Request, Answer>(options: BatcherOptions<Request, Answer>): Batcher<Request, Answer> {
  return new Batcher(options);
}
