/**
 * Runs one of the library's programs on its own thread, in Node or on the web. The program is a file. Bundlers find the
 * program through `new URL("./serve.js", import.meta.url)` in the code that opens the thread.
 */
import { refuse } from "../errors/checks.ts";
import { builtin, inNode } from "../files/node.ts";
import type { WebWorker } from "./web-types.ts";

/** A thread, as seen by the caller. */
export interface OwnThread<Sent> {
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  /** Sets whether the running thread keeps the process alive (Node only). Initially it does. */
  hold(busy: boolean): void;
  end(): void;
}

/** The caller, as seen by the thread. */
export interface Parent<Heard, Sent> {
  hear(take: (message: Heard) => void): void;
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
}

/** The used part of Node's Worker. Users' programs for pages compile without Node's types, so its type is not named. */
interface NodeWorker {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
  // biome-ignore lint/suspicious/noExplicitAny: Node's overloads, which differ in what the listener receives
  on(event: "message" | "error" | "exit", listener: (told: any) => void): unknown;
}
interface NodeWorkerOptions {
  readonly name: string;
  readonly execArgv: string[];
}

/**
 * Constructors of the thread. Both constructors contain the program's address, because bundlers look for the literal
 * `new Worker(new URL("./serve.js", import.meta.url))`.
 */
export interface Opening {
  onNode(Thread: new (program: string | URL, options: NodeWorkerOptions) => NodeWorker, options: NodeWorkerOptions): NodeWorker;
  onWeb(): WebWorker;
  /**
   * Names for the error message: the package entry with the program, and the call to which the program's address can be
   * passed.
   */
  readonly entry: string;
  readonly call: string;
}

/** Opens a thread. @throws the host's error if no thread can be started */
export function openOwnThread<Sent, Heard>(
  { onNode, onWeb, entry, call }: Opening,
  hear: (message: Heard) => void,
  die: (cause: unknown) => void,
): OwnThread<Sent> {
  if (inNode()) {
    // The thread does not inherit flags of this process, such as --input-type, because they might not suit a file.
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
  // If the program is missing, browsers report an error without a message.
  const unloaded = `its program could not be loaded: if the bundler does not rewrite addresses of workers, build ${entry} as a separate entry, and give ${call} its address`;
  const thread = onWeb();
  thread.addEventListener("message", (event) => hear(event.data));
  thread.addEventListener("error", (event) => die(event.error ?? new Error(event.message || unloaded)));
  return {
    post: (message, transfer = []) => thread.postMessage(message, transfer as Transferable[]),
    hold: () => {},
    end: () => thread.terminate(),
  };
}

/**
 * Resolves an address relative to the page or, in Node, to the working folder. On its own, a thread would resolve the
 * address relative to its program.
 */
export function seenFromHere(where: string, name: string, given: unknown): URL {
  const base = inNode() ? builtin("node:url").pathToFileURL("./") : (globalThis.document?.baseURI ?? location.href);
  try {
    if (given instanceof URL || typeof given === "string") return new URL(given, base);
  } catch {} // Not an address: refused below.
  refuse(where, name, given, "an address", `${name}: new URL("./${name}.js", import.meta.url)`);
}

/** Returns the connection to the parent of this thread, or undefined if the program does not run on a thread. */
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
