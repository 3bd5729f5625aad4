/**
 * Worker threads that evaluate the default export of a module: `worker_threads` in Node, module workers elsewhere. A thread starts with its
 * first evaluation, makes one at a time, and keeps the process alive while it does.
 *
 * @throws WorkerError [WORKER_DIED] when a thread ends in the middle of an evaluation, [WORKER_START] when the host lets none start; what the function throws, as an Error of the same name
 */
import { WorkerError } from "../base/errors.ts";
import { isNode } from "./load.ts";

interface Reply {
  id: number;
  value?: number;
  /** The value in words, where it is no number. */
  shown?: string;
  failure?: { name: string; message: string; stack: string | undefined };
}

interface Thread {
  post(message: object): void;
  hold(busy: boolean): void;
  end(): void;
}

interface Job {
  x: Float64Array;
  context: object;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class Evaluators {
  private readonly module: string;
  private readonly idle: (Thread | undefined)[];
  private readonly live = new Set<Thread>();
  private readonly queue: Job[] = [];
  private readonly running = new Map<number, { job: Job; thread: Thread }>();
  private threads: Promise<typeof import("node:worker_threads")> | undefined;
  private nextId = 0;
  private ended = false;

  constructor(module: URL, count: number) {
    this.module = module.href;
    this.idle = new Array(count).fill(undefined);
  }

  /** `context` must be what a message can carry. */
  evaluate(x: Float64Array, context: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.queue.push({ x, context, resolve, reject });
      void this.next();
    });
  }

  /** Ends all threads, in the middle of what they do; what they were doing is never answered. */
  dispose(): void {
    this.ended = true;
    for (const thread of this.live) thread.end();
    this.live.clear();
  }

  private async next(): Promise<void> {
    if (this.idle.length === 0 || this.queue.length === 0) return;
    const given = this.idle.pop();
    const job = this.queue.shift()!;
    try {
      const thread = given ?? (await this.start());
      if (this.ended) return;
      const id = this.nextId++;
      this.running.set(id, { job, thread });
      thread.hold(true);
      thread.post({ id, module: this.module, x: job.x, context: job.context });
    } catch (cause) {
      // Its place is free again, for evaluations that wait must be answered too.
      this.idle.unshift(undefined);
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `could not be started: ${reason}; take concurrency in the place of workers, or let this host start workers (in Node --allow-worker)`;
      job.reject(new WorkerError("worker", message, "WORKER_START", { cause }));
      void this.next();
    }
  }

  private async start(): Promise<Thread> {
    if (isNode) this.threads ??= import("node:worker_threads");
    const threads = await this.threads;
    const reply = (message: Reply): void => this.reply(thread, message);
    const death = (cause: unknown): void => this.bury(thread, cause);
    const thread: Thread = threads ? nodeThread(threads, reply, death) : webThread(reply, death);
    this.live.add(thread);
    if (this.ended) this.dispose();
    return thread;
  }

  private reply(thread: Thread, { id, value, shown, failure }: Reply): void {
    const { job } = this.running.get(id)!;
    this.running.delete(id);
    thread.hold(false);
    this.idle.push(thread);
    if (failure) job.reject(Object.assign(new Error(failure.message), { name: failure.name, stack: failure.stack }));
    else job.resolve(value ?? shown);
    void this.next();
  }

  private bury(thread: Thread, cause: unknown): void {
    if (this.ended || !this.live.delete(thread)) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    for (const [id, { job, thread: at }] of this.running) {
      if (at !== thread) continue;
      this.running.delete(id);
      job.reject(new WorkerError("worker", `ended in the middle of an evaluation: ${reason}`, "WORKER_DIED", { cause }));
    }
    const waiting = this.idle.indexOf(thread);
    if (waiting >= 0) this.idle.splice(waiting, 1);
    this.idle.unshift(undefined);
    void this.next();
  }
}

function nodeThread(
  threads: typeof import("node:worker_threads"),
  reply: (message: Reply) => void,
  death: (cause: unknown) => void,
): Thread {
  const worker = new threads.Worker(new URL("./evaluate-worker.js", import.meta.url), {
    name: "ergodic-evaluator",
    execArgv: [],
  });
  let cause: unknown;
  worker.on("message", reply);
  worker.on("error", (error) => (cause = error));
  worker.on("exit", (code) => death(cause ?? new Error(`the thread ended with code ${code}`)));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    end: () => void worker.terminate(),
  };
}

function webThread(reply: (message: Reply) => void, death: (cause: unknown) => void): Thread {
  const worker = new Worker(new URL("./evaluate-worker.js", import.meta.url), { type: "module", name: "ergodic-evaluator" });
  worker.addEventListener("message", (event) => reply(event.data));
  worker.addEventListener("error", (event) => {
    worker.terminate();
    death(event.error ?? new Error(event.message || "evaluate-worker.js could not be loaded"));
  });
  return { post: (message) => worker.postMessage(message), hold: () => {}, end: () => worker.terminate() };
}
