import { DataError, OptionError } from "ergodic";
import { checkKeys } from "ergodic/extend";
import { RefusedError } from "../refused.ts";
import { LearnerError } from "./errors.ts";
import type { LearnerFolder } from "./folder.ts";
import type { Journal } from "./journal.ts";
import { GROUP_BYTES, type JournalContent, type JournalRecord, MOST_RECORD_BYTES } from "./journal-bytes.ts";
import { checkKey } from "./keys.ts";
import type { FolderLock } from "./lock.ts";
import type { Counts, LearnerState } from "./state.ts";
import type { KeptVersion, LearnerStats, LearnOptions, Learnt, OnlineLearner, ServedModel } from "./types.ts";

/** Longest time in milliseconds to gather a group of requests before it is written. */
const GROUP_MS = 5;

/** Parts of a learner. */
export interface LearnerParts {
  readonly state: LearnerState;
  readonly folder: Pick<LearnerFolder, "path" | "begin" | "continued" | "readSnapshot">;
  readonly lock: Pick<FolderLock, "verify" | "release" | "lost">;
  readonly kept: KeptVersion[];
  readonly keep: number;
  readonly journalBytes: number;
  readonly maxRows: number;
  readonly maxQueueRows: number;
}

type Job = { readonly reject: (error: unknown) => void } & (
  | {
      readonly kind: "rows";
      readonly rows: number;
      readonly bytes: Uint8Array;
      readonly key: string | undefined;
      readonly resolve: (learnt: Learnt) => void;
    }
  | { readonly kind: "rollback"; readonly version: number; readonly resolve: (result: { version: number }) => void }
  | { readonly kind: "snapshot"; readonly resolve: (version: number) => void }
);

/** Requests whose rows are learnt together and written together. */
interface Group {
  readonly records: JournalRecord[];
  /** Jobs whose outcome depends on the write. */
  readonly jobs: Job[];
  readonly told: (() => void)[];
}

/**
 * Processes requests one after another. Waiting requests form a group, whose rows are learnt and then written to the
 * journal. When the group is on the disk, all its callers are answered. Nothing is learnt during the write, so the
 * state between two groups is always the confirmed state. The model's parameters are copied before each group. While
 * the group is in progress, the copy is served. If the group fails, the copy is also served afterwards.
 */
export class Learner implements OnlineLearner {
  readonly failed: Promise<LearnerError>;
  readonly #parts: LearnerParts;
  readonly #state: LearnerState;
  readonly #queue: Job[] = [];
  readonly #kept: KeptVersion[];
  #journal: Journal | undefined;
  #queuedRows = 0;
  #refused = 0;
  #repeated = 0;
  #commits = 0;
  #recovered = { requests: 0, droppedBytes: 0 };
  #working: Promise<void> | undefined;
  #confirmed: Counts;
  /** Parameters of the confirmed model, if the current state is ahead of it (during a group, for example). */
  #before: Float64Array | undefined;
  #served: ServedModel | undefined;
  #failure: LearnerError | undefined;
  #tellFailed: (error: LearnerError) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(parts: LearnerParts) {
    const { state, kept, lock } = parts;
    this.#parts = parts;
    this.#state = state;
    this.#kept = kept;
    this.#confirmed = state.counts();
    this.failed = new Promise((resolve) => {
      this.#tellFailed = resolve;
    });
    void lock.lost.then((error) => this.#fail(error));
  }

  /**
   * Repeats the requests accepted since the snapshot, and continues the journal. If the disk cannot be written, the
   * model does not learn anything more.
   */
  async replay(content: JournalContent): Promise<void> {
    const { records, droppedBytes } = content;
    for (const record of records) await this.#repeat(record);
    this.#recovered = { requests: records.length, droppedBytes };
    this.#confirmed = this.#state.counts();
    this.current();
    try {
      this.#journal = await this.#parts.folder.continued(content);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  async #repeat(record: JournalRecord): Promise<void> {
    const { folder } = this.#parts;
    try {
      if (record.kind === "rollback") await this.#state.rollBack(await folder.readSnapshot(record.to));
      else await this.#state.learn(record.bytes, record.key);
    } catch (cause) {
      const problem = `holds a version ${this.#state.version + 1} that cannot be replayed (${(cause as Error).message})`;
      throw new LearnerError(folder.path, `${problem}; restore the folder from a copy`, "FOLDER_DAMAGED", { cause });
    }
  }

  /**
   * Takes the first snapshot of a folder. If a crash occurred before the journal of this snapshot was begun, takes it
   * again.
   */
  async start(): Promise<void> {
    this.current();
    await this.#snapshot();
  }

  async learn(
    rows: Parameters<OnlineLearner["learn"]>[0],
    targets: ArrayLike<string | number | boolean>,
    options: LearnOptions = {},
  ): Promise<Learnt> {
    this.#refuseEnded();
    checkKeys("learn", options, ["weights", "idempotencyKey"]);
    const { idempotencyKey: key, ...rest } = options;
    if (key !== undefined) checkKey(key);
    const bytes = this.#read(rows, targets, rest);
    if (key === undefined) return this.#accept(rows.length, bytes, key);
    const { keys } = this.#state;
    const found = keys.find(key, bytes);
    if (found) {
      this.#repeated++;
      return found;
    }
    const learnt = this.#accept(rows.length, bytes, key);
    keys.wait(key, bytes, learnt);
    return learnt;
  }

  /** Queues rows. @throws RefusedError if too many rows wait */
  #accept(rows: number, bytes: Uint8Array, key: string | undefined): Promise<Learnt> {
    const { maxQueueRows } = this.#parts;
    if (this.#queuedRows > 0 && this.#queuedRows + rows > maxQueueRows)
      throw new RefusedError(
        "learn",
        `${this.#queuedRows} rows are waiting to be learnt, and ${rows} more would exceed ${maxQueueRows}; send them again later`,
        "QUEUE_FULL",
        100,
      );
    this.#queuedRows += rows;
    return new Promise((resolve, reject) => this.#enter({ kind: "rows", rows, bytes, key, resolve, reject }));
  }

  async rollback(version: number): Promise<{ version: number }> {
    this.#refuseEnded();
    if (!this.#kept.some((kept) => kept.version === version)) {
      const kept = this.#kept.map((one) => one.version).join(", ");
      throw new OptionError(
        "rollback",
        `version is ${String(version)}, but the stored versions are ${kept}; give one of them`,
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
    const { version } = this.#confirmed;
    if (this.#served?.version === version) return this.#served;
    const predictor = this.#state.run.run.predictor(this.#before);
    let bytes: Uint8Array | undefined;
    this.#served = {
      version,
      predictor,
      toBytes: () => {
        bytes ??= predictor.toBytes();
        return bytes;
      },
    };
    return this.#served;
  }

  stats(): LearnerStats {
    return {
      ...this.#confirmed,
      refused: this.#refused,
      repeated: this.#repeated,
      queuedRows: this.#queuedRows,
      commits: this.#commits,
      journalBytes: this.#journal?.length ?? 0,
      recovered: this.#recovered,
      ...(this.#failure && { failure: this.#failure.message }),
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
    // Waiting requests have been accepted.
    while (this.#working) await this.#working;
    this.current();
    try {
      await this.#journal?.close();
    } finally {
      await this.#parts.lock.release();
      this.#state.run.run.dispose();
    }
  }

  #read(rows: unknown, targets: ArrayLike<string | number | boolean>, options: { weights?: ArrayLike<number> }): Uint8Array {
    const { maxRows } = this.#parts;
    try {
      if (!Array.isArray(rows))
        throw new DataError("learn", `rows is ${rows === null ? "null" : typeof rows}, but must be a list of rows`, "DATA_SHAPE");
      if (rows.length > maxRows)
        throw new DataError(
          "learn",
          `the request has ${rows.length} rows, but at most ${maxRows} are accepted per request; split it into several`,
          "DATA_SHAPE",
        );
      const bytes = this.#state.run.read(rows, targets, options);
      if (bytes.length <= MOST_RECORD_BYTES) return bytes;
      throw new DataError(
        "learn",
        `the rows have ${bytes.length} bytes, but at most ${MOST_RECORD_BYTES} are accepted per request; send fewer rows`,
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
      // Requests that arrive in this turn of the event loop join the group. Callers that were just answered can request
      // the model.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        await this.#group();
        if (this.#journal!.length > this.#parts.journalBytes) await this.#snapshot();
      } catch (cause) {
        this.#fail(cause);
      }
    }
    // This is set before any await, so that the next request starts a new run.
    this.#working = undefined;
  }

  /** Learns the waiting requests, up to a limit of bytes or time, and writes them. */
  async #group(): Promise<void> {
    const group: Group = { records: [], jobs: [], told: [] };
    const first = this.#confirmed.version + 1;
    try {
      await this.#take(group);
      if (group.records.length > 0) {
        await this.#journal!.append(first, group.records, () => this.#parts.lock.verify());
        this.#commits++;
      }
    } catch (cause) {
      this.#fail(cause);
      for (const job of group.jobs) job.reject(this.#failure);
      return;
    }
    this.#confirmed = this.#state.counts();
    this.#before = undefined;
    for (const tell of group.told) tell();
  }

  /** Learns the waiting requests. */
  async #take({ records, jobs, told }: Group): Promise<void> {
    let bytes = 0;
    const started = performance.now();
    while (this.#queue.length > 0 && bytes < GROUP_BYTES && performance.now() - started < GROUP_MS) {
      // The snapshot must contain only the confirmed state.
      if (this.#queue[0]!.kind === "snapshot" && records.length > 0) break;
      const job = this.#queue.shift()!;
      jobs.push(job);
      if (job.kind === "snapshot") {
        const version = await this.#snapshot();
        told.push(() => job.resolve(version));
        break;
      }
      if (job.kind === "rows") {
        this.#queuedRows -= job.rows;
        bytes += job.bytes.length;
      }
      this.#before ??= this.#state.run.run.parameters();
      const record = await this.#perform(job, told);
      if (record) records.push(record);
      else jobs.pop();
    }
  }

  /** Performs a job and returns its record. Returns undefined if the job was refused and nothing has changed. */
  async #perform(job: Exclude<Job, { kind: "snapshot" }>, told: (() => void)[]): Promise<JournalRecord | undefined> {
    try {
      if (job.kind === "rollback") {
        const version = await this.#return(job.version);
        told.push(() => job.resolve({ version }));
        return { kind: "rollback", to: job.version };
      }
      const { bytes, key } = job;
      const learnt = await this.#state.learn(bytes, key);
      told.push(() => job.resolve(learnt));
      return { kind: "rows", bytes, ...(key !== undefined && { key }) };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (job.kind === "rows") this.#refused++;
      job.reject(error);
      return undefined;
    }
  }

  async #return(version: number): Promise<number> {
    try {
      return await this.#state.rollBack(await this.#parts.folder.readSnapshot(version));
    } catch (cause) {
      const problem = `the snapshot of version ${version} cannot be restored (${(cause as Error).message})`;
      throw new DataError("rollback", `${problem}; nothing has changed: give another version`, "FOLDER_DAMAGED", { cause });
    }
  }

  /** Takes a snapshot of the confirmed state. */
  async #snapshot(): Promise<number> {
    const { folder, keep, lock } = this.#parts;
    const { version, all } = this.#confirmed;
    const before = this.#journal;
    if (this.#kept.at(-1)?.version === version && before) return version;
    const notes = this.#state.notes();
    this.#journal = await folder.begin(version, this.#state.run.run.checkpoint({ learner: notes as never }), keep);
    await before?.close();
    await lock.verify();
    if (this.#kept.at(-1)?.version === version) this.#kept.pop();
    this.#kept.push({ version, at: notes.at, rows: all.rows });
    this.#kept.splice(0, Math.max(0, this.#kept.length - keep));
    return version;
  }

  /**
   * Stops learning until the folder is opened again. The state in memory can be ahead of the disk, or another process
   * can own the folder.
   */
  #fail(cause: unknown): void {
    if (!this.#failure) {
      this.#failure = cause instanceof LearnerError ? cause : this.#writeFailure(cause as Error);
      this.#tellFailed(this.#failure);
    }
    for (const job of this.#queue.splice(0)) job.reject(this.#failure);
    this.#queuedRows = 0;
  }

  #writeFailure(cause: Error): LearnerError {
    const what = this.#journal?.isUnsure
      ? "reopening it will show whether unconfirmed rows were learnt"
      : "unconfirmed rows are not learnt";
    return new LearnerError(
      this.#parts.folder.path,
      `could not be written (${cause.message}), and ${what}; check the disk, close the learner and open it again`,
      "JOURNAL_WRITE",
      { cause },
    );
  }

  #refuseEnded(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closing)
      throw new RefusedError("learn", "the learner is closed; send the request to another learner", "CLOSED", 1000);
  }
}
