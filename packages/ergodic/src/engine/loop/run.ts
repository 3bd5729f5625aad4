import type { JsonObject, Progression, Snapshot, Tick } from "../contract/index.ts";
import { ErgodicError } from "../errors/errors.ts";
import type { Finding } from "../errors/finding.ts";
import { type FileTarget, writeWhole } from "../files/files.ts";
import { isPageThread } from "../memory/load.ts";
import { turn } from "../threads/turn.ts";
import { refusedCheckpoint } from "./checkpoint.ts";
import { type Losses, Stopping, type StoppingOptions } from "./stopping.ts";
import { Watched } from "./watched.ts";

/** A page's own thread must draw, and answer. */
const STRETCH_MS = isPageThread ? 8 : 20;
/** From one stretch to the next: enough to be at full length after four, not so much that a cold start's timing decides. */
const MOST_GROWTH = 16;
/** Between ticks, unless something happened that a watcher must see. */
const TICK_MS = 100;
const PAUSED_MS = 20;

/** What a job starts with: fresh, or where a checkpoint left off. */
export interface Started {
  progression: Progression;
  stopping: StoppingOptions;
  /** What the run will do, every default filled in; a promise where a part of it is chosen while it goes. */
  chosen: JsonObject | Promise<JsonObject>;
  resume?: { snapshot: Snapshot; loop: JsonObject };
}

export interface Job<Result> extends Losses {
  start(): Promise<Started>;
  signal?: AbortSignal;
  /** Names that the result has: asked of the run itself, they say that it is to be awaited. */
  resultNames?: readonly string[];
  /** True where an advance that fails leaves the progression whole: a failed run can still be kept, as one that its signal ended can in any case. */
  survivesFailure?: boolean;
  /** A promise where making it takes long. */
  finish(parameters: Float64Array, summary: RunSummary): Result | Promise<Result>;
  /** The bytes of a checkpoint: of the run's own, and the loop's own state. @throws CapabilityError where such a run is not kept */
  keep(snapshot: Snapshot, loop: JsonObject): Uint8Array;
}

/** How a run went. */
export interface RunSummary {
  /** Updates made. */
  updates: number;
  /** Passes over the data. */
  epochs: number;
  /** Of training, without set-up and validation. */
  seconds: number;
  /** Why it stopped. */
  reason: string;
  /** Reasons to doubt what it found: an objective that is worse than at the start, or that has no minimum. */
  findings: readonly Finding[];
  /** Mean training loss over the last epoch (or what there was of it). */
  loss: number;
  /** What the algorithm reported last. */
  report: Record<string, number>;
  /** Of long runs the last thousands, and some of those before (ticks.ts). */
  ticks: Tick[];
}

/** What is kept of a run: after a stretch, or at its end. */
interface Kept {
  readonly snapshot: Snapshot;
  readonly loop: JsonObject;
}

interface Keeper {
  readonly to: FileTarget | undefined;
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: unknown): void;
}

/** Waits again and again without a trace: a promise that is raced keeps all who ever waited for it. */
class Pause {
  private ended = false;
  private wake: (() => void) | undefined;

  /** Until the end, at most so long. */
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
 * The loop: advance, watch, validate, keep, stop. It knows no algorithm and no model; it drives a `Progression` (contract.ts).
 *
 * A run starts when it is made. It is awaitable (what it made) and an async iterable of ticks. Work is done in stretches of about
 * STRETCH_MS; between two stretches signals, checkpoints and time limits are served. Where a run stops, validates or is kept depends on
 * update numbers alone (except `until.seconds`), so that a resumed run repeats itself exactly.
 */
export class Run<Result> extends Watched<Result> {
  /** The description that the result will carry (model, algorithm, plan, defaults filled in), known once training begins, or once a plan is chosen. */
  readonly chosen: Promise<JsonObject>;
  private readonly job: Job<Result>;
  protected readonly result: Promise<Result>;
  private readonly keepers: Keeper[] = [];
  private stopped = "";
  private paused: Pause | undefined;
  /** Whether a stretch is under way, or broke off: the progression may be half way through an update. */
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
    // An iterating user awaits the run too; until then a failure is not an unhandled rejection.
    this.result.catch(() => {});
    this.refuseUnawaited(job.resultNames ?? []);
  }

  /**
   * Keeps the run as it is after the current stretch, or where it ended, by its signal too; the verb's `resume` continues from there, bit for bit. Without an argument the bytes of the checkpoint;
   * with a path, or in a browser the handle of a file, it is written there, whole or not at all.
   */
  checkpoint(): Promise<Uint8Array>;
  checkpoint(to: FileTarget): Promise<void>;
  checkpoint(to?: FileTarget): Promise<unknown> {
    if (this.last) return this.keep(this.last, to);
    if (this.ended) return Promise.reject(nothingToKeep());
    return new Promise((resolve, reject) => this.keepers.push({ to, resolve, reject }));
  }

  /** Ends the run after the current stretch, with what it has. */
  stop(reason = "stopped"): this {
    this.stopped = reason;
    return this.proceed();
  }

  /** Holds the run after the current stretch, until `proceed()`, `stop()` or its signal. Checkpoints asked for meanwhile are written. */
  pause(): this {
    if (this.paused || this.ended) return this;
    this.paused = new Pause();
    return this;
  }

  /** Goes on after `pause()`. */
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
      return job.finish(parameters, {
        updates: progression.updates,
        epochs: progression.step / progression.stepsPerEpoch,
        seconds: stopping.seconds,
        reason: stopping.reason,
        findings: [],
        loss: stopping.loss,
        report: progression.report(),
        ticks: this.ticks.list(),
      });
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
      // Within a first step that takes long nothing may be known yet.
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

  /** Between two stretches: writes the checkpoints asked for, and waits while the run is paused. */
  private async serve(progression: Progression, stopping: Stopping): Promise<void> {
    await this.keepAll(progression, stopping);
    while (this.paused) {
      // Looked at now and then, as checkpoints may be asked for, or the signal may abort.
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
    "the run failed, so there is nothing to keep; to keep what it has, call checkpoint while it runs, or end it by run.stop() or its signal",
    "RUN_FAILED",
  );

/** Where what is kept does not fit, in whatever way, the checkpoint is at fault. */
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
