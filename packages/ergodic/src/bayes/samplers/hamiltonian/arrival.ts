/**
 * Decides whether a chain has reached the posterior from its starting point. A chain has arrived when its log density ℓ
 * no longer rises by more than the spread of ℓ.
 *
 * The test compares both halves of the log densities ℓ of the last CHECK transitions. A chain has not arrived if every
 * ℓ in the second half is at least as high as every ℓ in the first half, and the means of the halves differ by more
 * than 20 + 5√d nats. This threshold is about seven standard deviations of ℓ for a Gaussian in d dimensions, and 20
 * nats if d is small.
 *
 * The test does not detect slower climbs along a ridge, which metric adaptation handles. A chain has also not arrived
 * if ℓ is not finite, is so large that rounding would matter, or is almost constant (at most one step changes ℓ by more
 * than rounding).
 */

/** Number of transitions between two checks. */
export const CHECK = 10;
const HALF = CHECK >> 1;
const [LEAST_RISE, RISE_BY_ROOT] = [20, 5];
/** Relative change of a log density that can be due to rounding. */
const ROUNDING = 1e-10;
/** Log density above which the last bit of a float64 exceeds a hundredth of a nat. */
const LARGEST = 2 ** 46;
/** Minimum number of transitions per check in which ℓ changes by more than rounding. */
const LEAST_MOVES = 2;

export function hasArrived(levels: readonly number[], dimension: number): boolean {
  const last = levels.slice(-CHECK);
  if (last.length < CHECK || isLost(last)) return false;
  const [early, late] = [last.slice(0, HALF), last.slice(HALF)];
  const rises = Math.min(...late) >= Math.max(...early);
  return !(rises && meanOf(late) - meanOf(early) > LEAST_RISE + RISE_BY_ROOT * Math.sqrt(dimension));
}

/**
 * Whether the last CHECK log densities are not finite, too large, or differ only by rounding. Such a chain would never
 * arrive, however long warm-up is.
 */
export function isLost(levels: ArrayLike<number>): boolean {
  const last = Array.from(levels).slice(-CHECK);
  if (!last.every((level) => Math.abs(level) < LARGEST)) return true;
  const moves = last.filter((level, i) => i > 0 && Math.abs(level - last[i - 1]) > ROUNDING * Math.abs(level));
  return moves.length < LEAST_MOVES;
}

/**
 * Whether the mean of the last HALF log densities exceeds the mean of the first CHECK log densities by the arrival
 * threshold. If so, the chain has moved to another region.
 */
export function hasRisen(levels: Float64Array, dimension: number): boolean {
  if (levels.length < CHECK + HALF) return false;
  const [early, late] = [levels.subarray(0, CHECK), levels.subarray(-HALF)].map((part) => meanOf([...part]));
  return late - early > LEAST_RISE + RISE_BY_ROOT * Math.sqrt(dimension);
}

const meanOf = (x: readonly number[]): number => x.reduce((sum, value) => sum + value / x.length, 0);
