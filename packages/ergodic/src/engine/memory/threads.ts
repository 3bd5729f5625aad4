/**
 * A thread in Node or on the web: worker_threads or a Web Worker.
 *
 * A thread is created from its source text. With the text, bundlers need not find a file, and a bundle can be a single
 * file. On the web, the text becomes a Blob URL. If a policy (CSP worker-src) forbids Blob URLs, the worker is made
 * from the file in this folder, or by `configure({ worker })`.
 */
import { checkKeys, OptionError } from "../errors/errors.ts";
import { builtin, inNode } from "../files/node.ts";
import type { WebWorker } from "../threads/web-types.ts";

/**
 * How often and for how long a page waits for a thread's first message. Some hosts start a program that is missing or
 * empty without an error. Waits are counted, so that no thread is given up because the page was busy.
 */
const WAIT_MS = 500;
const WAITS = 20;

/** A thread's first message. */
interface Started {
  readonly started: true;
}
const isStarted = (message: unknown): message is Started => (message as Partial<Started>).started === true;

/** Common interface of both kinds of thread. */
export interface Port {
  post(message: object): void;
  /** Sets whether the running thread keeps the process alive. */
  hold(busy: boolean): void;
  terminate(): Promise<void>;
}

/** Source of a thread, as text and as a file. Both are the same program. */
export interface ThreadSource {
  readonly name: ThreadName;
  readonly text: string;
  /** Makes a worker from the file, if it exists. Bundlers do not include the file. */
  file(): WebWorker;
}

/** Thread names: "ergodic-worker" runs the engine's kernels, "ergodic-evaluator" evaluates functions of modules. */
export type ThreadName = "ergodic-worker" | "ergodic-evaluator";

/** Options of `configure`. */
export interface ThreadOptions {
  /**
   * For pages whose policy forbids workers from Blob URLs: the address of a copy of
   * ergodic/dist/engine/memory/worker.js on your own server, or a function that makes a Worker with the given name. Not
   * used in Node.
   */
  readonly worker?: string | URL | ((name: ThreadName) => WebWorker);
}

let configured: ThreadOptions["worker"];

/**
 * Configures how this host creates threads, for pages whose policy forbids workers from Blob URLs. Call it before the
 * first run.
 *
 * @throws OptionError if `worker` is neither an address nor a function
 */
export function configureThreads(options: ThreadOptions): void {
  checkKeys("configure", options, ["worker"]);
  const { worker } = options;
  if (worker !== undefined && !["string", "function"].includes(typeof worker) && !(worker instanceof URL))
    throw new OptionError("configure", "worker must be an address, or a function that makes a Worker", "OPTION_TYPE");
  configured = worker;
}

/**
 * Opens a thread. `onDeath` receives the reason when the thread ends. @throws the host's error if no thread can be
 * started
 */
export function openThread<M>(source: ThreadSource, onMessage: (message: M) => void, onDeath: (cause: unknown) => void): Port {
  return inNode() ? nodeThread(source, onMessage, onDeath) : webThread(source, onMessage, onDeath);
}

function nodeThread<M>({ name, text }: ThreadSource, onMessage: (message: M) => void, onDeath: (cause: unknown) => void): Port {
  const threads = builtin("node:worker_threads");
  const worker = new threads.Worker(`"use strict";globalThis.ergodicThread=${JSON.stringify(name)};${text}`, {
    eval: true,
    name,
    // The thread does not inherit flags of this process, such as --input-type, because they might not suit the text.
    execArgv: [],
  });
  let cause: unknown;
  worker.on("message", (message: M | Started) => {
    if (!isStarted(message)) onMessage(message);
  });
  worker.on("error", (error) => (cause = error));
  worker.on("exit", (code) => onDeath(cause ?? new Error(`the thread ended with code ${code}`)));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: async () => void (await worker.terminate()),
  };
}

function webThread<M>(source: ThreadSource, onMessage: (message: M) => void, onDeath: (cause: unknown) => void): Port {
  const ways = configured === undefined ? [fromText, ({ file }: ThreadSource) => file()] : [fromConfigured];
  /**
   * Messages that were sent before the thread answered for the first time. If another thread replaces this thread, the
   * messages are sent to the new thread.
   */
  let unanswered: object[] | undefined = [];
  const next = (refusal?: unknown): Worker => {
    const make = ways.shift();
    if (!make) throw refusal;
    try {
      return listening(make(source));
    } catch (error) {
      return next(error);
    }
  };
  const end = (cause: unknown): void => {
    unanswered = undefined;
    worker.terminate();
    onDeath(cause);
  };
  const listening = (made: Worker): Worker => {
    made.addEventListener("message", (event) => {
      unanswered = undefined;
      if (!isStarted(event.data)) onMessage(event.data);
    });
    const fail = (cause: unknown): void => {
      if (made !== worker) return;
      try {
        if (!unanswered) throw cause;
        worker = next(cause);
        for (const message of unanswered) worker.postMessage(message);
      } catch {
        end(cause);
      }
    };
    made.addEventListener("error", (event) =>
      fail(event.error ?? new Error(event.message || `${source.name} could not be loaded; see configure({ worker })`)),
    );
    let waits = WAITS;
    const wait = (): void => {
      if (!unanswered || made !== worker) return;
      if (--waits > 0) setTimeout(wait, WAIT_MS);
      else fail(new Error(`${source.name} did not answer within ${(WAITS * WAIT_MS) / 1000} s; see configure({ worker })`));
    };
    setTimeout(wait, WAIT_MS);
    return made;
  };
  let worker = next();
  return {
    post: (message) => {
      unanswered?.push(message);
      worker.postMessage(message);
    },
    hold: () => {},
    terminate: async () => end(new Error("the worker was terminated")),
  };
}

function fromText({ name, text }: ThreadSource): Worker {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return new Worker(url, { name });
  } finally {
    // The URL is revoked late, so that the worker has fetched it before.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

function fromConfigured({ name }: ThreadSource): Worker {
  if (typeof configured === "function") return configured(name);
  return new Worker(configured!, { type: "module", name });
}
