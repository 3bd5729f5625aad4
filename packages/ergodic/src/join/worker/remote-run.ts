import type { JsonObject } from "../../engine/contract/index.ts";
import { withText } from "../../engine/errors/printable.ts";
import { errorFrom } from "../../engine/errors/sent-errors.ts";
import type { FileTarget } from "../../engine/files/files.ts";
import { writeWhole } from "../../engine/files/files.ts";
import { Watched } from "../../engine/loop/watched.ts";
import type { Answer, Request, Sent } from "./messages.ts";

type Of<K extends Answer["kind"]> = Extract<Answer, { kind: K }>;

/** Run on another thread. Like a local run, it can be awaited and iterated over its ticks. */
export class RemoteRun<Result> extends Watched<Result> {
  protected static readonly typeName: string = "RemoteRun";
  /** Description of the run. The result contains the same description. The promise resolves when the run begins. */
  readonly chosen: Promise<JsonObject>;
  protected readonly result: Promise<Result>;
  private readonly id: number;
  private readonly post: (request: Request) => void;
  private readonly keepAt: (id: number) => Promise<Uint8Array>;
  private announce: (chosen: JsonObject) => void = () => {};
  private settle: { resolve(result: Sent): void; reject(error: unknown): void } = { resolve: () => {}, reject: () => {} };

  constructor(
    id: number,
    {
      post,
      keep,
      finish,
      signal,
      resultNames,
    }: {
      post: (request: Request) => void;
      keep: (id: number) => Promise<Uint8Array>;
      finish: (sent: Sent) => Promise<Result>;
      signal: AbortSignal | undefined;
      resultNames: readonly string[];
    },
  ) {
    super();
    this.id = id;
    this.post = post;
    this.keepAt = keep;
    const ended = new Promise<Sent>((resolve, reject) => (this.settle = { resolve, reject }));
    this.chosen = new Promise((resolve, reject) => {
      this.announce = resolve;
      ended.catch(reject);
    });
    this.chosen.catch(() => {});
    this.result = ended
      .then(finish)
      .then(withText)
      .finally(() => this.endWatching());
    this.result.catch(() => {});
    const abort = (): void => {
      post({ kind: "abort", id });
      this.settle.reject(signal?.reason);
    };
    this.refuseUnawaited(resultNames);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  }

  /** Handles a message from the thread about this run. Called by the client. */
  hear(answer: Of<"chosen"> | Of<"tick"> | Of<"done"> | Of<"failed">): void {
    if (answer.kind === "chosen") this.announce(answer.chosen);
    else if (answer.kind === "tick") this.emit(answer.tick);
    else if (answer.kind === "done") this.settle.resolve(answer.result);
    else this.fail(errorFrom(answer.failure));
  }

  /** Ends the run with an error. */
  fail(error: unknown): void {
    this.settle.reject(error);
  }

  /**
   * Writes a checkpoint after the current stretch. Returns the bytes if `to` is not given; otherwise writes to a path
   * (Node) or a file handle (browsers).
   */
  checkpoint(): Promise<Uint8Array>;
  checkpoint(to: FileTarget): Promise<void>;
  async checkpoint(to?: FileTarget): Promise<unknown> {
    const bytes = await this.keepAt(this.id);
    return to === undefined ? bytes : writeWhole(to, bytes, { keep: true });
  }

  /** Ends the run after the current stretch. The run then resolves with its result so far. */
  stop(reason = "stopped"): this {
    this.post({ kind: "stop", id: this.id, reason });
    return this;
  }

  /** Pauses the run after the current stretch. `proceed()`, `stop()` or the run's signal ends the pause. */
  pause(): this {
    this.post({ kind: "pause", id: this.id });
    return this;
  }

  /** Continues after `pause()`. */
  proceed(): this {
    this.post({ kind: "proceed", id: this.id });
    return this;
  }
}
