/**
 * Inverts monotone functions by bisection: finds the point from which a condition holds. The condition must be false
 * below this point and true above it. After about 70 evaluations, the result is as exact as the condition, at any
 * scale.
 */

/**
 * Returns the smallest x > 0 for which `holds` is true, exact to the last digit. Returns 0 if the condition always
 * holds, and ∞ if it never holds. `start`: first x to try.
 */
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
    // While the interval spans many powers of two, the exponent is bisected. After that, the number itself is bisected.
    const middle = high > 4 * low && low > 0 ? Math.sqrt(low) * Math.sqrt(high) : low + (high - low) / 2;
    if (!(middle > low && middle < high)) return high;
    if (holds(middle)) high = middle;
    else low = middle;
  }
}

/** Returns the smallest integer ≥ `low` for which `holds` is true, or ∞ if there is no such integer. */
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
