import type { AnyPredictor } from "ergodic/predict";
import type { Rule } from "ergodic/rules";
import type { LearnerError } from "./errors.ts";

/** What one row is: numbers in the order of the model's columns, or values by column name. */
export type LearnRow = ArrayLike<number> | Readonly<Record<string, unknown>>;

/** Options of `openLearner`. */
export interface LearnerOptions {
  /**
   * The model that learning begins with: a trained linear model or network (a predictor, or its file: path, URL, Blob, bytes), or the checkpoint of a
   * run. It is copied into the folder when the folder is new. Later it is not needed; if it is given, it must be the one that the folder began with.
   */
  model?: string | URL | Uint8Array | Blob | { toBytes(): Uint8Array };
  /** Where the journal and the snapshots are; made if it is not there. */
  folder: string;
  /** The step rule, e.g. sgd({ rate: 0.01 }). Default: the folder's; for a new folder the one that the model was trained by, or else the default of `fit`. */
  rule?: Rule;
  /** Rows an update, an integer ≥ 1: a request with more is cut into updates of so many. Default: the folder's; for a new folder 1. */
  batch?: number;
  /** Seed of what an update draws (dropout), an integer ≥ 0. Default: the folder's; for a new folder 0. */
  seed?: number;
  /** Snapshots that are kept to roll back to, the latest included, an integer ≥ 1. Default 5. */
  keep?: number;
  /** A snapshot is taken, and the journal begins anew, when the journal has more bytes than this, ≥ 1. Default 64 MiB. */
  journalBytes?: number;
  /** The most rows of one request, an integer ≥ 1. Default 10,000. */
  maxRows?: number;
  /** Rows that may wait to be learnt, ≥ 1, or Infinity; where one more request would be too much it is refused (429), unless nothing waits. Default 100,000. */
  maxQueueRows?: number;
}

/** What `learn` gives. */
export interface Learnt {
  /** Rows of this request. */
  readonly rows: number;
  /** Mean loss of these rows, each computed before the update that it was part of. */
  readonly loss: number;
  /** Other metrics of these rows, as predicted before their update: `accuracy` of classes, `rmse` and `mae` of numbers. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The state that these rows led to. Versions count accepted requests, and are never used twice. */
  readonly version: number;
}

/** Metrics of a stretch of rows: each row was evaluated before the update that it was part of (progressive validation). */
export interface Progressive {
  /** Rows. */
  readonly rows: number;
  /** Sum of their weights. */
  readonly weight: number;
  /** Mean loss. NaN without rows. */
  readonly loss: number;
  /** By name, as in `Learnt`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** A state that `rollback` can return to. */
export interface KeptVersion {
  /** Its number. */
  readonly version: number;
  /** When the snapshot was taken, in ISO 8601. */
  readonly at: string;
  /** Rows learnt up to it. */
  readonly rows: number;
}

/** Options of `learn`. */
export interface LearnOptions {
  /** One per row, finite and ≥ 0. Default all 1. */
  weights?: ArrayLike<number>;
  /**
   * Names the request, so that it can be sent again when its answer was lost: a request with a key that was learnt is answered as it was then, and not
   * learnt again. 1 to 255 printable ASCII characters without spaces, e.g. `crypto.randomUUID()`. The folder remembers the latest 10,000 keys.
   */
  idempotencyKey?: string;
}

/** Metrics and counts of a learner. Versions, rows and requests are counted once they are confirmed. */
export interface LearnerStats {
  /** The latest state. */
  readonly version: number;
  /** Of all rows since the folder was made; a rollback does not take rows back. */
  readonly all: Progressive;
  /** Of the latest rows: a row of n rows ago counts 2^(−n/1000). `rows` and `weight` are sums of such counts. */
  readonly recent: Progressive;
  /** Requests accepted since the folder was made, rollbacks not counted. */
  readonly requests: number;
  /** Since it was opened: requests refused because of their rows. */
  readonly refused: number;
  /** Since it was opened: requests that were answered without being learnt again, since their idempotency key was known. */
  readonly repeated: number;
  /** Rollbacks since the folder was made. */
  readonly rollbacks: number;
  /** Rows that wait now. */
  readonly queuedRows: number;
  /** Since it was opened: writes to the disk that were waited for, each for one or more requests. */
  readonly commits: number;
  /** Bytes of the journal. */
  readonly journalBytes: number;
  /** What opening found: requests repeated from the journal, and bytes at its end that were dropped because they were never confirmed. */
  readonly recovered: { readonly requests: number; readonly droppedBytes: number };
  /** Why nothing more is learnt until the folder is opened again; absent while all is well. */
  readonly failure?: string;
}

/** The model as it is served: it never changes; later states are other objects. */
export interface ServedModel {
  /** Its version. */
  readonly version: number;
  /** Predicts. Made when it is first asked for. */
  readonly predictor: AnyPredictor;
  /** The model's file, the same bytes for the same version on every machine. */
  toBytes(): Uint8Array;
}

/**
 * A model that learns from requests, and keeps what it has learnt through crashes.
 *
 * `learn` and `rollback` resolve when what they did is on the disk; a call that rejects has changed nothing.
 */
export interface OnlineLearner extends AsyncDisposable {
  /**
   * Learns rows, in the order of calls. Each row is evaluated before the update that it is part of. `targets`: class names, or numbers.
   *
   * @throws DataError, and nothing has changed, for rows or targets that the model cannot take, or that would make its numbers overflow, and
   * [KEY_REUSED] for an idempotency key of another request; RefusedError where too much waits, or after `close`; LearnerError where the disk failed
   */
  learn(rows: readonly LearnRow[], targets: ArrayLike<string | number | boolean>, options?: LearnOptions): Promise<Learnt>;
  /** Returns to a kept state, optimiser included; the version that it gets. @throws OptionError for one that is not kept */
  rollback(version: number): Promise<{ version: number }>;
  /** Takes a snapshot now, so that the state can be returned to; its version. */
  snapshot(): Promise<number>;
  /** The states that can be returned to, oldest first. */
  versions(): readonly KeptVersion[];
  /** The model of the latest state that is confirmed, also while more is learnt: the same object until the next one is. */
  current(): ServedModel;
  /** Resolves when something could not be written, or another process has taken over: the confirmed model is served, and nothing more is learnt. */
  readonly failed: Promise<LearnerError>;
  /** Metrics and counts. */
  stats(): LearnerStats;
  /** Refuses what comes, finishes what was accepted, and gives the folder free. */
  close(): Promise<void>;
}
