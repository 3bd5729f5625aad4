/** Threads that have a model each, and the calls that wait for one. */
import { type ErgodicError, saidBy, WorkerError } from "../engine/errors/errors.ts";
import { errorFrom } from "../engine/errors/sent-errors.ts";
import { type Opening, type OwnThread, openOwnThread } from "../engine/threads/own-thread.ts";
import type { Answer, Facts, Request } from "./async-messages.ts";

interface Call {
  readonly request: Request;
  readonly transfer: readonly ArrayBuffer[];
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly port: OwnThread<Request>;
  /** What it computes now. A new one loads the model first. */
  call: Call | undefined;
}

/**
 * A thread has one call at a time, the others wait here in order: so a call can be aborted by ending its thread, which nothing else can do to a prediction,
 * and one that dies takes one call with it. In either case another thread is opened when there is something to do.
 */
export class Threads {
  readonly #open: () => Opening;
  readonly #load: Request;
  readonly #threads: (Thread | undefined)[];
  readonly #waiting: Call[] = [];
  #ended: Error | undefined;

  constructor(count: number, load: Request, open: () => Opening) {
    this.#open = open;
    this.#load = load;
    this.#threads = Array.from({ length: count });
  }

  /** Opens all of them, and loads the model. @throws what loading throws */
  async start(): Promise<Facts> {
    try {
      const loaded = this.#threads.map(
        (_, i) => new Promise<Facts>((resolve, reject) => this.#begin(i, { resolve: resolve as Call["resolve"], reject })),
      );
      // All are waited for, so that none is left over where one fails.
      const facts = await Promise.all(loaded);
      return facts[0];
    } catch (error) {
      this.end();
      throw error;
    }
  }

  async call(request: Request, { signal, transfer = [] }: { signal?: AbortSignal; transfer?: ArrayBuffer[] }): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#ended) throw this.#ended;
    let abort: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const call: Call = { request, transfer, resolve, reject };
        abort = () => {
          reject(signal?.reason);
          this.#drop(call);
        };
        signal?.addEventListener("abort", abort);
        this.#waiting.push(call);
        this.#next();
      });
    } finally {
      if (abort) signal?.removeEventListener("abort", abort);
    }
  }

  end(): void {
    this.#ended ??= new WorkerError("predictor", "it was disposed of; load the model again", "WORKER_DIED");
    for (const thread of this.#threads) {
      thread?.port.end();
      thread?.call?.reject(this.#ended);
    }
    this.#threads.fill(undefined);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }

  #next(): void {
    for (let i = 0; i < this.#threads.length && this.#waiting.length > 0; i++) {
      const thread = this.#threads[i];
      if (thread === undefined) this.#begin(i, undefined);
      else if (thread.call === undefined) this.#give(thread, this.#waiting.shift()!);
    }
  }

  #give(thread: Thread, call: Call): void {
    thread.call = call;
    thread.port.hold(true);
    try {
      thread.port.post(call.request, call.transfer);
    } catch (error) {
      // What no message can carry.
      this.#settle(thread);
      call.reject(error);
    }
  }

  /** Opens thread i. `first`: who waits for it to be loaded; otherwise the call that has waited longest hears why it could not be. */
  #begin(i: number, first: Pick<Call, "resolve" | "reject"> | undefined): void {
    const reject = first?.reject ?? ((error: unknown) => this.#waiting.shift()?.reject(error));
    let thread: Thread | undefined;
    const die = (cause: unknown): void => {
      if (!thread || this.#threads[i] !== thread) return;
      this.#threads[i] = undefined;
      thread.port.end();
      thread.call?.reject(died(cause));
      this.#next();
    };
    try {
      const port = openOwnThread<Request, Answer>(this.#open(), (answer) => thread && this.#hear(thread, answer), die);
      thread = { port, call: undefined };
    } catch (cause) {
      const said = `a thread cannot be opened: ${saidBy(cause)}; where there are no threads, take the predictor of ergodic/predict`;
      reject(new WorkerError("predictor", said, "WORKER_START", { cause }));
      return;
    }
    this.#threads[i] = thread;
    this.#give(thread, { request: this.#load, transfer: [], resolve: first?.resolve ?? (() => {}), reject });
  }

  #hear(thread: Thread, answer: Answer): void {
    const call = thread.call;
    if (!call || !this.#threads.includes(thread)) return;
    if (answer.kind === "loaded") call.resolve(answer.facts);
    else if (answer.kind === "done") call.resolve(answer.result);
    else call.reject(errorFrom(answer.failure));
    this.#settle(thread);
    if (answer.kind === "failed" && call.request.kind === "load") {
      // Without a model it is of no use. A later call tries again.
      thread.port.end();
      this.#threads[this.#threads.indexOf(thread)] = undefined;
    }
    this.#next();
  }

  #settle(thread: Thread): void {
    thread.call = undefined;
    thread.port.hold(false);
  }

  /** Its answer is of no use any more. */
  #drop(call: Call): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    const i = this.#threads.findIndex((thread) => thread?.call === call);
    if (i < 0) return;
    this.#threads[i]?.port.end();
    this.#threads[i] = undefined;
    this.#next();
  }
}

const died = (cause: unknown): ErgodicError =>
  new WorkerError(
    "predictor",
    `the thread ended during the call: ${saidBy(cause)}; call again, another is opened`,
    "WORKER_DIED",
    {
      cause,
    },
  );
