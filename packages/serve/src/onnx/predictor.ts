import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CapabilityError, DataError, OptionError } from "ergodic";
import { checkKeys, checkNumber } from "ergodic/extend";
import { RefusedError } from "../refused.ts";
import { ModelProcess, type ModelSource, type Ports, type Question } from "./model-process.ts";
import { producerOf } from "./producer.ts";
import { checkedInputs, type OnnxPort, type OnnxTensor, wantedOutputs } from "./tensors.ts";

/** Options of `onnxPredictor`. */
export interface OnnxOptions {
  /** Number of threads of a run, an integer ≥ 1. Default 1, because requests run in parallel in other processes. */
  threads?: number;
  /** Milliseconds after which a run is abandoned and its process is killed, > 0, or Infinity. Default 30,000. */
  timeoutMs?: number;
  /** Milliseconds within which the model must be loaded, > 0, or Infinity. Default 60,000. */
  startMs?: number;
  /** Largest number of runs that may wait. Further runs are refused (429). An integer ≥ 1. Default 1000. */
  maxPending?: number;
  /** Location of the module onnxruntime-node: a folder or a URL. Default: as Node resolves it from here. */
  runtime?: string | URL;
}

/** Options of a run. */
export interface OnnxRunOptions {
  /** Names of the wanted outputs. Default: all. */
  outputs?: readonly string[];
}

type Tensors = Record<string, OnnxTensor>;

interface Pending extends Question {
  answered(outputs: Tensors): void;
  failed(error: unknown): void;
}

/**
 * Number of runs that are sent to the process before it needs them. The numbers for the next run are then transferred
 * while the current run computes.
 */
const AHEAD = 2;
/**
 * Milliseconds to wait before a process that has ended is restarted. The pause doubles each time, unless the process
 * ran for a long time.
 */
const [FIRST_PAUSE, LONGEST_PAUSE, LONG_LIFE] = [50, 30_000, 10_000];
/** Largest delay of setTimeout. */
const NEVER = 2 ** 31 - 1;
const WHERE = "onnxPredictor";

/** A foreign model, run by onnxruntime-node in a separate process. Made by `onnxPredictor`. */
export class OnnxPredictor implements AsyncDisposable {
  protected static readonly typeName: string = "OnnxPredictor";
  /** Kind of predictor. */
  readonly kind = "onnx";
  /** Inputs of the model. */
  readonly inputs: readonly OnnxPort[];
  /** Outputs of the model. */
  readonly outputs: readonly OnnxPort[];
  /** Program that wrote the file, according to the file. Undefined if the file does not name it. */
  readonly producer: string | undefined;
  readonly #source: ModelSource;
  readonly #limits: { readonly timeoutMs: number; readonly maxPending: number };
  readonly #stamp: string | undefined;
  readonly #queue: Pending[] = [];
  readonly #running: Pending[] = [];
  #process: ModelProcess | undefined;
  #startedAt = 0;
  #pause = FIRST_PAUSE;
  #readyAt = 0;
  #restarts = 0;
  #timer: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #isRestarting: Promise<void> | undefined;
  #broken: DataError | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  /** @internal */
  constructor(
    source: ModelSource,
    stamp: string | undefined,
    limits: { timeoutMs: number; maxPending: number },
    started: { process: ModelProcess; ports: Ports },
  ) {
    this.#source = source;
    this.#stamp = stamp;
    this.#limits = limits;
    this.producer = producerOf(source.model);
    this.inputs = started.ports.inputs;
    this.outputs = started.ports.outputs;
    this.#watch(started.process);
  }

  /** Process id of the child process; undefined while there is no process. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Milliseconds after which a run is abandoned. */
  get timeoutMs(): number {
    return this.#limits.timeoutMs;
  }

  /** Number of times that a process was started to replace a process that had ended. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Number of runs that wait or are in progress. */
  get pending(): number {
    return this.#queue.length + this.#running.length;
  }

  /**
   * Runs the model on inputs by name, and returns its outputs by name.
   *
   * @throws OptionError [ONNX_INPUT] for tensors that the model does not take, before anything is sent; DataError
   * [ONNX_RUN] for runs that onnxruntime refuses; RefusedError [RESTARTING, DEADLINE, CLOSED] (503) if the process
   * ended, the run took longer than `timeoutMs`, or the predictor is closed; RefusedError [QUEUE_FULL] (429)
   *
   * @example
   * ```ts
   * const { probabilities } = await model.run({ columns: { type: "float32", shape: [1, 784], data } });
   * ```
   */
  async run(inputs: Readonly<Record<string, OnnxTensor>>, options: OnnxRunOptions = {}): Promise<Tensors> {
    checkKeys("OnnxPredictor.run", options, ["outputs"]);
    const outputs = wantedOutputs(options.outputs, this.outputs);
    const tensors = checkedInputs(inputs, this.inputs);
    if (this.#closing) throw this.#refused("the model is closed; use another", "CLOSED", 1000);
    if (this.#broken) throw this.#broken;
    if (!this.#process) throw this.#restarting("the model's process ended and is restarting");
    if (this.pending >= this.#limits.maxPending)
      throw this.#refused(
        `${this.pending} runs are already waiting; send fewer at a time, or allow more (maxPending)`,
        "QUEUE_FULL",
        100,
      );
    return new Promise((answered, failed) => {
      this.#queue.push({ inputs: tensors, outputs, answered, failed });
      this.#next();
    });
  }

  /**
   * Finishes accepted runs, then ends the process. The memory of the process is freed once the promise has resolved.
   */
  close(): Promise<void> {
    this.#closing ??= this.#closed();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closed(): Promise<void> {
    clearTimeout(this.#restart);
    await this.#isRestarting;
    if (this.pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    const process = this.#process;
    process?.kill();
    await process?.gone;
  }

  #next(): void {
    while (this.#process && this.#running.length < AHEAD && this.#queue.length > 0) {
      const pending = this.#queue.shift()!;
      this.#running.push(pending);
      if (this.#running.length === 1) this.#time();
      const process = this.#process;
      process.run(pending).then(
        (outputs) => this.#settled(pending, () => pending.answered(outputs)),
        (error) => {
          // The process has ended. When its end is reported, all waiting runs are rejected.
          if (error !== undefined) this.#settled(pending, () => pending.failed(error));
        },
      );
    }
    if (this.pending === 0) this.#idle?.();
  }

  #settled(pending: Pending, tell: () => void): void {
    const at = this.#running.indexOf(pending);
    if (at < 0) return;
    this.#running.splice(at, 1);
    clearTimeout(this.#timer);
    if (this.#running.length > 0) this.#time();
    tell();
    this.#next();
  }

  /** Starts the timeout of the first run. This method is called when the process begins to compute the run. */
  #time(): void {
    const { timeoutMs } = this.#limits;
    clearTimeout(this.#timer);
    if (timeoutMs > NEVER) return;
    this.#timer = setTimeout(() => {
      const [first] = this.#running.splice(0, 1);
      first.failed(
        this.#refused(
          `the run took longer than ${timeoutMs} ms and was stopped; send fewer rows at a time, or allow more time (timeoutMs)`,
          "DEADLINE",
          this.#pause,
        ),
      );
      this.#process?.kill();
    }, timeoutMs);
  }

  #watch(process: ModelProcess): void {
    this.#process = process;
    this.#startedAt = performance.now();
    void process.gone.then((how) => this.#lost(how));
    this.#next();
  }

  /** Rejects waiting runs. Callers can send these runs again, later or elsewhere. */
  #lost(how: string): void {
    this.#process = undefined;
    clearTimeout(this.#timer);
    if (performance.now() - this.#startedAt >= LONG_LIFE) this.#pause = FIRST_PAUSE;
    this.#again();
    const waiting = [...this.#running.splice(0), ...this.#queue.splice(0)];
    for (const { failed } of waiting) failed(this.#restarting(`the model's process ended (${how}) and is restarting`));
    this.#idle?.();
  }

  #again(): void {
    if (this.#closing) return;
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE, 2 * pause);
    this.#readyAt = performance.now() + pause;
    this.#restart = setTimeout(() => {
      this.#isRestarting = this.#started();
    }, pause);
    this.#restart.unref();
  }

  async #started(): Promise<void> {
    try {
      if (this.#stamp !== undefined && stampOf(this.#source.model) !== this.#stamp)
        throw new DataError(
          this.#source.where,
          "has changed since it was opened, and its process has ended; open it again",
          "ONNX_CHANGED",
        );
      const { process } = await ModelProcess.start(this.#source);
      this.#restarts++;
      this.#watch(process);
    } catch (error) {
      if (error instanceof DataError && error.code === "ONNX_CHANGED") this.#broken = error;
      else this.#again();
    } finally {
      this.#isRestarting = undefined;
    }
  }

  #restarting(message: string): RefusedError {
    return this.#refused(`${message}; try again later`, "RESTARTING", Math.max(FIRST_PAUSE, this.#readyAt - performance.now()));
  }

  #refused(message: string, code: "CLOSED" | "QUEUE_FULL" | "DEADLINE" | "RESTARTING", retryAfterMs: number): RefusedError {
    return new RefusedError("OnnxPredictor.run", message, code, Math.ceil(retryAfterMs));
  }
}

/**
 * Opens a foreign model from an ONNX file. onnxruntime-node runs it in a child process, so this process is never
 * blocked. `close()` frees the memory.
 *
 * If the child process is killed or crashes, waiting runs are refused with 503. The process is restarted after a pause
 * that grows each time. When no run is in progress, the child process does not keep this program alive.
 * onnxruntime-node is a package that you install: `npm install --ignore-scripts onnxruntime-node`.
 *
 * `from`: a path or a file URL, which must not change while the model is open, or the file's bytes.
 *
 * @throws DataError [ONNX_START] for a model that onnxruntime refuses, with its message; CapabilityError [ONNX_RUNTIME]
 * if onnxruntime-node is not installed; OptionError
 *
 * @example
 * ```ts
 * await using model = await onnxPredictor("m.onnx");
 * const outputs = await model.run({ columns: { type: "float32", shape: [2, 4], data: new Float32Array(8) } });
 * ```
 */
export async function onnxPredictor(from: string | URL | Uint8Array, options: OnnxOptions = {}): Promise<OnnxPredictor> {
  checkKeys(WHERE, options, ["threads", "timeoutMs", "startMs", "maxPending", "runtime"]);
  const { threads = 1, timeoutMs = 30_000, startMs = 60_000, maxPending = 1000, runtime } = options;
  checkNumber(WHERE, "threads", threads, { low: 1, integer: true });
  checkNumber(WHERE, "maxPending", maxPending, { low: 1, integer: true });
  for (const [name, value] of Object.entries({ timeoutMs, startMs }))
    if (value !== Infinity) checkNumber(WHERE, name, value, { low: 0, open: true });
  const model = modelOf(from);
  const where = typeof model === "string" ? model : "the ONNX model";
  const stamp = stampOf(model);
  const source = { where, model, module: moduleOf(runtime), threads, startMs: Math.min(startMs, NEVER) };
  return new OnnxPredictor(source, stamp, { timeoutMs, maxPending }, await ModelProcess.start(source));
}

function modelOf(from: unknown): string | Uint8Array {
  if (from instanceof Uint8Array) return from.slice();
  if (from instanceof URL && from.protocol === "file:") return fileURLToPath(from);
  if (typeof from === "string" && from !== "") return resolve(from);
  const shown = from instanceof URL ? from.href : from === null ? "null" : from === "" ? "empty" : typeof from;
  throw new OptionError(
    WHERE,
    `the model is ${shown}, but must be a path, a file URL or the bytes of an ONNX file`,
    "OPTION_TYPE",
  );
}

/**
 * Returns a value that changes when the file changes. Returns undefined for bytes. @throws DataError if the file does
 * not exist
 */
function stampOf(model: string | Uint8Array): string | undefined {
  if (typeof model !== "string") return undefined;
  try {
    const { size, mtimeMs, ino } = statSync(model);
    return `${size} ${mtimeMs} ${ino}`;
  } catch (cause) {
    throw new DataError(model, `cannot be read (${(cause as Error).message}); give the path of an ONNX file`, "FILE_READ", {
      cause,
    });
  }
}

function moduleOf(runtime: unknown): string {
  if (runtime instanceof URL) return runtime.href;
  if (runtime !== undefined && typeof runtime !== "string")
    throw new OptionError(
      WHERE,
      `runtime is ${typeof runtime}, but must be the folder or URL of onnxruntime-node`,
      "OPTION_TYPE",
    );
  if (runtime?.startsWith("file:")) return runtime;
  const { resolve: found } = createRequire(import.meta.url);
  const name = runtime === undefined ? "onnxruntime-node" : isAbsolute(runtime) ? runtime : resolve(runtime);
  try {
    return pathToFileURL(found(name)).href;
  } catch (cause) {
    throw new CapabilityError(
      WHERE,
      `${runtime ?? "onnxruntime-node"} is not installed; run npm install --ignore-scripts onnxruntime-node (its script would download files for GPUs only), or give its folder (runtime)`,
      "ONNX_RUNTIME",
      { cause },
    );
  }
}
