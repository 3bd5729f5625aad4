import { WorkerError } from "../errors/errors.ts";
import { evaluatorText } from "./builds/threads.ts";
import { openThread, type Port, type ThreadSource } from "./threads.ts";

interface Reply {
  id: number;
  value?: number;
  /** The returned value as text, if it is not a number. */
  shown?: string;
  failure?: { name: string; message: string; stack: string | undefined };
}

const source: ThreadSource = {
  name: "ergodic-evaluator",
  text: evaluatorText,
  file: () => new Worker(new URL("./evaluate-worker.js", import.meta.url), { type: "module", name: "ergodic-evaluator" }),
};

interface Job {
  x: Float64Array;
  context: object;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Worker threads that evaluate the default export of a module (threads.ts). A thread starts with its first evaluation
 * and runs one evaluation at a time. During an evaluation, it keeps the process alive.
 *
 * @throws WorkerError [WORKER_DIED] when a thread ends during an evaluation, [WORKER_START] when the host cannot start
 * a thread; errors of the function, as an Error with the same name
 */
export class Evaluators {
  private readonly module: string;
  private readonly idle: (Port | undefined)[];
  private readonly live = new Set<Port>();
  private readonly queue: Job[] = [];
  private readonly running = new Map<number, { job: Job; thread: Port }>();
  private nextId = 0;
  private ended = false;

  constructor(module: URL, count: number) {
    this.module = module.href;
    this.idle = new Array(count).fill(undefined);
  }

  /** Evaluates the function at x. `context` must be cloneable, because it is sent in a message. */
  evaluate(x: Float64Array, context: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.queue.push({ x, context, resolve, reject });
      this.next();
    });
  }

  /** Ends all threads immediately. Running evaluations never settle. */
  dispose(): void {
    this.ended = true;
    for (const thread of this.live) void thread.terminate();
    this.live.clear();
  }

  private next(): void {
    if (this.idle.length === 0 || this.queue.length === 0) return;
    const given = this.idle.pop();
    const job = this.queue.shift()!;
    try {
      const thread = given ?? this.start();
      const id = this.nextId++;
      this.running.set(id, { job, thread });
      thread.hold(true);
      thread.post({ id, module: this.module, x: job.x, context: job.context });
    } catch (cause) {
      // The thread's place must be freed, because waiting evaluations would otherwise wait forever.
      this.idle.unshift(undefined);
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `could not be started: ${reason}; use concurrency instead of workers, or let this host start workers (in Node --allow-worker)`;
      job.reject(new WorkerError("worker", message, "WORKER_START", { cause }));
      this.next();
    }
  }

  private start(): Port {
    const reply = (message: Reply): void => this.reply(thread, message);
    const death = (cause: unknown): void => this.bury(thread, cause);
    const thread: Port = openThread(source, reply, death);
    this.live.add(thread);
    return thread;
  }

  private reply(thread: Port, { id, value, shown, failure }: Reply): void {
    const { job } = this.running.get(id)!;
    this.running.delete(id);
    thread.hold(false);
    this.idle.push(thread);
    if (failure) job.reject(Object.assign(new Error(failure.message), { name: failure.name, stack: failure.stack }));
    else job.resolve(value ?? shown);
    this.next();
  }

  private bury(thread: Port, cause: unknown): void {
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
    this.next();
  }
}
