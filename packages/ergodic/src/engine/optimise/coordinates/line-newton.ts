/**
 * The minimum over t in [0, limit] of a function φ that falls at 0, by its slope alone: a bracket by growth from a guess, then Newton's method, kept
 * within the bracket by bisection.
 *
 * slope: φ'; curvature: φ'' where it is known; else the last two slopes' difference stands for it (the secant method). limit: Infinity if there is
 * none. A slope that is not a finite number counts as too far. Relative error in t: 1e-10 and mostly far less, but
 * (1e-10)^(1/p) where φ' ~ t^p, p > 1.
 * Infinity where φ falls without end. Where φ is not convex: a point at which it turns from falling to rising.
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
    // A last slope far steeper than the first makes any step look short.
    const fair = Math.abs(last.slope) <= 2 * Math.abs(line.slopeAtZero);
    const step = -slope / (line.curvature?.(t) ?? (slope - last.slope) / (t - last.t));
    if (Number.isFinite(slope)) last = { t, slope };
    // Newton's steps may creep up on a distant bracket end: every third that does not halve the bracket is a bisection.
    const creeps = i % 3 === 0 && high - low > width / 2;
    const next = high === Infinity ? Math.min(grown(t, step), limit) : inside(low, high, creeps ? Number.NaN : t + step);
    if (next === Infinity) return Infinity;
    const near = Math.abs(next - t) <= resolution + NEAR * t;
    if ((near && fair) || high - low <= resolution) return next;
    t = near ? inside(low, high, Number.NaN) : next;
  }
  return high === Infinity ? Infinity : t;
}

/** While no end of the bracket is known: Newton's step where it leads on, but not by too much. */
function grown(t: number, step: number): number {
  return step > 0 ? Math.min(t + step, GROWTH * GROWTH * t) : GROWTH * t;
}

function inside(low: number, high: number, wanted: number): number {
  if (wanted > low && wanted < high) return wanted;
  return high === Infinity ? GROWTH * low : low + (high - low) / 2;
}
