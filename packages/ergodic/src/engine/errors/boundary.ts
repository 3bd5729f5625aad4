/**
 * Inverses of monotone functions by bisection: where a condition that is false below and true above begins to hold. As exact as the condition,
 * at any scale, in some 70 evaluations.
 */

/** Over x > 0: the smallest number that holds, to the last digit; 0 or ∞ where all or none do. `start`: where the search begins. */
export function positiveBoundary(holds: (x: number) => boolean, start = 1): number {
  let low = start;
  let high = start;
  for (let factor = 2; !holds(high); factor *= factor) {
    if (high === Number.MAX_VALUE) return Infinity;
    low = high;
    high = Math.min(high * factor, Number.MAX_VALUE);
  }
  for (let factor = 2; holds(low); factor *= factor) {
    if (low === 0) return 0;
    high = low;
    low /= factor;
  }
  for (;;) {
    // Over many powers of two the exponent is halved, then the number.
    const middle = high > 4 * low && low > 0 ? Math.sqrt(low) * Math.sqrt(high) : low + (high - low) / 2;
    if (!(middle > low && middle < high)) return high;
    if (holds(middle)) high = middle;
    else low = middle;
  }
}

/** Over whole numbers from `low` on: the smallest that holds; ∞ where none does. */
export function wholeBoundary(holds: (k: number) => boolean, low = 0): number {
  let below = low - 1;
  let above = low;
  for (let step = 1; !holds(above); step *= 2) {
    if (above > Number.MAX_SAFE_INTEGER) return Infinity;
    below = above;
    above += step;
  }
  while (above - below > 1) {
    const middle = Math.floor(below + (above - below) / 2);
    if (holds(middle)) above = middle;
    else below = middle;
  }
  return above;
}
