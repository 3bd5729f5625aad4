/**
 * A thread that runs a program of the library's own: a file, which bundlers find by `new URL("./serve.js", import.meta.url)` where it is opened. What
 * Node and the web have in common.
 */
import type { Worker as NodeWorker, WorkerOptions } from "node:worker_threads";
import { refuse } from "../errors/checks.ts";
import { builtin, inNode } from "../files/node.ts";

/** One end of the messages. */
export interface OwnThread<Sent> {
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  /** Node: whether it keeps the process alive. As it is opened, it does. */
  hold(busy: boolean): void;
  end(): void;
}

/** The other end, on the thread. */
export interface Parent<Heard, Sent> {
  hear(take: (message: Heard) => void): void;
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
}

/** How it is opened. Both ways have the program's address in them, since bundlers look for `new Worker(new URL("./serve.js", import.meta.url))` as it is written. */
export interface Opening {
  onNode(Thread: typeof NodeWorker, options: WorkerOptions): NodeWorker;
  onWeb(): Worker;
  /** The entry of the package that has the program, and the call that takes an address of it, for errors. */
  readonly entry: string;
  readonly call: string;
}

/** @throws what the host throws that lets no thread start */
export function openOwnThread<Sent, Heard>(
  { onNode, onWeb, entry, call }: Opening,
  hear: (message: Heard) => void,
  die: (cause: unknown) => void,
): OwnThread<Sent> {
  if (inNode()) {
    // Flags of this process, --input-type for one, may not suit a file.
    const thread = onNode(builtin("node:worker_threads").Worker, { name: "ergodic", execArgv: [] });
    thread.on("message", hear);
    thread.on("error", die);
    thread.on("exit", (code) => die(new Error(`it exited with code ${code}`)));
    return {
      post: (message, transfer = []) => thread.postMessage(message, transfer),
      hold: (busy) => (busy ? thread.ref() : thread.unref()),
      end: () => void thread.terminate(),
    };
  }
  // All that a browser says of a program that is not there is nothing.
  const unloaded = `its program could not be loaded: where a bundler leaves the addresses of workers as they are, build ${entry} as an entry of its own, and give ${call} its address`;
  const thread = onWeb();
  thread.addEventListener("message", (event) => hear(event.data));
  thread.addEventListener("error", (event) => die(event.error ?? new Error(event.message || unloaded)));
  return {
    post: (message, transfer = []) => thread.postMessage(message, transfer as Transferable[]),
    hold: () => {},
    end: () => thread.terminate(),
  };
}

/** As seen from the page; in Node, which has none, from the working folder. A thread would see it from its own program. */
export function seenFromHere(where: string, name: string, given: unknown): URL {
  const base = inNode() ? builtin("node:url").pathToFileURL("./") : (globalThis.document?.baseURI ?? location.href);
  try {
    if (given instanceof URL || typeof given === "string") return new URL(given, base);
  } catch {} // Refused as what is no text is.
  refuse(where, name, given, "an address", `${name}: new URL("./${name}.js", import.meta.url)`);
}

/** What the program of a thread talks to; undefined where it was loaded as no thread. */
export function parentOf<Heard, Sent>(): Parent<Heard, Sent> | undefined {
  if (inNode()) {
    const { parentPort } = builtin("node:worker_threads");
    return parentPort
      ? {
          hear: (take) => void parentPort.on("message", take),
          post: (message, transfer = []) => parentPort.postMessage(message, transfer),
        }
      : undefined;
  }
  const scope = globalThis as unknown as { postMessage(message: Sent, transfer: readonly ArrayBuffer[]): void } & EventTarget;
  return {
    hear: (take) => scope.addEventListener("message", (event) => take((event as MessageEvent).data)),
    post: (message, transfer = []) => scope.postMessage(message, transfer),
  };
}
