import { type KeyJson, LearntKeys } from "./keys.ts";
import { metricsOf, Progress, type ProgressJson } from "./progress.ts";
import type { LearningRun } from "./run.ts";
import type { LearnerStats, Learnt } from "./types.ts";

/** Notes of a snapshot, which are everything in the snapshot except the model. */
export interface SnapshotNotes {
  readonly version: number;
  readonly at: string;
  /** sha256 of the folder's initial model. */
  readonly origin: string;
  readonly requests: number;
  readonly rollbacks: number;
  readonly progress: ProgressJson;
  /** Absent in snapshots of earlier versions. */
  readonly keys?: readonly KeyJson[];
}

/**
 * Whether these are notes of a learner. Correct checksums do not prove that they are, because any program can write
 * correct checksums.
 */
export function isNotes(value: unknown): value is SnapshotNotes {
  if (!isObject(value) || !isObject(value.progress)) return false;
  const { progress, keys = [] } = value;
  const isCount = (one: unknown): boolean => Number.isSafeInteger(one) && (one as number) >= 0;
  const areSums = (sums: unknown): boolean => isObject(sums) && Object.values(sums).every((one) => typeof one === "number");
  return (
    [value.version, value.requests, value.rollbacks].every(isCount) &&
    [value.at, value.origin].every((text) => typeof text === "string") &&
    [progress.all, progress.recent].every(areSums) &&
    isCount((progress.all as Record<string, unknown>).rows) &&
    Array.isArray(keys) &&
    keys.every(
      (one) =>
        Array.isArray(one) &&
        typeof one[0] === "string" &&
        typeof one[1] === "string" &&
        isObject(one[2]) &&
        isCount(one[2].version),
    )
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Counts that are confirmed together. */
export type Counts = Pick<LearnerStats, "version" | "all" | "recent" | "requests" | "rollbacks">;

/** State of a learner: the model, its metrics, and the keys of its requests. */
export class LearnerState {
  readonly run: LearningRun;
  readonly keys = new LearntKeys();
  readonly #progress = new Progress();
  readonly #origin: string;
  #version: number;
  #requests: number;
  #rollbacks: number;

  constructor(run: LearningRun, { version, requests, rollbacks, origin, progress, keys }: SnapshotNotes) {
    this.run = run;
    this.#version = version;
    this.#requests = requests;
    this.#rollbacks = rollbacks;
    this.#origin = origin;
    this.#progress.restore(progress);
    this.keys.restore(keys ?? []);
  }

  get version(): number {
    return this.#version;
  }

  async learn(bytes: Uint8Array, key: string | undefined): Promise<Learnt> {
    const sums = await this.run.learn(bytes);
    this.#version++;
    this.#requests++;
    this.#progress.add(sums);
    const metrics = metricsOf(sums, sums.right !== undefined);
    const learnt = { rows: sums.rows, loss: sums.loss, metrics, version: this.#version };
    if (key !== undefined) this.keys.add(key, bytes, learnt);
    return learnt;
  }

  /** Returns to a snapshot. The counts are kept, and so are the keys of requests learnt since the snapshot. */
  async rollBack(snapshot: Uint8Array): Promise<number> {
    await this.run.run.restore(snapshot);
    this.#rollbacks++;
    return ++this.#version;
  }

  counts(): Counts {
    return {
      version: this.#version,
      all: this.#progress.all(),
      recent: this.#progress.recent(),
      requests: this.#requests,
      rollbacks: this.#rollbacks,
    };
  }

  /** Returns the notes for a snapshot of the current state. */
  notes(): SnapshotNotes {
    return {
      version: this.#version,
      at: new Date().toISOString(),
      origin: this.#origin,
      requests: this.#requests,
      rollbacks: this.#rollbacks,
      progress: this.#progress.toJSON(),
      keys: this.keys.toJSON(),
    };
  }
}
