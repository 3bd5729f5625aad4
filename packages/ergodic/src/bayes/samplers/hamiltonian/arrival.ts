/**
 * Whether a chain has come down from where it started: its log density has stopped rising beyond its own spread.
 *
 * Looked at are the log densities ℓ of the last CHECK transitions, in halves. A chain still falls where no ℓ of the second half
 * is below any of the first, and their means differ by more than 20 + 5√d nats: about seven standard deviations of ℓ on a
 * Gaussian in d dimensions, and 20 where d is small. Slower climbs along a ridge are what a metric is learnt for. It falls,
 * too, where ℓ changes by rounding alone, in the whole or in all but one step, is not finite, or so large that its rounding
 * could be seen.
 */

/** Transitions between two looks. */
export const CHECK = 10;
const HALF = CHECK >> 1;
const [LEAST_RISE, RISE_BY_ROOT] = [20, 5];
/** A change of a log density that may be rounding, as a share of it. */
const ROUNDING = 1e-10;
/** Beyond it a double's last bit is more than a hundredth of a nat. */
const LARGEST = 2 ** 46;
/** Moves that a chain has at least made. */
const LEAST_MOVES = 2;

export function hasArrived(levels: readonly number[], dimension: number): boolean {
  const last = levels.slice(-CHECK);
  if (last.length < CHECK || isLost(last)) return false;
  const [early, late] = [last.slice(0, HALF), last.slice(HALF)];
  const rises = Math.min(...late) >= Math.max(...early);
  return !(rises && meanOf(late) - meanOf(early) > LEAST_RISE + RISE_BY_ROOT * Math.sqrt(dimension));
}

/** Whether the last CHECK log densities are not finite, too large, or differ by rounding alone: where no chain comes down, however long it warms up. */
export function isLost(levels: ArrayLike<number>): boolean {
  const last = Array.from(levels).slice(-CHECK);
  if (!last.every((level) => Math.abs(level) < LARGEST)) return true;
  const moves = last.filter((level, i) => i > 0 && Math.abs(level - last[i - 1]) > ROUNDING * Math.abs(level));
  return moves.length < LEAST_MOVES;
}

/** Whether the last HALF of these log densities are higher, on average, than the first CHECK by what a fall is told by: a chain has left one place for another. */
export function hasRisen(levels: Float64Array, dimension: number): boolean {
  if (levels.length < CHECK + HALF) return false;
  const [early, late] = [levels.subarray(0, CHECK), levels.subarray(-HALF)].map((part) => meanOf([...part]));
  return late - early > LEAST_RISE + RISE_BY_ROOT * Math.sqrt(dimension);
}

const meanOf = (x: readonly number[]): number => x.reduce((sum, value) => sum + value / x.length, 0);
