import { OptionError } from "ergodic";
import { checkKeys, checkNumber, checkSignal, shown } from "ergodic/extend";
import { type Clock, systemClock } from "./clock.ts";
import { LEVELS } from "./queue.ts";

/** How requests are gathered into batches. All but `run` have defaults. */
export interface BatcherOptions<Request, Answer> {
  /**
   * The model: answers of the requests, in their order; an Error in the place of an answer rejects that request alone. If it throws or rejects, the requests of
   * that batch are rejected with what it threw, and no others. The next batch starts when it is done, so that what blocks the thread is best run on another.
   */
  run(requests: Request[]): readonly (Answer | Error)[] | PromiseLike<readonly (Answer | Error)[]>;
  /** Rows of a request, an integer ≥ 1. Default: 1 for all. */
  rows?(request: Request): number;
  /** Rows of the largest batch. A request with more goes alone, whole, since only the model knows how to cut one. An integer ≥ 1. Default 256. */
  maxRows?: number;
  /** Batches that may run at once, such as workers that have the model. An integer ≥ 1. Default 1. */
  concurrency?: number;
  /**
   * The longest that a request waits for others while one of several batches may start and another runs, in milliseconds, ≥ 0. While no batch runs
   * nothing ever waits, and where `concurrency` is 1 this changes nothing. Default 0.
   */
  maxDelayMs?: number;
  /**
   * Learns how long batches take, and makes them no larger than lets 99 % of requests be answered within so many milliseconds, as far as the load
   * allows; > 0. Default: none, batches have up to `maxRows` rows.
   */
  targetP99Ms?: number;
  /** Rows that may wait; where one more request would be too much it is refused (429), unless nothing waits. ≥ 1, or Infinity. Default 100,000. */
  maxQueueRows?: number;
  /** The deadline of requests that have none of their own, in milliseconds from submission, > 0. Default Infinity: none. */
  deadlineMs?: number;
  /**
   * How much later a request has to come to stay behind one that is a step lower in priority, in milliseconds, ≥ 0. Default 1000. No request is
   * overtaken by those that come later than that times the steps between them.
   */
  ageingMs?: number;
  /** The clock, for tests. Default: that of the machine. */
  clock?: Clock;
}

/** How one request is treated. */
export interface SubmitOptions {
  /** 1 (first) to 9 (last), an integer. Default 5. */
  priority?: number;
  /**
   * Milliseconds from now after which the answer is of no use, > 0. The request is refused (503) where the answer is predicted to come later, at once
   * or while it waits. Default: the batcher's.
   */
  deadlineMs?: number;
  /** Cancels it: it leaves the queue, or its batch's answer is dropped; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** All options, with their defaults. */
export type Settings<Request, Answer> = Required<Omit<BatcherOptions<Request, Answer>, "targetP99Ms">> & { targetP99Ms?: number };

const NAMES = [
  "run",
  "rows",
  "maxRows",
  "concurrency",
  "maxDelayMs",
  "targetP99Ms",
  "maxQueueRows",
  "deadlineMs",
  "ageingMs",
  "clock",
] as const;

/** Options with their defaults. @throws OptionError if one is unknown or out of its range */
export function complete<Request, Answer>(options: BatcherOptions<Request, Answer>): Settings<Request, Answer> {
  checkKeys("batcher", options, NAMES);
  const {
    run,
    rows = () => 1,
    maxRows = 256,
    concurrency = 1,
    maxDelayMs = 0,
    targetP99Ms,
    maxQueueRows = 100_000,
    deadlineMs = Infinity,
    ageingMs = 1000,
    clock = systemClock,
  } = options;
  for (const [name, value] of Object.entries({ run, rows }))
    if (typeof value !== "function")
      throw new OptionError("batcher", `${name} is ${shown(value)}, but must be a function of requests`, "OPTION_TYPE");
  checkNumber("batcher", "maxRows", maxRows, { low: 1, integer: true });
  checkNumber("batcher", "concurrency", concurrency, { low: 1, integer: true });
  checkNumber("batcher", "maxDelayMs", maxDelayMs, { low: 0 });
  checkNumber("batcher", "ageingMs", ageingMs, { low: 0 });
  if (targetP99Ms !== undefined) checkNumber("batcher", "targetP99Ms", targetP99Ms, { low: 0, open: true });
  if (maxQueueRows !== Infinity) checkNumber("batcher", "maxQueueRows", maxQueueRows, { low: 1 });
  if (deadlineMs !== Infinity) checkNumber("batcher", "deadlineMs", deadlineMs, { low: 0, open: true });
  checkClock(clock);
  return { run, rows, maxRows, concurrency, maxDelayMs, targetP99Ms, maxQueueRows, deadlineMs, ageingMs, clock };
}

function checkClock(clock: unknown): asserts clock is Clock {
  const names = ["now", "setTimeout", "clearTimeout", "setImmediate"];
  if (typeof clock === "object" && clock !== null && names.every((name) => typeof clock[name as never] === "function")) return;
  throw new OptionError(
    "batcher",
    `clock is ${shown(clock)}, but must have ${names.join(", ")}; omit it for the machine's`,
    "OPTION_TYPE",
  );
}

/** With its defaults. @throws OptionError */
export function checkSubmitted(
  options: SubmitOptions,
  otherwiseMs: number,
  rows: number,
): Required<Omit<SubmitOptions, "signal">> & SubmitOptions {
  const where = "batcher.submit";
  checkKeys(where, options, ["priority", "deadlineMs", "signal"]);
  const { priority = 5, deadlineMs = otherwiseMs, signal } = options;
  checkNumber(where, "priority", priority, { low: 1, high: LEVELS, integer: true });
  if (deadlineMs !== Infinity) checkNumber(where, "deadlineMs", deadlineMs, { low: 0, open: true });
  checkSignal(where, signal);
  checkNumber(where, "rows", rows, { low: 1, integer: true });
  return { priority, deadlineMs, ...(signal && { signal }) };
}
