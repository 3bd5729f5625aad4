/**
 * Connection to a worker thread. The connection tracks which data the thread already has and which runs it is
 * executing.
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { OptionError, saidBy, WorkerError } from "../../engine/errors/errors.ts";
import { errorFrom } from "../../engine/errors/sent-errors.ts";
import { nameOf, readWhole } from "../../engine/files/files.ts";
import { readCheckpoint } from "../../engine/loop/checkpoint.ts";
import {
  answerNames,
  calibrationNames,
  drawsNames,
  learnedNames,
  minimumNames,
  modeNames,
  pathNames,
  trainedNames,
  tunedNames,
} from "../../engine/loop/result-names.ts";
import { type Opening, type OwnThread, openOwnThread, seenFromHere } from "../../engine/threads/own-thread.ts";
import { type KnownData, TAG } from "./encode.ts";
import { type Answer, notBegun, type Request, type Sent, type VerbName } from "./messages.ts";
import { ownIn } from "./own.ts";
import { RemoteRun } from "./remote-run.ts";

export class Connection implements KnownData, Disposable {
  private readonly port: OwnThread<Request>;
  private readonly runs = new Map<number, WeakRef<RemoteRun<unknown>>>();
  private readonly unfinished = new Map<number, RemoteRun<unknown>>();
  private readonly keepers = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: unknown): void }>();
  private readonly numbers = new WeakMap<object, number>();
  /** Data that were given an id while the current message was being encoded. */
  private readonly fresh: object[] = [];
  private readonly forgotten = new FinalizationRegistry<{ data?: number; run?: number }>((what) =>
    this.port.post({ kind: "forget", ...what }),
  );
  private next = 0;
  readonly hasModule: boolean;
  private death: WorkerError | undefined;

  constructor({ module, script }: { readonly module?: string | URL; readonly script?: string | URL }) {
    this.hasModule = module !== undefined;
    const address = module === undefined ? undefined : seenFromHere("worker", "module", module);
    const program = script === undefined ? undefined : seenFromHere("worker", "script", script);
    try {
      this.port = openOwnThread<Request, Answer>(
        opening(program),
        (answer) => this.hear(answer),
        (cause) => this.die(cause),
      );
    } catch (cause) {
      throw new WorkerError("worker", `the thread cannot be started: ${saidBy(cause)}; ${UNSTARTED}`, "WORKER_START", { cause });
    }
    if (address !== undefined) this.port.post({ kind: "module", url: address.href });
  }

  numberOf(data: object): { number: number; isNew: boolean } {
    const known = this.numbers.get(data);
    if (known !== undefined) return { number: known, isNew: false };
    const number = this.next++;
    this.numbers.set(data, number);
    this.fresh.push(data);
    this.forgotten.register(data, { data: number });
    return { number, isNew: true };
  }

  /** Ends the thread. This is an arrow function, so that it also works when it is destructured, as the verbs do. */
  readonly dispose = (): void => {
    this.port.end();
    this.die(new Error("it was disposed of"));
  };

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * Reads a checkpoint and the user's definitions that it names. The calling side reads the file, because the thread
   * would resolve a relative address against its own program.
   */
  protected async kept(from: unknown): Promise<{ sent: object; recipe: JsonObject }> {
    const name = nameOf(from as string, "checkpoint");
    const bytes = await readWhole(from as string);
    const { recipe } = await readCheckpoint(bytes, name);
    return { sent: { [TAG]: "checkpoint", from: bytes, own: ownIn(recipe, this.hasModule) }, recipe };
  }

  /**
   * Returns the result of `make`. If `make` throws, no message is sent, so the data that received an id are marked as
   * unsent again.
   */
  protected encoded<T>(make: () => T): T {
    this.fresh.length = 0;
    try {
      return make();
    } catch (error) {
      this.unsend(this.fresh.splice(0));
      throw error;
    }
  }

  /** Marks data as not sent, so that the next message that refers to them includes them. */
  private unsend(data: readonly object[]): void {
    for (const one of data) this.numbers.delete(one);
  }

  protected launch<R>(
    verb: VerbName,
    args: () => Promise<unknown[]>,
    finish: (sent: Sent) => Promise<R>,
    signal: AbortSignal | undefined,
  ): RemoteRun<R> {
    const id = this.next++;
    const numbered = this.fresh.splice(0);
    // Whether the run was sent. Later requests about the run wait for this promise, so that they arrive after the
    // message that starts it.
    let whenSent = Promise.resolve(true);
    const post = (request: Request): void => void whenSent.then(() => this.port.post(request));
    const keep = async (run: number): Promise<Uint8Array> => {
      const wasSent = await whenSent;
      if (this.death) throw this.death;
      if (!wasSent) throw notBegun();
      const request = this.next++;
      return new Promise((resolve, reject) => {
        this.keepers.set(request, { resolve, reject });
        this.port.post({ kind: "checkpoint", id: run, request });
      });
    };
    const run = new RemoteRun<R>(id, { post, keep, finish, signal, resultNames: resultNames(verb) });
    this.runs.set(id, new WeakRef(run));
    this.unfinished.set(id, run);
    this.forgotten.register(run, { run: id });
    const done = (): void => void this.unfinished.delete(id);
    run.then(done, done);
    if (this.death) run.fail(this.death);
    else
      whenSent = args()
        .then((sent) => {
          this.port.post({ kind: "run", id, verb, args: sent });
          return true;
        })
        .catch((error: unknown) => {
          this.unsend(numbered);
          run.fail(notSent(error));
          return false;
        });
    return run;
  }

  private hear(answer: Answer): void {
    if (answer.kind === "ready") return;
    if (answer.kind !== "kept") {
      (this.unfinished.get(answer.id) ?? this.runs.get(answer.id)?.deref())?.hear(answer);
      return;
    }
    const keeper = this.keepers.get(answer.request);
    this.keepers.delete(answer.request);
    if (answer.bytes) keeper?.resolve(answer.bytes);
    else keeper?.reject(errorFrom(answer.failure!));
  }

  private die(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.death ??= new WorkerError("worker", `the thread ended: ${reason}; start another by worker()`, "WORKER_DIED", { cause });
    for (const waiting of [...this.keepers.values()]) waiting.reject(this.death);
    this.keepers.clear();
    for (const run of [...this.unfinished.values()]) run.fail(this.death);
  }
}

/** Names of all properties that a verb's result can have. */
function resultNames(verb: VerbName): readonly string[] {
  if (verb.startsWith("fit.path")) return pathNames();
  if (verb.startsWith("fit")) return [...trainedNames(), ...modeNames(), ...learnedNames()];
  if (verb.startsWith("sample")) return drawsNames();
  if (verb.startsWith("minimize")) return minimumNames();
  if (verb.startsWith("tune")) return tunedNames();
  return verb === "calibrate" ? calibrationNames() : answerNames();
}

/** Explains errors from arguments that cannot be cloned into a message. */
function notSent(error: unknown): unknown {
  if (!(error instanceof DOMException && error.name === "DataCloneError")) return error;
  return new OptionError("worker", `an argument cannot be sent to a worker: ${error.message}`, "WORKER_ARGUMENT", {
    cause: error,
  });
}

/** Service workers and shared workers cannot start a Worker, and a Worker cannot load a program from another origin. */
const UNSTARTED =
  "if the host has no threads, take the verbs of ergodic itself; if ergodic is on another origin, copy ergodic/dist to this one, and give worker({ script }) the address of its worker/serve.js";

const opening = (script: URL | undefined): Opening => ({
  onNode: (Thread, options) => new Thread(script ?? new URL("./serve.js", import.meta.url), options),
  onWeb: () =>
    script
      ? new Worker(script, { type: "module", name: "ergodic-verbs" })
      : new Worker(new URL("./serve.js", import.meta.url), { type: "module", name: "ergodic-verbs" }),
  entry: "ergodic/worker/serve",
  call: "worker({ script })",
});
