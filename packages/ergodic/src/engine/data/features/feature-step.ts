/** Pipeline steps of random feature maps, shared by `rff`, `orthogonal`, `sorf` and `fastfood`. */

import { DataError, OptionError } from "../../errors/errors.ts";
import { cosineSine } from "../../numbers/cosine-sine.ts";
import { type Cost, denseRow, type RowVector, type Transformation } from "../rows.ts";
import { checkStep } from "../step-check.ts";
import { type FeaturesStep, randomFeatures } from "./feature-map.ts";

/** Writes w_k·x for all count/2 frequencies. */
export type Projection = (row: RowVector, into: Float64Array) => void;

/** Cost of a normal draw (random/stream.ts), and cost of a pair of cosine and sine. */
export const NORMAL = 128;
const PAIR = 128;

/** Makes the pipeline step of a map. `costOf`: cost of drawing the frequencies and of applying them to one row. */
export function featureTransformation(
  kind: string,
  project: (step: FeaturesStep) => Projection,
  costOf: (step: FeaturesStep) => Cost,
): Transformation<FeaturesStep> {
  return {
    kind,

    cost(step) {
      const { work, bytes } = costOf(step);
      return { work: work + (step.count / 2) * PAIR, bytes: bytes + 4 * step.count };
    },

    output(step, input) {
      const { count, gamma, seed } = step;
      checkStep(kind, typeof gamma === "number", "a gamma that is a number");
      randomFeatures(kind, { count, gamma, seed });
      if (step.inputs !== input.columnCount) {
        throw new DataError(
          "pipeline",
          `${kind} was made for ${step.inputs} columns, but gets ${input.columnCount}`,
          "PIPELINE_STEP",
        );
      }
      const names = () => Array.from({ length: count }, (_, j) => `${kind}:${j % 2 === 0 ? "cos" : "sin"}:${j >> 1}`);
      return { columnCount: count, format: "dense", type: input.type, stored: true, names };
    },

    start(step) {
      const projection = project(step);
      const phases = new Float64Array(step.count / 2);
      const factor = Math.sqrt(2 / step.count);
      const out = denseRow(step.count);
      return (row) => {
        projection(row, phases);
        for (let k = 0; k < phases.length; k++) cosineSine(phases[k], factor, out.values, 2 * k);
        return out;
      };
    },
  };
}

/**
 * Returns the cost of a frequency matrix: the cost of drawing `normals` random numbers per cell, and of one product
 * with a row.
 */
export function matrixCost({ count, inputs }: FeaturesStep, normals: number): Cost {
  const cells = (count / 2) * inputs;
  return { work: cells * (normals * NORMAL + 4), bytes: 8 * cells };
}

/** Returns x ↦ Wx for a row-major matrix W with one row per frequency and one column per input. */
export function matrixProjection(matrix: Float64Array, inputs: number): Projection {
  const frequencies = matrix.length / inputs;
  return (row, into) => {
    const { count, columns, values } = row;
    if (columns) {
      for (let k = 0; k < frequencies; k++) {
        let sum = 0;
        for (let e = 0; e < count; e++) sum += matrix[k * inputs + columns[e]] * values[e];
        into[k] = sum;
      }
      return;
    }
    let k = 0;
    // Computes four sums at a time to hide the latency of additions. Each sum adds its terms in the same order as the
    // plain loop below, and so has the same bits.
    for (; k + 4 <= frequencies; k += 4) {
      const base = k * inputs;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let j = 0; j < inputs; j++) {
        const value = values[j];
        a += matrix[base + j] * value;
        b += matrix[base + inputs + j] * value;
        c += matrix[base + 2 * inputs + j] * value;
        d += matrix[base + 3 * inputs + j] * value;
      }
      into[k] = a;
      into[k + 1] = b;
      into[k + 2] = c;
      into[k + 3] = d;
    }
    for (; k < frequencies; k++) {
      let sum = 0;
      for (let j = 0; j < inputs; j++) sum += matrix[k * inputs + j] * values[j];
      into[k] = sum;
    }
  };
}

/** Checks that an explicit frequency matrix fits in memory. Structured maps need no matrix. */
export function checkMatrix(kind: string, step: FeaturesStep): void {
  const cells = (step.count / 2) * step.inputs;
  if (cells <= 2 ** 27) return;
  const advice = "use fewer features, hash the columns first, or use sorf() or fastfood()";
  throw new OptionError(
    kind,
    `${step.count} features of ${step.inputs} columns need ${cells} frequencies; ${advice}`,
    "OPTION_RANGE",
  );
}
