/**
 * Minimises a function φ over t in [0, limit] from its slopes alone. φ must decrease at 0. Grows a bracket from a
 * guess, then applies Newton's method. Bisection keeps the iterates within the bracket.
 *
 * slope: φ'. curvature: φ'' if known; otherwise it is estimated from the last two slopes (secant method). limit:
 * Infinity for none. If the slope at a point is not finite, the point counts as too far. The relative error in t is
 * 1e-10 and usually far less, but (1e-10)^(1/p) if φ' ~ t^p with p > 1.
 * Returns Infinity if φ decreases without end. If φ is not convex, the result is a point at which φ changes from
 * decreasing to increasing.
 */
const GROWTH = 4;
const MOST = 200;
const NEAR = 1e-10;

export interface Line {
  slope(t: number): number;
  curvature?: ((t: number) => number) | undefined;
  /** < 0. */
  slopeAtZero: number;
  /** > 0. */
  guess: number;
  limit: number;
  resolution: number;
}

export function lineNewton(line: Line): number {
  const { limit, resolution } = line;
  let low = 0;
  let high = Infinity;
  let last = { t: 0, slope: line.slopeAtZero };
  let t = Math.min(line.guess, limit);
  for (let i = 1; i <= MOST; i++) {
    const slope = line.slope(t);
    if (slope === 0 || (slope < 0 && t === limit)) return t;
    const width = high - low;
    if (slope < 0) low = t;
    else high = t;
    // If the last slope is far steeper than the first, any step looks short in comparison.
    const fair = Math.abs(last.slope) <= 2 * Math.abs(line.slopeAtZero);
    const step = -slope / (line.curvature?.(t) ?? (slope - last.slope) / (t - last.t));
    if (Number.isFinite(slope)) last = { t, slope };
    // Newton's steps can approach a distant end of the bracket slowly, so every third step bisects unless the bracket
    // has halved.
    const creeps = i % 3 === 0 && high - low > width / 2;
    const next = high === Infinity ? Math.min(grown(t, step), limit) : inside(low, high, creeps ? Number.NaN : t + step);
    if (next === Infinity) return Infinity;
    const near = Math.abs(next - t) <= resolution + NEAR * t;
    if ((near && fair) || high - low <= resolution) return next;
    t = near ? inside(low, high, Number.NaN) : next;
  }
  return high === Infinity ? Infinity : t;
}

/** Returns the next trial while the bracket has no upper end. The trial is a forward Newton step of limited length. */
function grown(t: number, step: number): number {
  return step > 0 ? Math.min(t + step, GROWTH * GROWTH * t) : GROWTH * t;
}

function inside(low: number, high: number, wanted: number): number {
  if (wanted > low && wanted < high) return wanted;
  return high === Infinity ? GROWTH * low : low + (high - low) / 2;
}
