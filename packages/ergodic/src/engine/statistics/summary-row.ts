/**
 * Computes all statistics of one variable from a single sort of its draws.
 *
 * For finite draws, the results equal the results of the other functions in this folder to the last digit, at a tenth
 * of the total cost. The quantiles, the tails and both rankings for R̂ use this sorted order. Distances from the median
 * are sorted by merging the distances on its two sides. R̂ and bulk ESS use the same scores.
 */
import { checkNumber } from "../errors/errors.ts";
import { type CentredChains, centredChains } from "./centred.ts";
import { areOne, isDegenerate } from "./chains.ts";
import { effectiveSizeOf, essBelow, splitEffectiveSize, squaresAboutMean } from "./effective-size.ts";
import { mean, variance } from "./moments.ts";
import { sdError } from "./monte-carlo-error.ts";
import { type Rising, risingOrder } from "./order.ts";
import { heavierTailOfSorted } from "./pareto-khat.ts";
import { medianOfSorted, quantileOfSorted } from "./quantile.ts";
import { rankNormaliseSorted } from "./rank-normal.ts";
import { potentialScaleReduction } from "./rhat.ts";

/**
 * Statistics of one variable. The errors in this row include errors that are unreliable because of heavy tails. Such
 * errors are removed later.
 */
export interface Figures {
  readonly mean: number;
  readonly sd: number;
  readonly mcseMean: number;
  readonly mcseSd: number;
  /** Quantiles in the order of their probabilities. */
  readonly quantiles: Float64Array;
  readonly essBulk: number;
  readonly essTail: number;
  readonly rhat: number;
  readonly paretoK: number;
}

/** Computes the row in stages. No stage takes longer than the sort of all draws or their Fourier transform. */
export function* finiteRow(draws: Float64Array, chainCount: number, probabilities: readonly number[]): Generator<void, Figures> {
  const rising = risingOrder(draws);
  const { sorted } = rising;
  const isConstant = areOne(sorted[0], sorted[sorted.length - 1]);
  yield;
  const halves = risingHalves(rising, draws.length / chainCount);
  const bulk = scored(halves, draws, chainCount);
  const bulkRhat = bulk ? potentialScaleReduction(bulk) : Number.NaN;
  const bulkSize = bulk && bulk.draws.length / bulk.chainCount >= 3 ? effectiveSizeOf(bulk) : Number.NaN;
  yield;
  const folded = scored(foldedAbout(medianOfSorted(sorted), halves), draws, chainCount);
  const foldedRhat = folded ? potentialScaleReduction(folded) : Number.NaN;
  yield;
  const room = new Float64Array(draws.length);
  const below = (probability: number): number =>
    isConstant ? Number.NaN : essBelow(draws, chainCount, quantileOfSorted(sorted, probability), room);
  const lowerSize = below(0.05);
  yield;
  const tailSize = Math.min(lowerSize, below(0.95));
  yield;
  const spread = variance(draws);
  const meanError = Math.sqrt(spread / splitEffectiveSize(draws, chainCount));
  yield;
  const spreadError = sdError(draws, splitEffectiveSize(squaresAboutMean(draws), chainCount));
  yield;
  return {
    mean: mean(draws),
    sd: Math.sqrt(spread),
    mcseMean: meanError,
    mcseSd: spreadError,
    quantiles: Float64Array.from(probabilities, (probability) => {
      checkNumber("quantiles", "probability", probability, { low: 0, high: 1 });
      return quantileOfSorted(sorted, probability);
    }),
    essBulk: bulkSize,
    essTail: tailSize,
    rhat: Math.max(bulkRhat, foldedRhat),
    paretoK: isConstant ? Number.NaN : heavierTailOfSorted(sorted, tailSize),
  };
}

/** Returns the normal scores of the ranks, arranged as chains, or undefined if all ranks are equal. */
function scored(halves: Rising, { length }: Float64Array, chainCount: number): CentredChains | undefined {
  const z = rankNormaliseSorted(halves);
  const split = length === chainCount ? chainCount : 2 * chainCount;
  return isDegenerate(z) ? undefined : centredChains(z, split);
}

/** Returns the sorted draws of the split chains, with positions in the layout of `splitChains`. n: draws per chain. */
function risingHalves(all: Rising, n: number): Rising {
  if (n % 2 === 0 || n === 1) return all;
  const middle = (n - 1) / 2;
  const length = (all.order.length / n) * (n - 1);
  const halves = { order: new Uint32Array(length), sorted: new Float64Array(length) };
  for (let i = 0, next = 0; i < all.order.length; i++) {
    const place = all.order[i];
    const chain = Math.floor(place / n);
    const t = place - chain * n;
    if (t === middle) continue;
    halves.order[next] = place - chain - (t > middle ? 1 : 0);
    halves.sorted[next++] = all.sorted[i];
  }
  return halves;
}

/** Returns |x − centre| in increasing order, by merging the draws below and above the centre. */
function foldedAbout(centre: number, { order, sorted }: Rising): Rising {
  const count = sorted.length;
  const folded = { order: new Uint32Array(count), sorted: new Float64Array(count) };
  let right = 0;
  while (right < count && sorted[right] < centre) right++;
  let left = right - 1;
  for (let i = 0; i < count; i++) {
    const below = left >= 0 ? Math.abs(sorted[left] - centre) : Infinity;
    const above = right < count ? Math.abs(sorted[right] - centre) : Infinity;
    const at = right >= count || (left >= 0 && below <= above) ? left-- : right++;
    folded.order[i] = order[at];
    folded.sorted[i] = Math.abs(sorted[at] - centre);
  }
  return folded;
}
