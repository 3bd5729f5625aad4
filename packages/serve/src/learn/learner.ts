import { checkKeys, DataError, OptionError } from "ergodic";
import { RefusedError } from "../refused.ts";
import { LearnerError } from "./errors.ts";
import type { LearnerFolder } from "./folder.ts";
import { GROUP_BYTES, type Journal, type JournalRecord, MOST_RECORD_BYTES } from "./journal.ts";
import type { FolderLock } from "./lock.ts";
import { metricsOf, Progress, type ProgressJson } from "./progress.ts";
import type { LearningRun } from "./run.ts";
import type { KeptVersion, LearnerStats, Learnt, OnlineLearner, ServedModel } from "./types.ts";

/** How long one group of requests may be gathered before it is written. */
const GROUP_MS = 5;

/** What a snapshot says besides the model. */
export interface SnapshotNotes {
  readonly version: number;
  readonly at: string;
  /** sha256 of the model that the folder began with. */
  readonly origin: string;
  readonly requests: number;
  readonly rollbacks: number;
  readonly progress: ProgressJson;
}

/** What a learner is made of. */
export interface LearnerParts {
  readonly run: LearningRun;
  readonly folder: Pick<LearnerFolder, "path" | "begin" | "readSnapshot" | "versions">;
  readonly lock: FolderLock;
  readonly notes: SnapshotNotes;
  readonly kept: KeptVersion[];
  readonly keep: number;
  readonly journalBytes: number;
  readonly maxRows: number;
  readonly maxQueueRows: number;
}

type Job = { readonly reject: (error: unknown) => void } & (
  | { readonly kind: "rows"; readonly rows: number; readonly bytes: Uint8Array; readonly resolve: (learnt: Learnt) => void }
  | { readonly kind: "rollback"; readonly version: number; readonly resolve: (result: { version: number }) => void }
  | { readonly kind: "snapshot"; readonly resolve: (version: number) => void }
);

/**
 * Requests one after another. What waits is learnt as a group, which is written at once; when the disk has it, all of the group are told. Nothing is
 * learnt meanwhile, so that between groups the state is the one on the disk.
 */
export class Learner implements OnlineLearner {
  readonly #parts: LearnerParts;
  readonly #run: LearningRun;
  readonly #progress = new Progress();
  readonly #origin: string;
  readonly #queue: Job[] = [];
  readonly #kept: KeptVersion[];
  #journal: Journal | undefined;
  #queuedRows = 0;
  #version: number;
  #requests: number;
  #rollbacks: number;
  #refused = 0;
  #commits = 0;
  #recovered = { requests: 0, droppedBytes: 0 };
  #working: Promise<void> | undefined;
  #served: ServedModel | undefined;
  /** What is in memory is not on the disk yet, or never will be. */
  #isAhead = false;
  /** Somebody asked for the model while a group was under way. */
  #isWanted = false;
  #failure: LearnerError | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: LearnerParts) {
    const { notes, run, kept } = parts;
    this.#parts = parts;
    this.#run = run;
    this.#kept = kept;
    this.#version = notes.version;
    this.#requests = notes.requests;
    this.#rollbacks = notes.rollbacks;
    this.#origin = notes.origin;
    this.#progress.restore(notes.progress);
  }

  /** Repeats what was accepted since the snapshot, and continues in the journal. */
  async replay(records: readonly JournalRecord[], journal: Journal, droppedBytes: number): Promise<void> {
    for (const { kind, bytes } of records) {
      if (kind === "rollback") await this.#return(new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true));
      else await this.#learn(bytes);
    }
    this.#recovered = { requests: records.length, droppedBytes };
    this.#journal = journal;
    this.#publish();
  }

  /** Takes the first snapshot of a folder, or one where a crash came before its journal was begun. */
  async start(): Promise<void> {
    await this.#snapshot();
    this.#publish();
  }

  async learn(
    rows: Parameters<OnlineLearner["learn"]>[0],
    targets: ArrayLike<string | number | boolean>,
    options: { weights?: ArrayLike<number> } = {},
  ): Promise<Learnt> {
    this.#refuseEnded();
    checkKeys("learn", options, ["weights"]);
    const bytes = this.#read(rows, targets, options);
    const { maxQueueRows } = this.#parts;
    if (this.#queuedRows > 0 && this.#queuedRows + rows.length > maxQueueRows)
      throw new RefusedError(
        "learn",
        `${this.#queuedRows} rows wait to be learnt, and ${rows.length} more would be above ${maxQueueRows}; send them again later`,
        "QUEUE_FULL",
        100,
      );
    this.#queuedRows += rows.length;
    return new Promise((resolve, reject) => this.#enter({ kind: "rows", rows: rows.length, bytes, resolve, reject }));
  }

  async rollback(version: number): Promise<{ version: number }> {
    this.#refuseEnded();
    if (!this.#kept.some((kept) => kept.version === version)) {
      const kept = this.#kept.map((one) => one.version).join(", ");
      throw new OptionError(
        "rollback",
        `version is ${String(version)}, but the kept versions are ${kept}; take one of them`,
        "OPTION_RANGE",
      );
    }
    return new Promise((resolve, reject) => this.#enter({ kind: "rollback", version, resolve, reject }));
  }

  async snapshot(): Promise<number> {
    this.#refuseEnded();
    return new Promise((resolve, reject) => this.#enter({ kind: "snapshot", resolve, reject }));
  }

  versions(): readonly KeptVersion[] {
    return [...this.#kept];
  }

  current(): ServedModel {
    const served = this.#served!;
    if (served.version === this.#version) return served;
    if (!this.#isAhead) return this.#publish();
    this.#isWanted = true;
    return served;
  }

  stats(): LearnerStats {
    return {
      version: this.#version,
      all: this.#progress.all(),
      recent: this.#progress.recent(),
      requests: this.#requests,
      refused: this.#refused,
      rollbacks: this.#rollbacks,
      queuedRows: this.#queuedRows,
      commits: this.#commits,
      journalBytes: this.#journal?.length ?? 0,
      recovered: this.#recovered,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    // Those that wait have been accepted.
    while (this.#working) await this.#working;
    this.current();
    await this.#journal?.close();
    await this.#parts.lock.release();
    this.#run.run.dispose();
  }

  #read(rows: unknown, targets: ArrayLike<string | number | boolean>, options: { weights?: ArrayLike<number> }): Uint8Array {
    const { maxRows } = this.#parts;
    try {
      if (!Array.isArray(rows))
        throw new DataError("learn", `rows is ${rows === null ? "null" : typeof rows}, but must be a list of rows`, "DATA_SHAPE");
      if (rows.length > maxRows)
        throw new DataError(
          "learn",
          `the request has ${rows.length} rows, but at most ${maxRows} are taken at once; send them in several`,
          "DATA_SHAPE",
        );
      const bytes = this.#run.read(rows, targets, options);
      if (bytes.length <= MOST_RECORD_BYTES) return bytes;
      throw new DataError(
        "learn",
        `the rows have ${bytes.length} bytes, but at most ${MOST_RECORD_BYTES} are taken at once; send fewer`,
        "DATA_SHAPE",
      );
    } catch (error) {
      this.#refused++;
      throw error;
    }
  }

  #enter(job: Job): void {
    this.#queue.push(job);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      // What arrives in this turn of the event loop belongs to the same group, and who was just told may ask for the model.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        await this.#group();
        if (this.#journal!.length > this.#parts.journalBytes) await this.#snapshot();
      } catch (cause) {
        this.#fail(cause);
      }
      if (this.#isWanted && !this.#isAhead) this.#publish();
    }
    // With nothing in between: what comes now begins anew.
    this.#working = undefined;
  }

  /** Learns what waits, up to some bytes or time, and writes it. */
  async #group(): Promise<void> {
    const told: (() => void)[] = [];
    const records: JournalRecord[] = [];
    const pending: Job[] = [];
    const first = this.#version + 1;
    let bytes = 0;
    const started = performance.now();
    try {
      while (this.#queue.length > 0 && bytes < GROUP_BYTES && performance.now() - started < GROUP_MS) {
        // A snapshot is of what is on the disk.
        if (this.#queue[0]!.kind === "snapshot" && records.length > 0) break;
        const job = this.#queue.shift()!;
        pending.push(job);
        if (job.kind === "snapshot") {
          const version = await this.#snapshot();
          told.push(() => job.resolve(version));
          break;
        }
        if (job.kind === "rows") this.#queuedRows -= job.rows;
        this.#isAhead = true;
        const record = await this.#perform(job, told);
        if (!record) pending.pop();
        else {
          records.push(record);
          bytes += record.bytes.length;
        }
      }
      if (records.length > 0) {
        await this.#parts.lock.confirm();
        await this.#journal!.append(first, records);
        this.#commits++;
      }
      this.#isAhead = false;
    } catch (cause) {
      this.#fail(cause);
      for (const job of pending) job.reject(this.#failure);
      return;
    }
    for (const tell of told) tell();
  }

  /** What to write of a job; undefined: it was refused, and nothing has changed. */
  async #perform(job: Exclude<Job, { kind: "snapshot" }>, told: (() => void)[]): Promise<JournalRecord | undefined> {
    try {
      if (job.kind === "rollback") {
        await this.#return(job.version).catch((cause: Error) => {
          const problem = `the snapshot of version ${job.version} cannot be returned to (${cause.message})`;
          throw new DataError("rollback", `${problem}; nothing has changed: take another version`, "FOLDER_DAMAGED", { cause });
        });
        const version = this.#version;
        told.push(() => job.resolve({ version }));
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setFloat64(0, job.version, true);
        return { kind: "rollback", bytes };
      }
      const learnt = await this.#learn(job.bytes);
      told.push(() => job.resolve(learnt));
      return { kind: "rows", bytes: job.bytes };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (job.kind === "rows") this.#refused++;
      job.reject(error);
      return undefined;
    }
  }

  async #learn(bytes: Uint8Array): Promise<Learnt> {
    const learnt = await this.#run.learn(bytes);
    this.#version++;
    this.#requests++;
    this.#progress.add(learnt);
    return {
      rows: learnt.rows,
      loss: learnt.loss,
      metrics: metricsOf(learnt, learnt.right !== undefined),
      version: this.#version,
    };
  }

  async #return(version: number): Promise<void> {
    await this.#run.run.restore(await this.#parts.folder.readSnapshot(version));
    this.#version++;
    this.#rollbacks++;
  }

  async #snapshot(): Promise<number> {
    const { folder, keep } = this.#parts;
    const version = this.#version;
    const notes: SnapshotNotes = {
      version,
      at: new Date().toISOString(),
      origin: this.#origin,
      requests: this.#requests,
      rollbacks: this.#rollbacks,
      progress: this.#progress.toJSON(),
    };
    const before = this.#journal;
    await this.#parts.lock.confirm();
    if (this.#kept.at(-1)?.version === version && before) return version;
    this.#journal = await folder.begin(version, this.#run.run.checkpoint({ learner: notes as never }), keep);
    await before?.close();
    if (this.#kept.at(-1)?.version === version) this.#kept.pop();
    this.#kept.push({ version, at: notes.at, rows: this.#progress.all().rows });
    this.#kept.splice(0, Math.max(0, this.#kept.length - keep));
    return version;
  }

  #publish(): ServedModel {
    const model = this.#run.run.predictor();
    const version = this.#version;
    let bytes: Uint8Array | undefined;
    this.#served = {
      version,
      predictor: model,
      toBytes: () => {
        bytes ??= model.toBytes();
        return bytes;
      },
    };
    this.#isWanted = false;
    return this.#served;
  }

  /** The state in memory is ahead of the disk: nothing more is learnt into this folder until it is opened anew. */
  #fail(cause: unknown): void {
    this.#failure ??= new LearnerError(
      this.#parts.folder.path,
      `could not be written (${(cause as Error).message}), so that what was not confirmed is not learnt; see to the disk, close the learner and open it again`,
      "JOURNAL_WRITE",
      { cause },
    );
    for (const job of this.#queue.splice(0)) job.reject(this.#failure);
    this.#queuedRows = 0;
  }

  #refuseEnded(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closing) throw new RefusedError("learn", "the learner is closed; send it to another one", "CLOSED", 1000);
  }
}
