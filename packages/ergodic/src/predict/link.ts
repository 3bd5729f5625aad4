/** Converts a model's outputs z to predictions, one row at a time. contract.ts describes the links. */

import type { Link } from "../engine/contract/index.ts";
import { exp } from "../engine/numbers/exp.ts";

/** 1/(1+e⁻ᶻ) without overflow. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + exp(-z));
  const e = exp(z);
  return e / (1 + e);
}

/** Replaces elements [from, from + count) of the array z with predictions. */
export function linkInPlace(link: Link, z: Float64Array, from: number, count: number): void {
  const to = from + count;
  if (link === "exp") for (let k = from; k < to; k++) z[k] = exp(z[k]);
  if (link === "sigmoid" || link === "sigmoidNormalised") for (let k = from; k < to; k++) z[k] = sigmoid(z[k]);
  if (link === "softmax") {
    let top = -Infinity;
    for (let k = from; k < to; k++) top = Math.max(top, z[k]);
    for (let k = from; k < to; k++) z[k] = exp(z[k] - top);
  }
  // Sums over trees can leave [0, 1] by rounding.
  if (link === "probabilities") for (let k = from; k < to; k++) z[k] = Math.min(1, Math.max(0, z[k]));
  if (link !== "softmax" && link !== "sigmoidNormalised" && (link !== "probabilities" || count === 1)) return;
  let total = 0;
  for (let k = from; k < to; k++) total += z[k];
  for (let k = from; k < to; k++) z[k] = total > 0 ? z[k] / total : 1 / count;
}

/** Returns the index of the largest value. Among equal values, returns the first index. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}
