/**
 * A trained linear model: outputs z = x·weightsᵀ + intercept in float64. Needs no trainer.
 *
 * `weights`: float64[outputs × columns], row-major, in the units of the pipeline's columns; `intercept`: float64[outputs].
 */
import type { Tensor } from "../base/safetensors.ts";
import type { PredictionKind, SavedModel } from "../contract.ts";
import type { ReadRow } from "../data/rows.ts";
import { checkedTensor, checkFinite } from "./check-model.ts";
import { OutputPredictor } from "./output-predictor.ts";

export type { Prediction } from "./output-predictor.ts";

/** `K`: what is predicted, where the loss is known to the compiler; it types `value` and the metrics of `evaluate`. */
export class LinearPredictor<K extends PredictionKind = PredictionKind, Names extends string = string> extends OutputPredictor<
  K,
  Names
> {
  /** Tells predictors apart. */
  readonly kind = "linear";
  /** float64[outputs × columns], row-major, in the units of the pipeline's columns. */
  readonly weights: Float64Array;
  /** float64[outputs]. */
  readonly intercept: Float64Array;

  constructor(saved: SavedModel, where = "linear") {
    super(saved, where);
    const outputs = this.outputCount;
    this.weights = checkedTensor(where, saved.tensors, "weights", outputs * this.pipeline.columnCount);
    this.intercept = checkedTensor(where, saved.tensors, "intercept", outputs);
  }

  protected tensors(): Record<string, Tensor> {
    const outputs = this.intercept.length;
    checkFinite("linear", "weights", this.weights);
    checkFinite("linear", "intercept", this.intercept);
    return {
      weights: { shape: [outputs, this.weights.length / outputs], values: this.weights },
      intercept: { shape: [outputs], values: this.intercept },
    };
  }

  protected scoresInto(read: ReadRow, from: number, count: number, z: Float64Array): void {
    const { weights, intercept } = this;
    const outputs = intercept.length;
    const columns = weights.length / outputs;
    for (let i = 0; i < count; i++) {
      const row = read(from + i);
      for (let k = 0; k < outputs; k++) {
        const first = k * columns;
        let sum = intercept[k];
        if (row.columns) for (let e = 0; e < row.count; e++) sum += row.values[e] * weights[first + row.columns[e]];
        else for (let j = 0; j < columns; j++) sum += row.values[j] * weights[first + j];
        z[i * outputs + k] = sum;
      }
    }
  }
}
