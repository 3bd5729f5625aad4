import type { JsonObject } from "../../engine/contract/index.ts";
import type { Pipeline } from "../../engine/data/dataset.ts";
import type { Rule, RuleJson } from "../../engine/optimise/kinds.ts";
import type { AnyPredictor } from "../../predict/any-predictor.ts";

/** A trained model, its file or a checkpoint. */
export type OnlineFrom = { toBytes(): Uint8Array } | string | URL | Uint8Array | Blob;

/** Options of `online`. */
export interface OnlineOptions {
  /**
   * Step rule. Default: the rule that trained the model, otherwise adagrad() for linear models and adam() for networks.
   */
  rule?: Rule;
  /** Rows per update, a whole number >= 1. Default 1. */
  batch?: number;
  /** Seed of dropout, a whole number >= 0. Default 0. */
  seed?: number;
}

/**
 * Rows encoded by a model's pipeline. They are not checked. The rows must not change, because a run can repeat them.
 */
export interface OnlineRows {
  /** Number of rows. */
  readonly rowCount: number;
  /** Target of each row: a number or a class index. */
  readonly targets: Float64Array;
  /** Weight of each row. Default: all 1. */
  readonly weights?: Float64Array | undefined;
  /** For sparse rows, the start of each row in `values`, followed by the end of the last row. */
  readonly starts?: Uint32Array | undefined;
  /** Sparse: column of each value. */
  readonly columns?: Uint32Array | undefined;
  /** Values, in the pipeline's type. */
  readonly values: Float32Array | Float64Array;
}

/**
 * Receives the sum of the losses of all rows in an update, and the outputs `z` of these rows. Both are computed before
 * the update. `z` is valid until the next update.
 */
export type OnlineWatch = (loss: number, z: Float32Array | Float64Array, first: number, count: number) => void;

/** Online run, returned by `online`. */
export interface OnlineRun {
  /** Steps from raw rows to columns. */
  readonly pipeline: Pipeline;
  /** Step rule, as JSON. */
  readonly rule: RuleJson;
  /** Rows per update. */
  readonly batch: number;
  /** Seed of the run. */
  readonly seed: number;
  /** Task: "binary", "multiclass", "regression" or "count". */
  readonly task: string;
  /** Number of outputs per row. */
  readonly outputs: number;
  /** Names of the two classes of a numeric target, otherwise null. */
  readonly levels: readonly string[] | null;
  /** Class weights, by class index. */
  readonly classWeights: Float64Array | undefined;
  /** Number of updates so far. */
  readonly updates: number;
  /**
   * Learns rows in order. Each call continues after the last one. @throws DataError if numbers would not be finite; the
   * state is then unchanged, bit for bit
   */
  learn(rows: OnlineRows, watch?: OnlineWatch): Promise<void>;
  /** Returns a copy of the current parameters. */
  parameters(): Float64Array;
  /** Returns a predictor with the given parameters, or with the current ones if none are given. */
  predictor(parameters?: Float64Array): AnyPredictor;
  /** Returns a checkpoint from which `online(bytes)` continues bit for bit. `loop`: extra data stored with it. */
  checkpoint(loop?: JsonObject): Uint8Array;
  /**
   * Restores the state from a checkpoint of this run, and returns the `loop` data that the checkpoint contains. @throws
   * DataError
   */
  restore(checkpoint: Uint8Array): Promise<JsonObject>;
  /** Frees memory. */
  dispose(): void;
}
