/**
 * A trained linear model: outputs z = x·weightsᵀ + intercept in float64. Needs no trainer.
 *
 * `weights`: float64[outputs × columns], row-major, in the units of the pipeline's columns; `intercept`: float64[outputs].
 */
import type { Tensor } from "../base/safetensors.ts";
import type { PredictionKind, SavedModel } from "../contract.ts";
import type { RowSource } from "../data/rows.ts";
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

  protected scores(rows: RowSource): Float64Array {
    const { weights, intercept } = this;
    const outputs = intercept.length;
    const columns = weights.length / outputs;
    const z = new Float64Array(rows.rowCount * outputs);
    rows.forEach((row, i) => {
      for (let k = 0; k < outputs; k++) {
        const from = k * columns;
        let sum = intercept[k];
        if (row.columns) for (let e = 0; e < row.count; e++) sum += row.values[e] * weights[from + row.columns[e]];
        else for (let j = 0; j < columns; j++) sum += row.values[j] * weights[from + j];
        z[i * outputs + k] = sum;
      }
    });
    return z;
  }
}
