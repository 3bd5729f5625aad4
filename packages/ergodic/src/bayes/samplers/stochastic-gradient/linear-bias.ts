/** Linear recursions that compute how gradient noise affects Hamiltonian rules on one coordinate with precision λ. */
import type { StochasticRule } from "./stochastic-chain.ts";

const ROUNDS = 40;

/**
 * Returns ᾱ of the thermostat, which is the friction at which the mean of v·v/d is τh: 2a/ᾱ + hV/ᾱ + hC/(2 − ᾱ) = τ(2 −
 * ᾱ). drive: hV, cross: hC (step-bias.ts), means over coordinates. τ = 1 in the long run.
 *
 * If there is no such ᾱ, because the noise is too strong, the result is the largest friction, 1.
 */
export function thermostatFriction(a: number, drive: number, cross: number, heat = 1): number {
  let [low, high] = [0, 1];
  // The left side minus the right side decreases in ᾱ as long as the friction absorbs any noise.
  for (let i = 0; i < 2 * ROUNDS; i++) {
    const middle = (low + high) / 2;
    if ((2 * a + drive) / middle + cross / (2 - middle) > heat * (2 - middle)) low = middle;
    else high = middle;
  }
  return high;
}

/** Smallest curvature, in units of 1 / h. Smaller curvatures are replaced by this value. */
const LEAST = 1e-8;

/**
 * Returns λ times the mean variance of x for sghmc, where v is redrawn before every r-th update. drive: hV; curvature:
 * hλ. The result is the largest float64 if the recursion does not converge.
 */
export function hamiltonianRatio(
  { friction: a, noiseEstimate: b, resetEvery: r }: Pick<StochasticRule, "friction" | "noiseEstimate" | "resetEvery">,
  drive: number,
  curvature: number,
): number {
  return ratioAt(Math.max(curvature, LEAST), 2 * (a - b) + drive, a, r);
}

/**
 * Follows the moments λE x², √(λ/h) E xv and E v² through r updates from a fresh v. Returns the mean of the first
 * moment at the fixed point of these updates. After 30/a updates, the initial v no longer matters, so every later
 * update is treated like the last one.
 */
function ratioAt(w: number, noise: number, a: number, r: number): number {
  const made = Math.min(r, Math.ceil(30 / a));
  const root = Math.sqrt(w);
  const from = (start: number): { end: number; mean: number } => {
    let [x, c, t] = [start, 0, 1];
    let sum = 0;
    for (let k = 0; k < made; k++) {
      const moved = x + 2 * root * c + w * t;
      const crossed = c + root * t;
      const pushed = (1 - a) ** 2 * t - 2 * (1 - a) * root * crossed + w * moved + noise;
      [x, c, t] = [moved, (1 - a) * crossed - root * moved, pushed];
      sum += x;
    }
    return { end: x, mean: (sum + (r - made) * x) / r };
  };
  const [zero, one] = [from(0), from(1)];
  const slope = one.end - zero.end;
  if (!(Math.abs(slope) < 1)) return Number.MAX_VALUE;
  const start = zero.end / (1 - slope);
  return zero.mean + start * (one.mean - zero.mean);
}
