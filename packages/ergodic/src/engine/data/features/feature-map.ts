/**
 * Random feature maps of the Gaussian kernel k(x, y) = exp(−γ‖x − y‖²): the options of `rff`, `orthogonal`, `sorf` and
 * `fastfood`. feature-step.ts applies them to rows.
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
import { checkKeys, checkNumber, OptionError } from "../../errors/errors.ts";
import { forEachRow, type RowSource, type Step } from "../rows.ts";

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
