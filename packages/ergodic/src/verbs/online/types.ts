import type { Rule, RuleJson } from "../../algorithms/gradient/kinds.ts";
import type { JsonObject } from "../../contract.ts";
import type { Pipeline } from "../../data/dataset.ts";
import type { AnyPredictor } from "../../predict/load.ts";

/** A trained model, its file or the bytes of one, or a checkpoint. */
export type OnlineFrom = { toBytes(): Uint8Array } | string | URL | Uint8Array | Blob;

/** Options of `online`. */
export interface OnlineOptions {
  /** The step rule. Default: the one that the model was trained by; or else adagrad() for linear models, adam() for networks. */
  rule?: Rule;
  /** Rows an update, a whole number >= 1. Default 1. */
  batch?: number;
  /** Seed of what updates draw at random (dropout), a whole number >= 0. Default 0. */
  seed?: number;
}

/** Rows through a model's pipeline. Nothing of it is checked, and it must not change afterwards: a run may repeat it. */
export interface OnlineRows {
  /** Rows. */
  readonly rowCount: number;
  /** A number or a class index a row. */
  readonly targets: Float64Array;
  /** Absent: all 1. */
  readonly weights?: Float64Array | undefined;
  /** Sparse rows: where each begins, and the end. */
  readonly starts?: Uint32Array | undefined;
  /** Sparse rows: the column of each value. */
  readonly columns?: Uint32Array | undefined;
  /** In the pipeline's type; of dense rows all, row by row. */
  readonly values: Float32Array | Float64Array;
}

/** Is told of each update: the mean loss of its rows before it, times their number; and their outputs before it, which the next one overwrites. */
export type OnlineWatch = (loss: number, z: Float32Array | Float64Array, first: number, count: number) => void;

/** A trained model that learns from rows as they come, as `online` makes it. */
export interface OnlineRun {
  /** The steps from raw rows to columns. */
  readonly pipeline: Pipeline;
  /** The step rule, as JSON. */
  readonly rule: RuleJson;
  /** Rows an update. */
  readonly batch: number;
  /** Seed of what updates draw at random. */
  readonly seed: number;
  /** "binary", "multiclass", "regression" or "count". */
  readonly task: string;
  /** Numbers in the outputs of a row. */
  readonly outputs: number;
  /** What two classes are called that are numbers in the data. */
  readonly levels: readonly string[] | null;
  /** By class index. */
  readonly classWeights: Float64Array | undefined;
  /** Updates made so far. */
  readonly updates: number;
  /**
   * Learns rows, in their order. Lets the event loop run every few milliseconds; one call must end before the next.
   *
   * @throws DataError where the loss, a parameter or the rule's state would not be finite: then nothing has changed, bit for bit
   */
  learn(rows: OnlineRows, watch?: OnlineWatch): Promise<void>;
  /** The model as it is now. */
  predictor(): AnyPredictor;
  /** All that another run needs to go on bit for bit: `online(bytes)`. `loop`: anything more, for whoever keeps it. */
  checkpoint(loop?: JsonObject): Uint8Array;
  /** Returns to a checkpoint of this run, bit for bit; what was kept with it. @throws DataError for one of another run */
  restore(checkpoint: Uint8Array): Promise<JsonObject>;
  /** Gives memory back. */
  dispose(): void;
}
