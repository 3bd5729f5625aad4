import { WorkerError } from "../errors/errors.ts";
import { hardwareThreads } from "./load.ts";
import type { Allocation, EngineMemory } from "./memory.ts";
import type { openPoolThread } from "./pool-thread.ts";
import type { Port } from "./threads.ts";

/** A kernel call. `kernel`: an export of the kernel build, or a table slot. */
export interface Call {
  kernel: string | number;
  args: number[];
}

export interface Failure {
  call: Call;
  name: string;
  message: string;
  stack: string | undefined;
}

interface Reply {
  id: number;
  results: number[];
  failure: Failure | undefined;
}

/** Runs calls on the calling thread. `stop`: as in worker.js. Rejects if a call fails. */
type Own = (calls: readonly Call[], stop: number) => Promise<number[]>;

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

interface PoolWorker {
  readonly port: Port;
  readonly waiting: Map<number, Waiting>;
}

/**
 * Worker threads (worker.js, threads.ts) that share one memory.
 *
 * Workers start when first needed and do not keep a Node process alive while idle. If a worker dies, its calls are
 * rejected, and the next batch replaces it. Messages that every worker needs (modules, table slots) are logged and
 * replayed to new workers.
 *
 * @throws WorkerError when a kernel traps, a worker dies, or the host cannot start a worker; `cause` holds the reason
 */
export class Pool {
  private readonly memory: EngineMemory;
  private readonly openThread: typeof openPoolThread;
  private readonly workers: (PoolWorker | undefined)[] = [];
  /** Messages for workers that start later, in order. */
  private readonly log: Set<object>;
  private readonly stopCells: Allocation[] = [];
  private nextId = 0;

  constructor(memory: EngineMemory, openThread: typeof openPoolThread) {
    this.memory = memory;
    this.openThread = openThread;
    this.log = new Set([{ kind: "start", memory: memory.memory }]);
  }

  /** Sends `message` to all workers, including those that start later. */
  broadcast(message: object): void {
    this.log.add(message);
    this.tell(message);
  }

  /**
   * Sends a `message` that undoes an earlier `broadcast` to the running workers. Workers that start later receive
   * neither of the two messages.
   */
  revoke(broadcast: object, message: object): void {
    this.log.delete(broadcast);
    this.tell(message);
  }

  /** Number of messages that are replayed to a new worker. */
  get logLength(): number {
    return this.log.size;
  }

  /** Number of live workers. */
  get size(): number {
    return this.workers.filter(Boolean).length;
  }

  /** Starts a worker if none is running. @throws WorkerError if the host cannot start workers */
  async start(): Promise<void> {
    await this.send(0, { kind: "run", build: "", calls: [], stop: 0 });
  }

  /** Ends worker `i` immediately, like a crash. Resolves when it is gone. */
  async terminate(i: number): Promise<void> {
    await this.workers[i]?.port.terminate();
  }

  /**
   * Takes the `workerCount` least busy workers and runs call i on worker i % workerCount. Each worker runs its calls in
   * order. Returns results in the order of `calls`. `own`: runs the first worker's calls on the calling thread instead.
   * `own` receives the address of the cell that stops the other workers.
   */
  async run(build: string, calls: Call[], workerCount: number, signal?: AbortSignal, own?: Own): Promise<number[]> {
    signal?.throwIfAborted();
    const cell = this.stopCells.pop() ?? this.memory.allocate(4, "worker pool");
    const stop = () => void Atomics.store(this.memory.i32(cell.pointer, 1), 0, 1);
    Atomics.store(this.memory.i32(cell.pointer, 1), 0, 0);
    signal?.addEventListener("abort", stop, { once: true });
    const used = Math.min(workerCount, calls.length);
    const chosen = this.leastBusy(own ? used - 1 : used);
    const share = (w: number): Call[] => calls.filter((_, i) => i % workerCount === w);
    const batches: Promise<Omit<Reply, "id">>[] = chosen.map((at, w) =>
      this.send(at, { kind: "run", build, calls: share(own ? w + 1 : w), stop: cell.pointer }),
    );
    // The calls on this thread start last, because they block the thread while the workers run.
    if (own) batches.unshift(own(share(0), cell.pointer).then((results) => ({ results, failure: undefined })));
    const settled = await Promise.allSettled(
      batches.map((batch) =>
        batch.catch((error: Error) => {
          stop();
          throw error;
        }),
      ),
    );
    signal?.removeEventListener("abort", stop);
    this.stopCells.push(cell);
    const replies = settled.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
    replies.forEach(({ failure }, w) => {
      if (failure) throw trapError(failure, `worker ${chosen[own ? w - 1 : w]}`);
    });
    signal?.throwIfAborted();
    return calls.map((_, i) => replies[i % workerCount].results[Math.floor(i / workerCount)]);
  }

  /**
   * Returns indices of the least busy workers. Prefers workers that are already running, unless all of them are busy
   * and the machine has more threads.
   */
  private leastBusy(count: number): number[] {
    const load = (w: number): number => this.workers[w]?.waiting.size ?? 0;
    const most = Math.max(count, hardwareThreads());
    return Array.from({ length: most }, (_, w) => w)
      .sort((a, b) => load(a) - load(b) || a - b)
      .slice(0, count);
  }

  private tell(message: object): void {
    for (const worker of this.workers) worker?.port.post(message);
  }

  private send(w: number, message: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const worker = (this.workers[w] ??= this.open(w));
      const id = this.nextId++;
      worker.port.hold(true);
      worker.waiting.set(id, { resolve, reject });
      worker.port.post({ ...message, id });
    });
  }

  private open(w: number): PoolWorker {
    const waiting = new Map<number, Waiting>();
    const onReply = (reply: Reply) => {
      const call = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (waiting.size === 0) port.hold(false);
      call?.resolve(reply);
    };
    const onDeath = (cause: unknown) => {
      if (this.workers[w] === worker) this.workers[w] = undefined;
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new WorkerError(
        `worker ${w}`,
        `ended in the middle of a call: ${reason}; the next call starts another`,
        "WORKER_DIED",
        { cause },
      );
      for (const call of waiting.values()) call.reject(error);
      waiting.clear();
    };
    const port = opened(w, () => this.openThread(onReply, onDeath));
    const worker: PoolWorker = { port, waiting };
    for (const message of this.log) port.post(message);
    return worker;
  }
}

/** Hosts can refuse to start workers: Node without --allow-worker, or a page whose policy forbids them. */
function opened(w: number, open: () => Port): Port {
  try {
    return open();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `could not be started: ${reason}; use workers: 1, or let this host start workers (in Node --allow-worker)`;
    throw new WorkerError(`worker ${w}`, message, "WORKER_START", { cause });
  }
}

/** Returns an error that names the failed kernel, its arguments and its thread. */
export function trapError({ call, name, message, stack }: Failure, thread: string): WorkerError {
  const cause = new Error(message);
  cause.name = name;
  if (stack) cause.stack = stack;
  const kernel = typeof call.kernel === "number" ? `slot ${call.kernel}` : call.kernel;
  return new WorkerError(`kernel ${kernel}(${call.args.join(", ")})`, `failed on ${thread}: ${name}: ${message}`, "WORKER_TRAP", {
    cause,
  });
}
