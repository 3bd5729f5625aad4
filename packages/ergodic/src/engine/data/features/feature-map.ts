/**
 * Random feature maps of the Gaussian kernel k(x, y) = exp(−γ‖x − y‖²): shared code of `rff`, `orthogonal`, `sorf` and
 * `fastfood`.
 *
 * z(x) = √(2/D) [cos w₁·x, sin w₁·x, …, cos w_{D/2}·x, sin w_{D/2}·x], so that z(x)·z(y) ≈ k(x, y), with an error of
 * order 1/√D, and z(x)·z(x) = 1. D: `count`, even. γ: `gamma`, > 0, in units of 1/x². "scale" is 1/(d·var), where var
 * is the population variance of all cells of the dataset (1 if the variance is 0). γ is then computed when the map is
 * applied. The maps differ in how they draw the frequencies w. Independent draws from N(0, 2γI) are the simplest
 * method. Joint draws give estimates with less variance. The seed reproduces all frequencies, so a saved model stores
 * only five numbers.
 *
 * Source: Rahimi, Recht 2007.
 *
 * @throws OptionError unless count is even and > 0, gamma > 0 or "scale", seed an integer
 */

import type { JsonObject } from "../../contract/index.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../errors/errors.ts";
import { cosineSine } from "../../numbers/cosine-sine.ts";
import { type Cost, denseRow, forEachRow, type RowSource, type RowVector, type Step, type Transformation } from "../rows.ts";
import { checkStep } from "../step-check.ts";

/** Options of random feature maps: rff(), sorf(), orthogonal(), fastfood(). */
export interface FeatureOptions {
  /** Number of features, in pairs of cosine and sine: an even number, 2 to 2²². */
  count: number;
  /** γ of the kernel exp(−γ‖x − y‖²), > 0. Default "scale", which is 1/(columns × variance of all cells). */
  gamma?: number | "scale";
  /** Seed of the frequencies. Default 0. */
  seed?: number;
}

/** A random feature map, with the options that the user gave. */
export interface RandomFeatures {
  /** Kind of map: "rff", "orthogonal", "sorf" or "fastfood". */
  readonly kind: string;
  /** Number of features. */
  readonly count: number;
  /** γ of the kernel. */
  readonly gamma: number | "scale";
  /** Seed of the frequencies. */
  readonly seed: number;
  /** Returns kind, count, gamma and seed, in the JSON form that `randomFeaturesFromJson` reads. */
  toJSON(): JsonObject;
}

/** Names of all maps, for code that does not load the maps themselves. */
export const mapKinds: readonly string[] = ["rff", "orthogonal", "sorf", "fastfood"];

/** A pipeline step for a map, with all options resolved for a dataset. */
export interface FeaturesStep extends Step {
  readonly count: number;
  readonly gamma: number;
  readonly seed: number;
  /** Number of input columns. */
  readonly inputs: number;
}

/** Writes w_k·x for all count/2 frequencies. */
export type Projection = (row: RowVector, into: Float64Array) => void;

export function randomFeatures(kind: string, options: FeatureOptions): RandomFeatures {
  checkKeys(kind, options, ["count", "gamma", "seed"]);
  const { count, gamma = "scale", seed = 0 } = options;
  checkNumber(kind, "count", count, { low: 2, high: 2 ** 22, integer: true });
  if (count % 2 !== 0)
    throw new OptionError(kind, `count is ${count}, but must be even: features are pairs of cosine and sine`, "OPTION_RANGE");
  if (gamma !== "scale") checkNumber(kind, "gamma", gamma, { low: 0, open: true });
  checkNumber(kind, "seed", seed, { low: -Number.MAX_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, integer: true });
  return Object.freeze({ kind, count, gamma, seed, toJSON: () => ({ kind, count, gamma, seed }) });
}

export function resolveFeatures({ kind, count, gamma, seed }: RandomFeatures, rows: RowSource): FeaturesStep {
  const inputs = rows.shape.columnCount;
  return { kind, count, gamma: gamma === "scale" ? 1 / (inputs * (variance(rows) || 1)) : gamma, seed, inputs };
}

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

/** Returns the population variance of all cells, including the zeros of sparse rows. */
function variance(rows: RowSource): number {
  let count = 0;
  let mean = 0;
  let squares = 0;
  forEachRow(rows, (row) => {
    for (let k = 0; k < row.count; k++) {
      const delta = row.values[k] - mean;
      mean += delta / ++count;
      squares += delta * (row.values[k] - mean);
    }
  });
  const all = rows.rowCount * rows.shape.columnCount;
  return (squares + (mean * mean * count * (all - count)) / all) / all;
}
