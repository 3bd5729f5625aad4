import { type Batcher, batcher } from "../batcher.ts";
import type { Answered } from "../job.ts";
import type { Served } from "../models/served.ts";
import type { BatcherOptions, SubmitOptions } from "../options.ts";
import { namesOfModel, type ResponseNames } from "../v2/infer-response.ts";

/** How a model's requests are gathered. */
export type Batching = Pick<
  BatcherOptions<unknown, unknown>,
  "maxRows" | "maxDelayMs" | "targetP99Ms" | "maxQueueRows" | "deadlineMs" | "concurrency"
>;

/** A version of a model that is served: the model, its queue, and what happened so far. */
export class ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly served: Served;
  /** Opening words of its answers. */
  readonly names: ResponseNames;
  readonly batches: Batcher<unknown, unknown>;
  /** When a request was last answered, in milliseconds of the epoch; 0: never. */
  lastInference = 0;
  /** Requests of which something was wrong. */
  failed = 0;
  #closed: Promise<void> | undefined;

  constructor(name: string, version: string, served: Served, batching: Batching) {
    this.name = name;
    this.version = version;
    this.served = served;
    this.names = namesOfModel(name, version, served);
    this.batches = batcher<unknown, unknown>({
      ...batching,
      run: (works) => served.run(works) as unknown[] | Promise<unknown[]>,
      rows: (work) => served.rowsOf(work),
    });
  }

  /** Rejects with the batcher's refusal, or with what the model could not answer. */
  async answer(work: unknown, options: SubmitOptions): Promise<Answered<unknown>> {
    const answered = await this.batches.submit(work, options);
    if (answered.answer instanceof Error) throw answered.answer;
    this.lastInference = Date.now();
    return answered;
  }

  /** Takes no more requests; resolves when those it has are answered, and the model has given back what it held. */
  close(): Promise<void> {
    this.#closed ??= this.batches.close().then(() => this.served.close());
    return this.#closed;
  }
}
