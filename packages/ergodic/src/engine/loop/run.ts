import type { JsonObject, Progression, Snapshot, Tick } from "../contract/index.ts";
import { ErgodicError } from "../errors/errors.ts";
import type { Finding } from "../errors/finding.ts";
import { withText } from "../errors/printable.ts";
import { type FileTarget, writeWhole } from "../files/files.ts";
import { isPageThread } from "../memory/load.ts";
import { turn } from "../threads/turn.ts";
import { refusedCheckpoint } from "./checkpoint.ts";
import { type Losses, Stopping, type StoppingOptions } from "./stopping.ts";
import { Watched } from "./watched.ts";

/**
 * Intended length of a stretch in milliseconds. Stretches are shorter on a page's main thread, which must also draw the
 * page and respond to input.
 */
const STRETCH_MS = isPageThread ? 8 : 20;
/**
 * Largest ratio of the lengths of successive stretches. The full length is reached only after at least four stretches,
 * so that a slow cold start alone does not determine the length.
 */
const MOST_GROWTH = 16;
/** Milliseconds between ticks. An event that watchers must see causes an earlier tick. */
const TICK_MS = 100;
const PAUSED_MS = 20;

/** Initial state of a job: a new progression, or a progression that resumes from a checkpoint. */
export interface Started {
  progression: Progression;
  stopping: StoppingOptions;
  /** Description of the run with every default filled in. */
  chosen: JsonObject;
  resume?: { snapshot: Snapshot; loop: JsonObject };
}

export interface Job<Result> extends Losses {
  start(): Promise<Started>;
  signal?: AbortSignal;
  /**
   * Names of the result's properties. Reading such a property from the run itself throws an error that asks for
   * `await`.
   */
  resultNames?: readonly string[];
  /**
   * Whether a failed call of `advance` leaves the progression intact. If so, a run can still be checkpointed after such
   * a failure. A run that its signal ended always can.
   */
  survivesFailure?: boolean;
  /** Makes the result. Returns a promise if the result takes long to make. */
  finish(parameters: Float64Array, summary: RunSummary): Result | Promise<Result>;
  /**
   * Returns the bytes of a checkpoint, from the progression's snapshot and the loop's state.
   * @throws CapabilityError if this kind of run cannot be checkpointed
   */
  keep(snapshot: Snapshot, loop: JsonObject): Uint8Array;
}

/** Summary of a finished run. */
export interface RunSummary {
  /** Number of updates made. */
  updates: number;
  /** Number of passes over the data. */
  epochs: number;
  /** Seconds of training, without set-up and validation. */
  seconds: number;
  /** Reason why the run stopped. */
  reason: string;
  /** Reasons to doubt the result: the objective is worse than at the start, or has no minimum. */
  findings: readonly Finding[];
  /** Mean training loss over the last epoch. If the epoch is incomplete, the mean covers its finished part. */
  loss: number;
  /** Last values that the algorithm reported. */
  report: Record<string, number>;
  /** Ticks of the run. Long runs retain the last few thousand ticks and a sample of the earlier ticks (ticks.ts). */
  ticks: Tick[];
}

/** State of a run after a stretch or at its end, from which a checkpoint is written. */
interface Kept {
  readonly snapshot: Snapshot;
  readonly loop: JsonObject;
}

interface Keeper {
  readonly to: FileTarget | undefined;
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: unknown): void;
}

/**
 * A pause that can be waited for repeatedly without leaking memory. A race against one long-lived promise would retain
 * every waiter.
 */
class Pause {
  private ended = false;
  private wake: (() => void) | undefined;

  /** Waits until the pause ends, but not longer than this many milliseconds. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.ended) return resolve();
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }
}

/**
 * The loop: advance, watch, validate, checkpoint, stop. The loop does not depend on the algorithm or the model, because
 * it only drives a `Progression` (contract/progression.ts).
 *
 * A run starts when it is constructed. Awaiting a run gives its result, and iterating over a run gives its ticks. Work
 * is done in stretches of about STRETCH_MS. Signals, checkpoints and time limits are handled between two stretches.
 * Only update counts decide when a run stops, validates or is checkpointed (except for `until.seconds`), so that a
 * resumed run repeats itself exactly.
 */
export class Run<Result> extends Watched<Result> {
  protected static readonly typeName: string = "Run";
  /**
   * Description of the run, which the result also contains: model, algorithm and plan, with defaults filled in. Known
   * once training begins.
   */
  readonly chosen: Promise<JsonObject>;
  private readonly job: Job<Result>;
  protected readonly result: Promise<Result>;
  private readonly keepers: Keeper[] = [];
  private stopped = "";
  private paused: Pause | undefined;
  /**
   * Whether a stretch is in progress or has failed. In that state, the progression can be in the middle of an update.
   */
  private within = false;
  private last: Kept | undefined;

  constructor(job: Job<Result>) {
    super();
    this.job = job;
    let announce: (chosen: Started["chosen"]) => void = () => {};
    let refuse: (error: unknown) => void = () => {};
    this.chosen = new Promise((resolve, reject) => {
      announce = resolve;
      refuse = reject;
    });
    this.chosen.catch(() => {});
    this.result = this.drive(announce);
    this.result.catch(refuse);
    // A user who iterates over a run awaits the result later. Until then, a failure must not count as an unhandled
    // rejection.
    this.result.catch(() => {});
    this.refuseUnawaited(job.resultNames ?? []);
  }

  /**
   * Writes a checkpoint of the state after the current stretch, or of the final state if the run has ended (even if its
   * signal ended it). The verb's `resume` continues from the checkpoint, bit for bit. Without an argument, returns the
   * checkpoint's bytes. With a path, or with a file handle in a browser, writes the file. The file appears completely
   * or not at all.
   */
  checkpoint(): Promise<Uint8Array>;
  checkpoint(to: FileTarget): Promise<void>;
  checkpoint(to?: FileTarget): Promise<unknown> {
    if (this.last) return this.keep(this.last, to);
    if (this.ended) return Promise.reject(nothingToKeep());
    return new Promise((resolve, reject) => this.keepers.push({ to, resolve, reject }));
  }

  /** Ends the run after the current stretch and returns the result so far. */
  stop(reason = "stopped"): this {
    this.stopped = reason;
    return this.proceed();
  }

  /**
   * Pauses the run after the current stretch, until `proceed()`, `stop()` or its signal. Checkpoints that are requested
   * during the pause are still written.
   */
  pause(): this {
    if (this.paused || this.ended) return this;
    this.paused = new Pause();
    return this;
  }

  /** Resumes after `pause()`. */
  proceed(): this {
    const { paused } = this;
    this.paused = undefined;
    paused?.end();
    return this;
  }

  private async drive(announce: (chosen: Started["chosen"]) => void): Promise<Result> {
    let progression: Progression | undefined;
    try {
      const started = await this.job.start();
      progression = started.progression;
      announce(started.chosen);
      return await this.loop(started);
    } finally {
      this.ended = true;
      progression?.dispose();
      this.endWatching();
      for (const keeper of this.keepers.splice(0)) {
        if (this.last) this.keep(this.last, keeper.to).then(keeper.resolve, keeper.reject);
        else keeper.reject(nothingToKeep());
      }
    }
  }

  private async loop({ progression, stopping: limits, resume }: Started): Promise<Result> {
    const { job } = this;
    const stopping = new Stopping(limits, progression, job);
    if (resume) restore(progression, stopping, resume);
    const keep = (): void => {
      this.last = { snapshot: stopping.withBest(progression.snapshot()), loop: stopping.toJSON() };
    };
    try {
      await this.stretches(progression, stopping);
      const parameters = stopping.best ?? progression.parameters();
      stopping.refuseInfinite(parameters);
      keep();
      const result = await job.finish(parameters, {
        updates: progression.updates,
        epochs: progression.step / progression.stepsPerEpoch,
        seconds: stopping.seconds,
        reason: stopping.reason,
        findings: [],
        loss: stopping.loss,
        report: progression.report(),
        ticks: this.ticks.list(),
      });
      return withText(result);
    } catch (error) {
      const ended = job.signal?.aborted && error === job.signal.reason && !this.within;
      if (job.survivesFailure || ended) keep();
      throw error;
    }
  }

  private async stretches(progression: Progression, stopping: Stopping): Promise<void> {
    const { job } = this;
    let stepsPerStretch = 1;
    let sinceTick = { lossSum: 0, rows: 0, updates: 0, seconds: 0 };
    let lastTickAt = -Infinity;
    while (!stopping.reason) {
      await this.serve(progression, stopping);
      job.signal?.throwIfAborted();
      if (this.stopped) {
        stopping.reason = this.stopped;
        break;
      }
      const steps = Math.min(stepsPerStretch, stopping.stepsToNextStop());
      const start = performance.now();
      this.within = true;
      const made = await progression.advance(steps);
      this.within = false;
      const seconds = (performance.now() - start) / 1000;
      sinceTick = {
        lossSum: sinceTick.lossSum + made.lossSum,
        rows: sinceTick.rows + made.rows,
        updates: sinceTick.updates + made.updates,
        seconds: sinceTick.seconds + seconds,
      };
      const ideal = (steps * STRETCH_MS) / Math.max(1e-3, seconds * 1000);
      stepsPerStretch = Math.max(1, Math.round(Math.min(ideal, MOST_GROWTH * Math.max(steps, stepsPerStretch))));
      const validation = stopping.after(made, seconds) ?? made.validation;
      const now = performance.now();
      // During a long first step, there may be no loss yet.
      const known = !Number.isNaN(stopping.loss);
      if (validation || stopping.reason || (known && now - lastTickAt >= TICK_MS)) {
        this.emit(this.tick(progression, stopping, sinceTick, validation));
        sinceTick = { lossSum: 0, rows: 0, updates: 0, seconds: 0 };
        lastTickAt = now;
      }
      await turn();
    }
  }

  private tick(
    progression: Progression,
    stopping: Stopping,
    since: { lossSum: number; rows: number; updates: number; seconds: number },
    validation: Record<string, number> | undefined,
  ): Tick {
    return {
      update: progression.updates,
      epoch: progression.step / progression.stepsPerEpoch,
      seconds: stopping.seconds,
      updatesPerSecond: since.updates / Math.max(1e-9, since.seconds),
      loss: since.rows > 0 ? since.lossSum / since.rows : stopping.loss,
      ...(validation ? { validation } : {}),
      ...progression.report(),
    };
  }

  /** Called between two stretches. Writes the requested checkpoints, and waits while the run is paused. */
  private async serve(progression: Progression, stopping: Stopping): Promise<void> {
    await this.keepAll(progression, stopping);
    while (this.paused) {
      // The loop wakes up regularly, because a checkpoint might be requested or the signal might abort during the
      // pause.
      await this.paused.wait(PAUSED_MS);
      await this.keepAll(progression, stopping);
      this.job.signal?.throwIfAborted();
    }
  }

  private async keepAll(progression: Progression, stopping: Stopping): Promise<void> {
    if (this.keepers.length === 0) return;
    const kept = { snapshot: stopping.withBest(progression.snapshot()), loop: stopping.toJSON() };
    for (const keeper of this.keepers.splice(0)) await this.keep(kept, keeper.to).then(keeper.resolve, keeper.reject);
  }

  private async keep({ snapshot, loop }: Kept, to: FileTarget | undefined): Promise<Uint8Array | undefined> {
    const bytes = this.job.keep(snapshot, loop);
    if (to === undefined) return bytes;
    await writeWhole(to, bytes, { keep: true });
    return undefined;
  }
}

const nothingToKeep = (): ErgodicError =>
  new ErgodicError(
    "checkpoint",
    "the run failed, so there is nothing to keep; to keep its progress, call checkpoint while it runs, or end it by run.stop() or its signal",
    "RUN_FAILED",
  );

/** Restores a run. If the checkpoint does not fit the run, the error names the checkpoint as the cause. */
function restore(progression: Progression, stopping: Stopping, { snapshot, loop }: Started["resume"] & object): void {
  try {
    progression.restore(snapshot);
    for (const [name, count] of Object.entries({ step: progression.step, updates: progression.updates }))
      if (!(Number.isSafeInteger(count) && count >= 0)) throw new RangeError(`${name} is ${count}`);
    stopping.restore(snapshot, loop);
  } catch (cause) {
    throw refusedCheckpoint(cause);
  }
}
