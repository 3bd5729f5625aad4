import { OptionError } from "ergodic";
import { checkKeys, checkNumber, checkSignal, shown } from "ergodic/extend";
import { type Clock, systemClock } from "./clock.ts";
import { LEVELS } from "./queue.ts";

/** Options for gathering requests into batches. All except `run` have defaults. */
export interface BatcherOptions<Request, Answer> {
  /**
   * Runs the model and returns the answers in the order of the requests. If an answer is an Error, only its own request
   * is rejected. If `run` throws or rejects, only the requests of its batch are rejected, with the same error. The next
   * batch starts when `run` is done. A function that blocks its thread should therefore run on a separate thread.
   */
  run(requests: Request[]): readonly (Answer | Error)[] | PromiseLike<readonly (Answer | Error)[]>;
  /** Returns the number of rows of a request, an integer ≥ 1. Default: 1 for all. */
  rows?(request: Request): number;
  /**
   * Number of rows of the largest batch, an integer ≥ 1. A larger request is not split, because only the model knows
   * how to split it. It runs alone. (The server splits it.) Default 256.
   */
  maxRows?: number;
  /**
   * Number of batches that can run simultaneously, such as the number of workers that have the model. An integer ≥ 1.
   * Default 1.
   */
  concurrency?: number;
  /**
   * Longest time in milliseconds, ≥ 0, for which a request waits for others if a batch is running but another batch
   * could start. While no batch runs nothing waits. This wait has no effect if `concurrency` is 1. Default 0.
   */
  maxDelayMs?: number;
  /**
   * Target time in milliseconds within which 99 % of requests should be answered, > 0. To reach this target, the
   * batcher limits the size of batches, based on the learned time per batch. Under high load, batches can be larger.
   * Default: no target, so that batches have up to `maxRows` rows.
   */
  targetP99Ms?: number;
  /**
   * Largest number of rows that can wait, ≥ 1, or Infinity. A request that would exceed it is refused (429), unless
   * nothing waits. Default 100,000.
   */
  maxQueueRows?: number;
  /** Deadline of requests that have none of their own, in milliseconds from submission, > 0. Default Infinity: none. */
  deadlineMs?: number;
  /**
   * Milliseconds of waiting that count as much as one step of priority, ≥ 0. A request can be overtaken only by
   * requests of higher priority that arrive within this number of milliseconds times the difference in priority.
   * Default 1000.
   */
  ageingMs?: number;
  /** Clock, for tests. Default: the machine's. */
  clock?: Clock;
}

/** Options of one request. */
export interface SubmitOptions {
  /** Priority, an integer from 1 (first) to 9 (last). Default 5. */
  priority?: number;
  /**
   * Milliseconds from now after which the answer would be useless, > 0. If the answer is predicted to come later, the
   * request is refused (503), either immediately or while it waits. Default: the batcher's.
   */
  deadlineMs?: number;
  /**
   * Signal that cancels the request. A waiting request leaves the queue. If the request is already running, its answer
   * is dropped when its batch ends. The promise rejects with the signal's reason.
   */
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

/** Adds the defaults to options. @throws OptionError if one is unknown or out of its range */
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

/** Adds the defaults to a request's options. @throws OptionError */
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
