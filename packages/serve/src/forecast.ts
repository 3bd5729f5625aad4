import type { BatchTime } from "./batch-time.ts";
import type { Queue, Waiting } from "./queue.ts";

/** Tolerance of a microsecond, so that rounding of summed times does not make a request late. */
export const SLACK_MS = 1e-3;

/** A running batch, with its number of rows and its start time. */
export interface Running {
  rows: number;
  since: number;
}

/** Predicts when requests will be answered, from the queue and the learned time of batches. */
export class Forecast {
  readonly #queue: Pick<Queue<Waiting>, "open" | "place">;
  readonly #time: BatchTime;
  readonly #running: ReadonlySet<Running>;
  readonly #options: { readonly concurrency: number; readonly maxDelayMs: number };

  constructor(
    queue: Pick<Queue<Waiting>, "open" | "place">,
    time: BatchTime,
    running: ReadonlySet<Running>,
    options: { readonly concurrency: number; readonly maxDelayMs: number },
  ) {
    this.#queue = queue;
    this.#time = time;
    this.#running = running;
    this.#options = options;
  }

  /**
   * Predicts when a new job would be answered, and whether it would join the last planned batch of its priority. It
   * joins if it fits and makes no job of that batch late.
   */
  placeOf(job: Waiting, limit: number): { waitMs: number; joins: boolean } {
    const open = this.#queue.open(job, limit);
    const waitMs = this.#waitOf(job, open, limit);
    if (!open || job.since + waitMs <= open.deadline + SLACK_MS) return { waitMs, joins: open !== undefined };
    return { waitMs: this.#waitOf(job, undefined, limit), joins: false };
  }

  /**
   * Predicts a job's waiting time. If there are more free slots than batches ahead, the job's own batch starts now.
   * Otherwise, all slots stay busy until the job's batch starts. The time until this batch starts is at most the total
   * time of the batches ahead, divided by `concurrency`.
   */
  #waitOf(job: Waiting, open: Waiting["planned"], limit: number): number {
    const time = this.#time;
    const { concurrency, maxDelayMs } = this.#options;
    const place = this.#queue.place(job, limit, open);
    const starts = place.batches < concurrency - this.#running.size;
    let ahead = starts ? 0 : time.perRow * place.rows + time.perBatch * place.batches;
    for (const batch of starts ? [] : this.#running) {
      const left = batch.since + time.mean(batch.rows) - job.since;
      // If a batch has exceeded its expected time, it is assumed to need as much extra time again.
      ahead += Math.abs(left);
    }
    const mean = ahead / concurrency + time.mean(place.own);
    const delay = concurrency > 1 ? maxDelayMs : 0;
    return mean * time.margin(place.batches + this.#running.size + 1) + delay;
  }
}
