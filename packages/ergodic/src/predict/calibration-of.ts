import { DataError } from "../base/errors.ts";
import type { Json } from "../contract.ts";
import type { ReadRow } from "../data/rows.ts";
import type { OutputFacts } from "./check-outputs.ts";
import type { Prediction } from "./output-predictor.ts";

/** What a calibrated model makes of its z. The code is calibration/applied.ts, which is loaded with the first file that asks for it. */
export interface AppliedCalibration {
  /** z of one row, from there on, as calibrated probabilities, where they are. */
  link(z: Float64Array, from: number): void;
  /** The reader, which remembers of each row what its set will need. */
  watched(read: ReadRow): ReadRow;
  /** The prediction with its set or interval. `i`: the row's place among those that were read last. */
  finished(prediction: Prediction, z: Float64Array, i: number): Prediction;
}

type Apply = (json: Json, facts: OutputFacts, where: string) => AppliedCalibration;

let apply: Apply | undefined;

export function applyCalibrationsBy(given: Apply): void {
  apply = given;
}

/** Of a description's `calibration`. */
export function calibrationOf(json: Json | undefined, facts: OutputFacts, where: string): AppliedCalibration | undefined {
  if (json === undefined) return undefined;
  if (apply) return apply(json, facts, where);
  throw new DataError(where, "the model is calibrated; load it by predictor(), which brings the code", "MODEL_KIND");
}
