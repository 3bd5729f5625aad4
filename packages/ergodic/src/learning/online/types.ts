import type { JsonObject } from "../../engine/contract/index.ts";
import type { Pipeline } from "../../engine/data/dataset.ts";
import type { Rule, RuleJson } from "../../engine/optimise/kinds.ts";
import type { AnyPredictor } from "../../predict/any-predictor.ts";

/** A trained model or a checkpoint. */
export type OnlineFrom = { toBytes(): Uint8Array } | string | URL | Uint8Array | Blob;

/** Options of `online`. */
export interface OnlineOptions {
  /** The step rule. Default: that of its training, or else adagrad() for linear models, adam() for networks. */
  rule?: Rule;
  /** Rows an update, a whole number >= 1. Default 1. */
  batch?: number;
  /** Seed of dropout, a whole number >= 0. Default 0. */
  seed?: number;
}

/** Rows through a model's pipeline, not checked; a run may repeat them, so that they must not change. */
export interface OnlineRows {
  /** Rows. */
  readonly rowCount: number;
  /** A number or a class index a row. */
  readonly targets: Float64Array;
  /** Absent: all 1. */
  readonly weights?: Float64Array | undefined;
  /** Sparse: where each row begins, and the end. */
  readonly starts?: Uint32Array | undefined;
  /** Sparse: the column of each value. */
  readonly columns?: Uint32Array | undefined;
  /** In the pipeline's type. */
  readonly values: Float32Array | Float64Array;
}

/** What is told of an update: the mean loss of its rows before it, times their number, and their outputs, until the next one. */
export type OnlineWatch = (loss: number, z: Float32Array | Float64Array, first: number, count: number) => void;

/** What `online` makes. */
export interface OnlineRun {
  /** The steps from raw rows to columns. */
  readonly pipeline: Pipeline;
  /** The step rule, as JSON. */
  readonly rule: RuleJson;
  /** Rows an update. */
  readonly batch: number;
  /** Its seed. */
  readonly seed: number;
  /** "binary", "multiclass", "regression" or "count". */
  readonly task: string;
  /** Numbers in the outputs of a row. */
  readonly outputs: number;
  /** Names of two classes that are numbers. */
  readonly levels: readonly string[] | null;
  /** By class index. */
  readonly classWeights: Float64Array | undefined;
  /** Updates made so far. */
  readonly updates: number;
  /** Learns rows in their order, call after call. @throws DataError where numbers would not be finite; nothing has changed then, bit for bit */
  learn(rows: OnlineRows, watch?: OnlineWatch): Promise<void>;
  /** A copy of the model's numbers as they are now. */
  parameters(): Float64Array;
  /** The model at `parameters`, by default as it is now. */
  predictor(parameters?: Float64Array): AnyPredictor;
  /** What `online(bytes)` continues from, bit for bit. `loop`: kept with it. */
  checkpoint(loop?: JsonObject): Uint8Array;
  /** Returns to a checkpoint of this run; what was kept with it. @throws DataError */
  restore(checkpoint: Uint8Array): Promise<JsonObject>;
  /** Gives memory back. */
  dispose(): void;
}
