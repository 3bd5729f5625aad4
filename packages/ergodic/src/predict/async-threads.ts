/** Threads that each hold a copy of the model, and the queue of calls that wait for a free thread. */
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
  /** The call that the thread is computing. A new thread loads the model first. */
  call: Call | undefined;
}

/**
 * Threads of an asynchronous predictor. Each thread handles one call at a time. All other calls wait here in order. A
 * prediction cannot be interrupted, so a call is aborted by ending its thread. If a thread dies, only its own call is
 * lost. In both cases, another thread is opened when the next call needs it.
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

  /** Opens all threads and loads the model on each. @throws what loading throws */
  async start(): Promise<Facts> {
    try {
      const loaded = this.#threads.map(
        (_, i) => new Promise<Facts>((resolve, reject) => this.#begin(i, { resolve: resolve as Call["resolve"], reject })),
      );
      // Waits for all threads, so that no thread remains in use after another thread has failed.
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
      // The request contains a value that cannot be cloned into a message.
      this.#settle(thread);
      call.reject(error);
    }
  }

  /**
   * Opens thread i. `first` is the call that waits for the model to load. If `first` is undefined and the thread fails,
   * the call that has waited longest is rejected.
   */
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
      const said = `a thread cannot be started: ${saidBy(cause)}; if the host has no threads, take the predictor of ergodic/predict`;
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
      // The model could not be loaded, so the thread is ended. A later call opens another.
      thread.port.end();
      this.#threads[this.#threads.indexOf(thread)] = undefined;
    }
    this.#next();
  }

  #settle(thread: Thread): void {
    thread.call = undefined;
    thread.port.hold(false);
  }

  /**
   * Removes a call whose answer is no longer needed. If a thread is already computing the call, the thread is ended.
   */
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
  new WorkerError("predictor", `the thread ended during the call: ${saidBy(cause)}; call again to start another`, "WORKER_DIED", {
    cause,
  });
