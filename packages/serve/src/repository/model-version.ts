import type { ServerResponse } from "node:http";
import { Batcher } from "../batcher.ts";
import type { Answered } from "../job.ts";
import type { Served } from "../models/served.ts";
import type { BatcherOptions } from "../options.ts";
import { leaving, stay } from "../server/gone.ts";
import { RequestError } from "../server/request-error.ts";
import { namesOfModel, type ResponseNames } from "../v2/infer-response.ts";

/** Options for gathering the requests for a model into batches. */
export type Batching = Pick<
  BatcherOptions<unknown, unknown>,
  "maxRows" | "maxDelayMs" | "targetP99Ms" | "maxQueueRows" | "deadlineMs"
>;

/** Urgency of a request. */
export interface Scheduling {
  /** Priority from 1 (first) to 9 (last). Default 5. */
  readonly priority: number | undefined;
  /** Deadline in milliseconds. Default: the server's. */
  readonly deadlineMs: number | undefined;
}

/** A served version of a model: the model, its queue, and its counters. */
export class ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly served: Served;
  /** Beginnings of the model's answers as JSON, computed in advance. */
  readonly names: ResponseNames;
  readonly batches: Batcher<unknown, unknown>;
  /** Time of the last answer, in milliseconds since the epoch; 0 if there was no answer. */
  lastInference = 0;
  /**
   * Number of requests that could not be read. Other faults of requests are detected when the requests are computed.
   */
  unread = 0;
  /** For each column, the number of cells whose level the model does not know. */
  readonly unknownLevels = new Map<string, number>();
  readonly #deadlineMs: number;
  #closed: Promise<void> | undefined;

  constructor(name: string, version: string, served: Served, batching: Batching) {
    this.name = name;
    this.version = version;
    this.served = served;
    this.names = namesOfModel(name, version, served);
    this.#deadlineMs = batching.deadlineMs ?? Infinity;
    const options = {
      ...batching,
      concurrency: served.concurrency ?? 1,
      run: (works: unknown[]) => served.run(works),
      rows: (work: unknown) => served.rowsOf(work),
    };
    const parts = {
      part: (work: unknown, from: number, to: number) => served.part?.(work, from, to),
      joined: (answers: readonly unknown[]) => served.joined!(answers),
    };
    this.batches = new Batcher<unknown, unknown>(options, parts);
  }

  /**
   * Requests an answer. Exactly one of the two callbacks is called, and it is called once. `response`: connection of
   * the client. If the client closes this connection, the answer does not need to be computed.
   *
   * @throws RefusedError immediately
   */
  ask(
    work: unknown,
    { priority, deadlineMs }: Scheduling,
    response: ServerResponse,
    resolve: (answered: Answered<unknown>) => void,
    reject: (error: unknown) => void,
  ): void {
    const { socket } = response;
    const done = (answered: Answered<unknown>): void => {
      if (socket) stay(socket);
      this.lastInference = Date.now();
      resolve(answered);
    };
    const job = this.batches.ask(work, priority ?? 5, deadlineMs ?? this.#deadlineMs, done, (error) => {
      if (socket) stay(socket);
      reject(error);
    });
    if (socket) leaving(socket, () => this.batches.cancel(job, new RequestError("client", "it disconnected", "REQUEST", 499)));
  }

  /** Requests an answer, as a promise. */
  answer(work: unknown, scheduling: Scheduling, response: ServerResponse): Promise<Answered<unknown>> {
    return new Promise((resolve, reject) => this.ask(work, scheduling, response, resolve, reject));
  }

  /** Number of invalid requests. */
  get invalid(): number {
    return this.unread + this.batches.stats().rejected;
  }

  /** Accepts no more requests. Resolves when all accepted requests have been answered and the model has been freed. */
  close(): Promise<void> {
    this.#closed ??= this.batches.close().then(() => this.served.close());
    return this.#closed;
  }
}
