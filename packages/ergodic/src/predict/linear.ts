/**
 * A trained linear model: outputs z = x·weightsᵀ + intercept in float64.
 *
 * `weights`: float64[outputs × columns], row-major, in the units of the pipeline's columns; `intercept`:
 * float64[outputs].
 */

import type { PredictionKind, SavedModel } from "../engine/contract/index.ts";
import type { GivenRows } from "../engine/data/lying-rows.ts";
import type { ReadRow } from "../engine/data/rows.ts";
import type { Tensor } from "../engine/files/safetensors.ts";
import { checkedTensor, checkFinite } from "./check-model.ts";
import type { manyScores } from "./many-rows.ts";
import { OutputPredictor } from "./output-predictor.ts";

export type { Prediction } from "./output-predictor.ts";

/** Smallest number of multiplications for which the computation for many rows is faster than the plain loop. */
const MANY = 4096;

/**
 * Computation for many rows; null while it is being loaded or if it cannot be loaded. This computation and the plain
 * loop in this module give the same results, bit for bit. Until this computation is loaded, predictions therefore use
 * the plain loop.
 */
let many: typeof manyScores | null | undefined;

/** Registers the computation for many rows. Unbundled programs do this at the start. */
export function scoreManyBy(scores: typeof many): void {
  many = scores;
}

/**
 * A trained linear model. `K` is the kind of target if the compiler knows the loss. `K` determines the types of `value`
 * and of the metrics that `evaluate` returns.
 */
export class LinearPredictor<K extends PredictionKind = PredictionKind, Names extends string = string> extends OutputPredictor<
  K,
  Names
> {
  protected static override readonly typeName: string = "LinearPredictor";
  /** Kind of predictor. */
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

  /** Shapes of the tensors in the file. @internal */
  shapes(): { weights: number[]; intercept: number[] } {
    const outputs = this.intercept.length;
    return { weights: [outputs, this.weights.length / outputs], intercept: [outputs] };
  }

  protected tensors(): Record<string, Tensor> {
    const { weights, intercept } = this.shapes();
    checkFinite("linear", "weights", this.weights);
    checkFinite("linear", "intercept", this.intercept);
    return {
      weights: { shape: weights, values: this.weights },
      intercept: { shape: intercept, values: this.intercept },
    };
  }

  protected scoresInto(read: ReadRow, from: number, count: number, z: Float64Array, given?: GivenRows): void {
    const { weights, intercept } = this;
    if (count > 7 && count * weights.length > MANY) {
      if (many?.(this, given, read, from, count, z)) return;
      if (many === undefined) {
        many = null;
        import("./many-rows.ts").then(
          (part) => {
            many = part.manyScores;
          },
          () => {},
        );
      }
    }
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
