/**
 * One child process that runs a model, from the start of the process to its end (child.js). If a process has ended,
 * callers start a new one instead.
 *
 * While it has no work it does not keep the program alive. When the parent process ends, for whatever reason, this
 * process ends too.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CapabilityError, DataError, type ErgodicError } from "ergodic";
import type { OnnxPort, OnnxTensor } from "./tensors.ts";

export interface ModelSource {
  /** Name of the file, for errors. */
  readonly where: string;
  /** Path, or the file's bytes. */
  readonly model: string | Uint8Array;
  /** URL of the module of onnxruntime-node. */
  readonly module: string;
  readonly threads: number;
  /** Longest time in milliseconds that the start can take. */
  readonly startMs: number;
}

export interface Ports {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface Question {
  readonly inputs: Readonly<Record<string, OnnxTensor>>;
  readonly outputs: readonly string[];
}

type Tensors = Record<string, OnnxTensor>;

interface Waiting {
  answered(outputs: Tensors): void;
  failed(error: unknown): void;
}

interface Message {
  readonly loaded?: { inputs: Metadata[]; outputs: Metadata[] };
  readonly failed?: string;
  readonly code?: string;
  readonly id?: number;
  readonly outputs?: Tensors;
  readonly wrong?: string;
}

type Metadata = OnnxPort & { readonly isTensor: boolean };

/** An object that can keep this program alive. Some hosts lack some of the methods. */
interface Handle {
  ref?(): void;
  unref?(): void;
}

/** Number of characters of the child's standard error that are stored. */
const LAST_WORDS = 500;

export class ModelProcess {
  /** Resolves when the process has ended. The value describes how it ended. */
  readonly gone: Promise<string>;
  readonly #child: ChildProcess;
  readonly #where: string;
  readonly #waiting = new Map<number, Waiting>();
  #started: { loaded(ports: Ports): void; failed(error: ErgodicError): void } | undefined;
  #count = 0;
  #lastWords = "";
  #isGone = false;

  private constructor(where: string) {
    this.#where = where;
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [], {
      env,
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.on("message", (message) => this.#heard(message as Message));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
    this.gone = new Promise((resolve) => {
      const ended = (how: string): void => {
        this.#isGone = true;
        resolve(this.#lastWords.trim() === "" ? how : `${how}, after it wrote ${JSON.stringify(this.#lastWords.trim())}`);
      };
      this.#child.once("error", ({ message }) => {
        this.#started?.failed(
          new CapabilityError(
            where,
            `the process to run the model cannot be started (${message}); allow this program to start processes`,
            "HOST_PROCESS",
          ),
        );
        ended(`it did not start (${message})`);
      });
      this.#child.once("close", (code, signal) => ended(signal ? `it was ended by ${signal}` : `it ended with code ${code}`));
    });
    void this.gone.then((how) => this.#ended(how));
  }

  /**
   * Starts a process and loads the model. @throws DataError with onnxruntime's message for a model that it refuses, or
   * that is not loaded in time; CapabilityError if onnxruntime-node does not run
   */
  static async start(source: ModelSource): Promise<{ process: ModelProcess; ports: Ports }> {
    const { where, model, module, threads, startMs } = source;
    const made = new ModelProcess(where);
    let timer: NodeJS.Timeout | undefined;
    try {
      const ports = await new Promise<Ports>((loaded, failed) => {
        made.#started = { loaded, failed };
        timer = setTimeout(() => {
          const message = `was not loaded within ${startMs} ms; allow more time (startMs), or use another model`;
          failed(new DataError(where, message, "ONNX_START"));
        }, startMs);
        made.#send({ load: { model, module, threads } });
      });
      made.#rest();
      return { process: made, ports };
    } catch (error) {
      made.kill();
      await made.gone;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Number of runs without an answer. */
  get runs(): number {
    return this.#waiting.size;
  }

  /**
   * Runs the model and returns outputs by name. Rejects with a DataError if onnxruntime refuses the run, and with
   * undefined if the process ended first.
   */
  run({ inputs, outputs }: Question): Promise<Tensors> {
    const id = this.#count++;
    return new Promise((answered, failed) => {
      this.#waiting.set(id, { answered, failed });
      if (this.#waiting.size === 1) this.#work();
      this.#send({ id, inputs, outputs });
    });
  }

  kill(): void {
    // Callers wait for the end of the process, so the program is kept alive until then.
    this.#work();
    this.#child.kill("SIGKILL");
  }

  /** Sends a message. If sending fails, nothing is done here, because the end of the process is reported elsewhere. */
  #send(message: object): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #heard({ loaded, failed, code, id, outputs, wrong }: Message): void {
    if (loaded) this.#loaded(loaded);
    if (failed !== undefined) this.#started?.failed(this.#refusal(failed, code));
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || !waiting) return;
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#rest();
    if (outputs) waiting.answered(outputs);
    else waiting.failed(new DataError(this.#where, `onnxruntime could not run it: ${wrong}; look at the inputs`, "ONNX_RUN"));
  }

  #loaded({ inputs, outputs }: { inputs: Metadata[]; outputs: Metadata[] }): void {
    const fault = portFault(inputs, outputs);
    if (fault !== undefined) {
      this.#started?.failed(new CapabilityError(this.#where, fault, "ONNX_PORT"));
      return;
    }
    const tensors = (ports: Metadata[]): OnnxPort[] => ports.map(({ name, type, shape }) => ({ name, type, shape: [...shape] }));
    this.#started?.loaded({ inputs: tensors(inputs), outputs: tensors(outputs) });
  }

  #refusal(message: string, code: string | undefined): ErgodicError {
    if (code?.startsWith("ERR_MODULE") || code === "MODULE_NOT_FOUND" || code === "ERR_DLOPEN_FAILED")
      return new CapabilityError(
        this.#where,
        `onnxruntime-node does not run here: ${message}; install it for this host`,
        "ONNX_RUNTIME",
      );
    return new DataError(this.#where, `onnxruntime cannot load it: ${message}`, "ONNX_START");
  }

  #ended(how: string): void {
    this.#started?.failed(
      new DataError(this.#where, `the process that loaded it ended: ${how}; the file may be damaged`, "ONNX_START"),
    );
    for (const { failed } of this.#waiting.values()) failed(undefined);
    this.#waiting.clear();
  }

  /** Allows the parent to end from now on. */
  #rest(): void {
    for (const handle of this.#handles()) handle?.unref?.();
  }

  #work(): void {
    for (const handle of this.#handles()) handle?.ref?.();
  }

  #handles(): (Handle | null | undefined)[] {
    // On some hosts, a process that could not be started has no handles.
    if (this.#child.pid === undefined) return [];
    return [this.#child, this.#child.channel, this.#child.stderr as unknown as Handle | null];
  }
}

/** Names an input or output that is not a tensor, and says what to do. Undefined if there is none. */
function portFault(inputs: readonly Metadata[], outputs: readonly Metadata[]): string | undefined {
  const input = inputs.find(({ isTensor }) => !isTensor);
  if (input) return `takes a sequence or a map, "${input.name}", but only tensors can be sent; export it with tensors`;
  const output = outputs.find(({ isTensor }) => !isTensor);
  if (!output) return undefined;
  return `returns a sequence or a map, "${output.name}", but only tensors can be returned; export it with tensors, as skl2onnx does with options={"zipmap": False}`;
}
