/**
 * One thread, as Node and the web have it: worker_threads, or a Web Worker.
 *
 * A thread is made from its own text, so that no bundler has to find a file, and a bundle of one file works. On the web that is
 * a Blob URL; where a policy (CSP worker-src) forbids these, the file next to this one is taken, or what `configure({ worker })`
 * gives.
 */
import { checkKeys, OptionError } from "../errors/errors.ts";
import { builtin, inNode } from "../files/node.ts";
import type { WebWorker } from "./web-types.ts";

/** What both kinds of thread have in common. */
export interface Port {
  post(message: object): void;
  /** Keeps the process alive, or not. */
  hold(busy: boolean): void;
  terminate(): Promise<void>;
}

/** What a thread is made from. Both are the same program. */
export interface ThreadSource {
  readonly name: ThreadName;
  readonly text: string;
  /** Where there is such a file: bundlers leave none. */
  file(): WebWorker;
}

/** Names of threads: of the engine, and of what evaluates functions of modules. */
export type ThreadName = "ergodic-worker" | "ergodic-evaluator";

/** Options of `configure`. */
export interface ThreadOptions {
  /**
   * Not used in Node. Where the page's policy forbids workers from Blob URLs: the address of a copy of
   * ergodic/dist/engine/memory/worker.js on your own server, or a function that
   * makes a Worker of that name.
   */
  readonly worker?: string | URL | ((name: ThreadName) => WebWorker);
}

let configured: ThreadOptions["worker"];

/**
 * Where this host's threads come from, for pages whose policy forbids workers from Blob URLs. To be called before the first run.
 *
 * @throws OptionError for what is no address and no function
 */
export function configureThreads(options: ThreadOptions): void {
  checkKeys("configure", options, ["worker"]);
  const { worker } = options;
  if (worker !== undefined && !["string", "function"].includes(typeof worker) && !(worker instanceof URL))
    throw new OptionError("configure", "worker must be an address, or a function that makes a Worker", "OPTION_TYPE");
  configured = worker;
}

/** `onDeath`: with the reason. @throws what the host throws that lets no thread start */
export function openThread<M>(source: ThreadSource, onMessage: (message: M) => void, onDeath: (cause: unknown) => void): Port {
  return inNode() ? nodeThread(source, onMessage, onDeath) : webThread(source, onMessage, onDeath);
}

function nodeThread<M>({ name, text }: ThreadSource, onMessage: (message: M) => void, onDeath: (cause: unknown) => void): Port {
  const threads = builtin("node:worker_threads");
  const worker = new threads.Worker(`"use strict";globalThis.ergodicThread=${JSON.stringify(name)};${text}`, {
    eval: true,
    name,
    // Flags of this process, --input-type for one, may not suit the text.
    execArgv: [],
  });
  let cause: unknown;
  worker.on("message", onMessage);
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
  /** What was posted to a thread that has not answered yet: another in its place must be told the same. */
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
    worker.terminate();
    onDeath(cause);
  };
  const listening = (made: Worker): Worker => {
    made.addEventListener("message", (event) => {
      unanswered = undefined;
      onMessage(event.data);
    });
    made.addEventListener("error", (event) => {
      if (made !== worker) return;
      const cause = event.error ?? new Error(event.message || `${source.name} could not be loaded; see configure({ worker })`);
      if (!unanswered || ways.length === 0) return end(cause);
      try {
        worker = next(cause);
        for (const message of unanswered) worker.postMessage(message);
      } catch {
        end(cause);
      }
    });
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
    // Not before the worker has been fetched.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

function fromConfigured({ name }: ThreadSource): Worker {
  if (typeof configured === "function") return configured(name);
  return new Worker(configured!, { type: "module", name });
}
