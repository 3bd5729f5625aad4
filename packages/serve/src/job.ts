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
