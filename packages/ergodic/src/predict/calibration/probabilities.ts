/**
 * Calibrated class probabilities from a model's outputs z.
 *
 * ℓ: log probabilities up to a constant, float64[classes]: [0, z] for two classes, z for softmax, log σ(z) for one class
 * against the rest, and log z for probabilities, of which 0 counts as LEAST_SHARE.
 *   temperature   p = softmax(ℓ/T), which keeps the order of classes
 *   isotonic      p_k = f_k(log odds of class k), scaled to sum to 1; equal if all are 0. For two classes p₁ = f(z).
 */
import { exp } from "../../engine/numbers/exp.ts";
import { log, log1p } from "../../engine/numbers/log.ts";
import { largest, linkInPlace } from "../link.ts";
import type { CalibratedModel, Curve } from "./description.ts";

/** Writes ℓ for the row whose outputs z begin at index `at`. */
export function logitsInto(
  { link, outputs }: Pick<CalibratedModel, "link" | "outputs">,
  z: Float64Array,
  at: number,
  l: Float64Array,
): void {
  if (outputs === 1) {
    l[0] = link === "probabilities" ? logShare(1 - z[at]) : 0;
    l[1] = link === "probabilities" ? logShare(z[at]) : z[at];
    return;
  }
  for (let k = 0; k < outputs; k++) {
    const own = z[at + k];
    // log σ(z)
    if (link === "probabilities") l[k] = logShare(own);
    else l[k] = link === "softmax" ? own : own >= 0 ? -log1p(exp(-own)) : own - log1p(exp(own));
  }
}

/** A class that no tree predicts can still occur, and its log loss must be finite. */
const LEAST_SHARE = 1e-6;

const logShare = (share: number): number => log(Math.max(LEAST_SHARE, share));

/** Replaces ℓ with softmax(ℓ/T). */
export function temper(l: Float64Array, temperature: number): void {
  let top = -Infinity;
  for (let k = 0; k < l.length; k++) top = Math.max(top, l[k]);
  // The difference for the largest value is set to 0 directly, because Infinity − Infinity is NaN.
  for (let k = 0; k < l.length; k++) l[k] = l[k] === top ? 0 : (l[k] - top) / temperature;
  linkInPlace("softmax", l, 0, l.length);
}

/**
 * Writes log(p_k/(1 − p_k)) of each class into `out`: ℓ_k − log Σ_{j≠k} exp ℓ_j. With one output, which means two
 * classes, the value is ℓ₁ − ℓ₀.
 *
 * The sum over j ≠ k is computed as the total minus the term of class k. For the largest class, this difference would
 * lose precision, so the sum over the other classes is computed directly.
 */
export function logOddsInto(l: Float64Array, out: Float64Array): void {
  if (out.length === 1) {
    out[0] = l[1] - l[0];
    return;
  }
  const best = largest(l);
  let second = -Infinity;
  for (let k = 0; k < l.length; k++) if (k !== best && l[k] > second) second = l[k];
  let others = 0;
  for (let k = 0; k < l.length; k++) if (k !== best) others += exp(l[k] - second);
  const total = 1 + others * exp(second - l[best]);
  for (let k = 0; k < l.length; k++) {
    const below = l[k] - l[best];
    out[k] = k === best ? l[k] - second - log(others) : below - log(total - exp(below));
  }
}

/** Returns f(s). f is linear between the points of the curve and constant outside them. */
export function valueAt({ scores, probabilities }: Curve, s: number): number {
  const last = scores.length - 1;
  if (Number.isNaN(s)) return s;
  if (s <= scores[0]) return probabilities[0];
  if (s >= scores[last]) return probabilities[last];
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (scores[middle] <= s) low = middle;
    else high = middle;
  }
  const share = (s - scores[low]) / (scores[high] - scores[low]);
  return Math.min(probabilities[high], probabilities[low] + share * (probabilities[high] - probabilities[low]));
}

/** Writes the probabilities of all classes, from their log odds, into `p`. */
export function bend(odds: Float64Array, curves: readonly Curve[], p: Float64Array): void {
  if (curves.length === 1) {
    p[1] = valueAt(curves[0], odds[0]);
    p[0] = 1 - p[1];
    return;
  }
  let total = 0;
  for (let k = 0; k < p.length; k++) total += p[k] = valueAt(curves[k], odds[k]);
  for (let k = 0; k < p.length; k++) p[k] = total === 0 ? 1 / p.length : p[k] / total;
}
