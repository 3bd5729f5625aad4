import type { Waiting } from "./queue.ts";
import { RefusedError } from "./refused.ts";

/** An answer, with information about how it was computed. */
export interface Answered<Answer> {
  /** Answer that `run` returned. */
  answer: Answer;
  /** Number of rows in its batch. */
  batchRows: number;
  /** Number of requests in its batch. */
  batchRequests: number;
  /** Microseconds from the submission of the request to the start of its batch. */
  queueUs: number;
  /** Microseconds that the batch took. */
  computeUs: number;
}

/** A submitted request, with the callbacks that settle it. */
export class Job<Request, Answer> implements Waiting {
  protected static readonly typeName: string = "Job";
  readonly request: Request;
  readonly rows: number;
  readonly priority: number;
  readonly since: number;
  readonly deadline: number;
  readonly resolve: (answered: Answered<Answer>) => void;
  readonly reject: (error: unknown) => void;
  /** Removes the listener from the signal. */
  forget: (() => void) | undefined;
  state: "waiting" | "running" | "settled" = "waiting";
  key = 0;
  fill = 0;
  planned: Waiting["planned"];
  before: this | undefined;
  after: this | undefined;
  /** For a request that is computed in parts, and for its parts. */
  large: Large<Request, Answer> | undefined;

  constructor(
    request: Request,
    rows: number,
    since: number,
    priority: number,
    deadlineMs: number,
    resolve: (answered: Answered<Answer>) => void,
    reject: (error: unknown) => void,
  ) {
    this.request = request;
    this.rows = rows;
    this.priority = priority;
    this.since = since;
    this.deadline = since + deadlineMs;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Marks a job as settled. Returns false if the job was already settled. */
export function settle<Request, Answer>(job: Job<Request, Answer>): boolean {
  if (job.state === "settled") return false;
  job.state = "settled";
  job.forget?.();
  return true;
}

/** Error for a job that would be answered at `wouldBe`, after its deadline. */
export function tooLate({ since, deadline }: Waiting, wouldBe: number): RefusedError {
  const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;
  const said = `the answer was required within ${ms(deadline - since)}, but would take ${ms(wouldBe - since)}; try again later, or allow more time`;
  return new RefusedError("batcher", said, "DEADLINE", wouldBe - deadline);
}

/** How a model splits requests. */
export interface Parts<Request, Answer> {
  /** Returns the rows from `from` to `to` of a request. Undefined if the request cannot be split. */
  part(request: Request, from: number, to: number): Request | undefined;
  /** Joins the answers to the parts of a request, in their order. */
  joined(answers: readonly Answer[]): Answer;
}

/** Milliseconds that a part should take, since other requests wait for it. */
const PART_MS = 2;
/** Smallest number of rows of a part. Kernels are slow for fewer rows. */
const LEAST_ROWS = 16;

/** Number of rows of a part. `limit`: of the largest batch; `perRowMs`: 0 if not known yet. */
export function rowsOfPart(limit: number, perRowMs: number): number {
  return Math.min(limit, Math.max(LEAST_ROWS, perRowMs > 0 ? Math.floor(PART_MS / perRowMs) : limit));
}

/**
 * A request with more rows than a batch. It is computed in parts, and a part is queued only when the part before it is
 * answered. Requests that arrive meanwhile are therefore ahead of the next part, so that none of them waits for the
 * whole large request.
 */
export class Large<Request, Answer> {
  protected static readonly typeName: string = "Large";
  readonly whole: Job<Request, Answer>;
  /** Parts that wait or run. */
  readonly parts = new Set<Job<Request, Answer>>();
  /** Number of rows that are in no part yet. */
  left: number;
  /** Time at which the first part started, time of all batches with a part, and rows of the largest of them. */
  private startedAt = Infinity;
  private computeMs = 0;
  private batchRows = 0;
  readonly #answers: Answer[] = [];
  readonly #places = new Map<Job<Request, Answer>, number>();
  #count = 0;

  constructor(whole: Job<Request, Answer>) {
    this.whole = whole;
    this.left = whole.rows;
    whole.large = this;
  }

  /** Takes the next rows as a job, which arrives at `now`. */
  take(rows: number, now: number, part: Parts<Request, Answer>["part"]): Job<Request, Answer> {
    const { request, rows: all, priority, deadline, resolve, reject } = this.whole;
    const from = all - this.left;
    const to = Math.min(all, from + rows);
    const job = new Job<Request, Answer>(
      part(request, from, to) as Request,
      to - from,
      now,
      priority,
      deadline - now,
      resolve,
      reject,
    );
    job.large = this;
    this.left -= job.rows;
    this.parts.add(job);
    this.#places.set(job, this.#count++);
    return job;
  }

  /** Stores the answer to a part. */
  answer(job: Job<Request, Answer>, answer: Answer, startedAt: number, computeMs: number, batchRows: number): void {
    this.parts.delete(job);
    this.#answers[this.#places.get(job)!] = answer;
    this.startedAt = Math.min(this.startedAt, startedAt);
    this.computeMs += computeMs;
    this.batchRows = Math.max(this.batchRows, batchRows);
  }

  get isAnswered(): boolean {
    return this.left === 0 && this.parts.size === 0;
  }

  answered(joined: Parts<Request, Answer>["joined"]): Answered<Answer> {
    const { batchRows, startedAt, whole, computeMs } = this;
    const times = { queueUs: 1000 * (startedAt - whole.since), computeUs: 1000 * computeMs };
    return { answer: joined(this.#answers), batchRows, batchRequests: 1, ...times };
  }

  /** Settles all parts. `remove`: takes a part out of the queue. Returns the number of rows that were in no part yet. */
  abandon(remove: (part: Job<Request, Answer>) => void): number {
    for (const part of this.parts) {
      if (part.state === "waiting") remove(part);
      settle(part);
    }
    this.parts.clear();
    const { left } = this;
    this.left = 0;
    return left;
  }
}
