import type { AnyPredictor } from "ergodic/predict";
import type { Rule } from "ergodic/rules";
import type { LearnerError } from "./errors.ts";

/** A row, given as numbers in the order of the model's columns or as values by column name. */
export type LearnRow = ArrayLike<number> | Readonly<Record<string, unknown>>;

/** Options of `openLearner`. */
export interface LearnerOptions {
  /**
   * Initial model. It can be a trained linear model or network (a predictor or its file: path, URL, Blob, bytes), or
   * the checkpoint of a run. The model is copied into a new folder. For an existing folder, the model is not needed. If
   * it is given, it must be the initial model of the folder.
   */
  model?: string | URL | Uint8Array | Blob | { toBytes(): Uint8Array };
  /** Folder of the journal and the snapshots. The folder is created if it does not exist. */
  folder: string;
  /**
   * Step rule, e.g. sgd({ rate: 0.01 }). Default: the folder's rule. For a new folder, the default is the rule that
   * trained the model, otherwise the default of `fit`.
   */
  rule?: Rule;
  /**
   * Number of rows per update, an integer ≥ 1. If a request has more rows, it is split into several updates. Default:
   * the number stored in the folder, or 1 for a new folder.
   */
  batch?: number;
  /**
   * Seed of the random numbers of updates (dropout), an integer ≥ 0. Default: the seed stored in the folder, or 0 for a
   * new folder.
   */
  seed?: number;
  /** Number of snapshots that are kept for rollbacks, including the latest, an integer ≥ 1. Default 5. */
  keep?: number;
  /**
   * Size of the journal in bytes, ≥ 1. If it is exceeded, a snapshot is taken and a new journal begins. Default 64 MiB.
   */
  journalBytes?: number;
  /** Largest number of rows of one request, an integer ≥ 1. Default 10,000. */
  maxRows?: number;
  /**
   * Largest number of rows that can wait to be learnt, ≥ 1, or Infinity. A request that would exceed this number is
   * refused (429), unless no other request is waiting. Default 100,000.
   */
  maxQueueRows?: number;
}

/** Result of `learn`. */
export interface Learnt {
  /** Number of rows in this request. */
  readonly rows: number;
  /** Mean loss of these rows. Each loss was computed before the row's update. */
  readonly loss: number;
  /**
   * Other metrics of these rows, computed from predictions before their updates: `accuracy` for classes, `rmse` and
   * `mae` for numbers.
   */
  readonly metrics: Readonly<Record<string, number>>;
  /** Version of the state after these rows. Versions count accepted requests. No version is used twice. */
  readonly version: number;
}

/** Metrics of a range of rows. Each row was evaluated before its update (progressive validation). */
export interface Progressive {
  /** Number of rows. */
  readonly rows: number;
  /** Sum of their weights. */
  readonly weight: number;
  /** Mean loss. NaN without rows. */
  readonly loss: number;
  /** Other metrics by name, as in `Learnt`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** A state that `rollback` can return to. */
export interface KeptVersion {
  /** Version number. */
  readonly version: number;
  /** Time of the snapshot, in ISO 8601. */
  readonly at: string;
  /** Number of rows learnt up to it. */
  readonly rows: number;
}

/** Options of `learn`. */
export interface LearnOptions {
  /** Weights, one per row, finite and ≥ 0. Default all 1. */
  weights?: ArrayLike<number>;
  /**
   * Key that identifies the request. A request whose answer was lost can therefore be sent again. If the rows of a
   * request with this key have already been learnt, the stored answer is returned and nothing is learnt again. 1 to 255
   * printable ASCII characters without spaces, e.g. `crypto.randomUUID()`. The folder remembers the latest 10,000 keys.
   */
  idempotencyKey?: string;
}

/** Metrics and counts of a learner. Versions, rows and requests are counted once they are confirmed. */
export interface LearnerStats {
  /** Version of the latest state. */
  readonly version: number;
  /** Metrics of all rows since the folder was made. A rollback does not remove rows. */
  readonly all: Progressive;
  /**
   * Metrics of the latest rows. A row has weight 2^(−n/1000), where n is the number of rows learnt after it. `rows` and
   * `weight` are sums of such weights.
   */
  readonly recent: Progressive;
  /** Number of accepted requests since the folder was made, excluding rollbacks. */
  readonly requests: number;
  /** Number of requests refused because of their rows, since the folder was opened. */
  readonly refused: number;
  /**
   * Number of requests since the folder was opened that were answered from a known idempotency key, without being
   * learnt again.
   */
  readonly repeated: number;
  /** Number of rollbacks since the folder was made. */
  readonly rollbacks: number;
  /** Number of rows that are waiting. */
  readonly queuedRows: number;
  /** Number of awaited disk writes since the folder was opened. A write can serve several requests. */
  readonly commits: number;
  /** Size of the journal in bytes. */
  readonly journalBytes: number;
  /**
   * Recovery at opening: number of requests that were repeated from the journal, and number of unconfirmed bytes that
   * were dropped at its end.
   */
  readonly recovered: { readonly requests: number; readonly droppedBytes: number };
  /** Reason why nothing more can be learnt until the folder is opened again; absent if there was no failure. */
  readonly failure?: string;
}

/** A served model. This object never changes, because every later state has its own object. */
export interface ServedModel {
  /** Version of the model. */
  readonly version: number;
  /** Predictor of the model. It is made when it is first used. */
  readonly predictor: AnyPredictor;
  /** Returns the model's file. For the same version, the bytes are the same on every machine. */
  toBytes(): Uint8Array;
}

/**
 * A model that learns from requests and keeps what it has learnt, even if the process crashes.
 *
 * `learn` and `rollback` resolve when their effect is on the disk. A call that rejects has changed nothing.
 */
export interface OnlineLearner extends AsyncDisposable {
  /**
   * Learns rows, in the order of calls. Each row is evaluated before its update. `targets`: class names, or numbers.
   *
   * @throws DataError, and nothing has changed, for rows or targets that the model cannot take, or that would make its
   * parameters overflow, and [KEY_REUSED] for an idempotency key of another request; RefusedError if too many rows
   * wait, or after `close`; LearnerError if the disk failed
   */
  learn(rows: readonly LearnRow[], targets: ArrayLike<string | number | boolean>, options?: LearnOptions): Promise<Learnt>;
  /**
   * Returns the learner to a stored state, including the state of its optimiser, and resolves with the new version.
   * @throws OptionError for a version that is not kept
   */
  rollback(version: number): Promise<{ version: number }>;
  /** Takes a snapshot now, so that a rollback to it is possible, and resolves with its version. */
  snapshot(): Promise<number>;
  /** Returns the states to which the learner can be rolled back, from oldest to newest. */
  versions(): readonly KeptVersion[];
  /**
   * Returns the model of the latest confirmed state, even while the learner is learning more rows. The returned object
   * stays the same until the next state is confirmed.
   */
  current(): ServedModel;
  /**
   * Resolves when a write has failed or another process has taken over the folder. The confirmed model is still served,
   * but nothing more is learnt.
   */
  readonly failed: Promise<LearnerError>;
  /** Returns metrics and counts. */
  stats(): LearnerStats;
  /** Refuses new requests, finishes accepted requests, and releases the folder. */
  close(): Promise<void>;
}
