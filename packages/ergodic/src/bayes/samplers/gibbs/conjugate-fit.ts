import { type ConjugateFamily, conjugateFamilies } from "./conjugate-families.ts";

export type Evaluate = (u: number) => number;

/**
 * Fits the conditional of one unconstrained number by evaluating ℓ. The values at b and b ± s determine p and q of a
 * family, which are then checked at other points.
 *
 * The points are moved until b is near the mode and s is close to the spread, so that the fit covers the bulk of the
 * mass. A check passes if fit and density agree to 10⁻⁸ × max(1, |ℓ|). Draws are exact to about this tolerance.
 */
export interface ConjugateFit {
  readonly family: ConjugateFamily;
  readonly base: number;
  /** Distance s of the fitted points. */
  readonly step: number;
  /** ℓ(base), and the fitted p and q. */
  readonly at: number;
  readonly p: number;
  readonly q: number;
}

const MOST_FITS = 60;
const TOLERANCE = 1e-8;
/** Points at which a new fit is checked, as multiples of the step. */
const CHECKS = [-1.7, -0.4, 0.6, 2.1];

/**
 * Moves the points, starting from (base, step), until they suit the family, and returns the fit. Undefined if the
 * density at these points does not belong to the family.
 */
export function fitFamily(evaluate: Evaluate, family: ConjugateFamily, base: number, step: number): ConjugateFit | undefined {
  for (let fits = 0; fits < MOST_FITS; fits++) {
    const at = evaluate(base);
    const [lower, upper] = [evaluate(base - step) - at, evaluate(base + step) - at];
    if (!Number.isFinite(at)) return undefined;
    if (!Number.isFinite(lower) || !Number.isFinite(upper)) {
      step /= 4;
      continue;
    }
    const [f0, g0] = family.features(base, -step);
    const [f1, g1] = family.features(base, step);
    const determinant = f0 * g1 - f1 * g0;
    const p = (lower * g1 - upper * g0) / determinant;
    const q = (f0 * upper - f1 * lower) / determinant;
    if (!family.holds(p, q)) {
      // The points are too close together, so rounding dominates.
      if (Math.max(Math.abs(lower), Math.abs(upper)) > 0.1 || !(step < 1e12)) return undefined;
      step *= 8;
      continue;
    }
    const { mode, spread } = family.shape(base, p, q);
    if (!Number.isFinite(mode) || !(spread > 0 && spread < Infinity)) return undefined;
    if (Math.abs(mode - base) < 2 * spread && step > spread / 2 && step < 3 * spread) return { family, base, step, at, p, q };
    base = mode;
    step = 1.5 * spread;
  }
  return undefined;
}

/** Whether the fit predicts ℓ(u) = value. */
export function agrees({ family, base, at, p, q }: ConjugateFit, u: number, value: number): boolean {
  const [f, g] = family.features(base, u - base);
  const scale = Math.max(1, Math.abs(at), Math.abs(value - at));
  return Math.abs(at + p * f + q * g - value) <= TOLERANCE * scale;
}

/** Returns the first family that fits and agrees at four more points. */
export function findFamily(evaluate: Evaluate, from: number): ConjugateFit | undefined {
  for (const family of conjugateFamilies) {
    const fit = fitFamily(evaluate, family, from, 1);
    if (fit && CHECKS.every((k) => agrees(fit, fit.base + k * fit.step, evaluate(fit.base + k * fit.step)))) return fit;
  }
  return undefined;
}
