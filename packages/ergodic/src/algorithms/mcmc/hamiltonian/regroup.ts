/**
 * Which chains stand where next to nothing of the posterior is, so that warm-up may move them.
 *
 * Around a chain, log mass ≈ mean ℓ + ½ log det M⁻¹ + constant: E log p + entropy, of a Gaussian with M⁻¹ for its covariance. A metric that fits a minor
 * mode well holds a chain there for good, where a worse one would let it leave; mass, unlike ℓ, does not take a narrow neck for the better place.
 * A chain is out of place where its log mass is under the largest by more than 10 + 3√d, far beyond the error of both means.
 */
import { log } from "../../../base/log.ts";
import type { Metric, MetricKind } from "./metric.ts";

const [LEAST_GAP, GAP_BY_ROOT] = [10, 3];

/** ½ log det M⁻¹, from what momenta are scaled with. */
export function logVolume(kind: MetricKind, dimension: number, { factor, rank = 0 }: Pick<Metric, "factor" | "rank">): number {
  let sum = 0;
  if (kind === "dense") {
    for (let i = 0; i < dimension; i++) sum += log(factor[i * (dimension + 1)]);
    return sum;
  }
  for (let i = 0; i < dimension; i++) sum -= log(factor[i]);
  const shares = dimension * (1 + rank);
  for (let k = 0; k < rank; k++) sum -= log(1 + factor[shares + k]);
  return sum;
}

/** By chain: whether it is in place. */
export function inPlace(masses: readonly number[], dimension: number): boolean[] {
  const lowest = Math.max(...masses) - (LEAST_GAP + GAP_BY_ROOT * Math.sqrt(dimension));
  return masses.map((mass) => !(mass < lowest));
}
