import { drawsPerChain, isDegenerate } from "./chains.ts";
import { essTail } from "./effective-size.ts";
import { fitGeneralisedPareto } from "./generalised-pareto.ts";

const LEAST_TAIL = 5;
/** Number of draws above which the tail length grows with the square root of the number of draws. */
const FEW_DRAWS = 225;

/**
 * Pareto k̂ of a quantity's tails. Generalised Pareto distributions are fitted to the smallest and to the largest
 * draws, and k̂ is the larger of the two shapes.
 *
 * Only moments of order below 1/k exist: with k > ½ there is no variance, and with k > 1 no mean. If k is above 0.7, no
 * affordable number of draws is enough, because the mean is far off more often than its standard error suggests. draws:
 * float64[chains × draws], chain after chain; S draws in total. A tail consists of ⌈3 √(S/r)⌉ draws if S > 225, and of
 * ⌈S/5⌉ draws otherwise, but of at least 5 and at most ⌊S/2⌋ draws. r = ESS_tail/S, so that dependent draws give longer
 * tails. k̂ = ∞ if no distribution fits, because a quarter of a tail lies exactly at its edge. This happens for draws
 * of few distinct integers. k̂ is NaN in the following cases: a draw is not finite, all draws are equal, the tails'
 * effective size is unknown, both tails are constant, or there are fewer than 6 draws. In 44,000 runs (4 chains of 1000
 * Gaussian, exponential or Student-t(5) draws, AR(1) with φ = 0 … 0.97), k̂ was never above 0.5; the largest value was
 * 0.48. Source: Vehtari, Simpson, Gelman, Yao, Gabry 2024; Zhang, Stephens 2009. The result equals `pareto_khat` of R's
 * posterior package, with two exceptions. A tail that is half of an odd number of draws retains its largest draw. Draws
 * count as equal if they differ only by rounding, so that the unit does not matter.
 *
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws
 */
export function paretoKhat(draws: Float64Array, chainCount: number): number {
  drawsPerChain("paretoKhat", draws, chainCount);
  return heavierTail(draws, essTail(draws, chainCount));
}

/** Returns k̂ of draws, given the effective size of the tails. */
export function heavierTail(draws: Float64Array, effectiveSize: number): number {
  return isDegenerate(draws) ? Number.NaN : heavierTailOfSorted(draws.slice().sort(), effectiveSize);
}

/** Same as `heavierTail`, for finite draws in increasing order. */
export function heavierTailOfSorted(sorted: Float64Array, effectiveSize: number): number {
  if (sorted.length <= LEAST_TAIL) return Number.NaN;
  const length = tailLength(sorted.length, effectiveSize);
  if (Number.isNaN(length)) return Number.NaN;
  // Each slice contains a tail and the draw at which the tail begins.
  const left = tailShape(
    sorted
      .slice(0, length + 1)
      .map((x) => -x)
      .reverse(),
  );
  const right = tailShape(sorted.slice(-length - 1));
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) ? right : left;
  return Math.max(left, right);
}

/** Returns the length of a tail, or NaN if the length depends on an effective size that is NaN. */
function tailLength(drawCount: number, effectiveSize: number): number {
  const wanted = Math.ceil(drawCount > FEW_DRAWS ? (3 * drawCount) / Math.sqrt(effectiveSize) : drawCount / 5);
  return Math.max(LEAST_TAIL, Math.min(wanted, Math.floor(drawCount / 2)));
}

/** Returns k̂ of the differences x_i − x_0 for increasing numbers x. */
function tailShape(rising: Float64Array): number {
  const tail = rising.subarray(1);
  return isDegenerate(tail) ? Number.NaN : fitGeneralisedPareto(tail.map((x) => x - rising[0])).k;
}
