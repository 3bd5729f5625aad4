/** Messages between an asynchronous predictor and its threads. A thread computes one call at a time. */
import type { SentError } from "../engine/errors/sent-errors.ts";
import type { AnyPredictor } from "./any-predictor.ts";
import type { PredictorOptions } from "./load.ts";

/** Methods that can be called by name. */
export type Method = "predict" | "recommend" | "recommendFor" | "similar" | "columns";

export type Request =
  | { readonly kind: "load"; readonly bytes: Uint8Array; readonly where: string; readonly options: PredictorOptions }
  | { readonly kind: "call"; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly kind: "numbers"; readonly rows: Float64Array | Float32Array | readonly object[] };

export type Answer =
  | { readonly kind: "loaded"; readonly facts: Facts }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly failure: SentError };

/** Properties of a model other than its parameters. */
export interface Facts {
  readonly kind: AnyPredictor["kind"];
  readonly task: AnyPredictor["task"];
  readonly classes: readonly string[] | undefined;
  readonly targetName: string | undefined;
  readonly width: number | undefined;
  /** Number of values per matrix row. */
  readonly inputCount: number | undefined;
}
