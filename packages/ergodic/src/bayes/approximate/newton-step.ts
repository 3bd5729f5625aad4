import { cosine } from "../../engine/numbers/cosine-sine.ts";
import { addScaled, dot } from "../../engine/optimise/dense.ts";
import type { InverseCurvature } from "./inverse-curvature.ts";
import type { Minimised } from "./quasi-newton.ts";

export interface NewtonStep {
  readonly step: Float64Array;
  /** Promised decrease of f; NaN if gradients near the point are not finite. */
  readonly promise: number;
  readonly definite: boolean;
}

/**
 * Finite-difference step, as a share of the standard deviation in the step's direction. The standard deviation comes
 * from H at first and later from the measured curvature.
 */
const PART = 1e-3;
/**
 * If the step turns out to exceed this share of a standard deviation, the difference is repeated with a smaller step.
 */
const MOST_PART = 0.1;
const RESIDUAL = 1e-14;
/** Curvature below which rounding of the gradients dominates, in units of H. */
const FLAT = 1e-12;
const ATTEMPTS = 5;

/**
 * Computes the Newton step p = −A⁻¹g at a point, where A is the Hessian of f there. The function also computes the
 * step's promise ½ gᵀA⁻¹g in the units of f, which is half the squared Newton decrement.
 *
 * Uses conjugate gradients, preconditioned by an estimate H of A⁻¹, with at most `most` products with A. Each product
 * is a central difference of the gradients at two points, which are a small share of a standard deviation apart. The
 * promise is summed from the curvature that these products measure. The promise does not rely on H, because H contains
 * only the directions of past moves. Each further product with A can only increase the promise.
 *
 * `definite`: true if no direction of negative curvature was found; if one was found, `step` descends along it. Source:
 * Hestenes, Stiefel 1952; Nocedal, Wright 2006, ch. 7.1.
 */
export function newtonStep(f: Minimised, x: Float64Array, g: Float64Array, h: InverseCurvature, most: number): NewtonStep {
  const p = new Float64Array(x.length);
  // If g is 0, as at a saddle, an arbitrary right-hand side is used to look for negative curvature.
  const stands = g.every((v) => v === 0);
  const residual = g.map((v, i) => (stands ? cosine(i + 1) : -v));
  let z = h.times(residual);
  const d = z.slice();
  let left = dot(residual, z);
  const first = left;
  let promise = 0;
  for (let k = 0; k < most && left > RESIDUAL * first; k++) {
    const ad = curvatureAlong(f, x, d, h);
    const bend = ad ? dot(d, ad) : Number.NaN;
    if (!ad || Number.isNaN(bend)) return { step: p, promise: Number.NaN, definite: false };
    // f is flat up to rounding and has no slope along d, so a step along d cannot lower f.
    if (stands && Math.abs(bend) <= FLAT * left) break;
    if (!(bend > FLAT * left)) return { step: dot(g, d) > 0 ? d.map((v) => -v) : d.slice(), promise: Infinity, definite: false };
    const alpha = left / bend;
    promise += 0.5 * alpha * left;
    addScaled(p, alpha, d);
    addScaled(residual, -alpha, ad);
    z = h.times(residual);
    const next = dot(residual, z);
    for (let i = 0; i < d.length; i++) d[i] = z[i] + (next / left) * d[i];
    left = next;
  }
  return stands ? { step: g.slice(), promise: 0, definite: true } : { step: p, promise, definite: true };
}

/** Returns A d by a central difference; null if a gradient near x is not finite. */
function curvatureAlong(f: Minimised, x: Float64Array, d: Float64Array, h: InverseCurvature): Float64Array | null {
  const [ahead, behind] = [new Float64Array(x.length), new Float64Array(x.length)];
  const moved = (by: number): Float64Array => x.map((v, i) => v + by * d[i]);
  let step = PART / Math.sqrt(Math.abs(dot(d, h.inverseTimes(d))) || 1);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const finite = Number.isFinite(f(moved(step), ahead)) && Number.isFinite(f(moved(-step), behind));
    if (finite && ahead.every(Number.isFinite) && behind.every(Number.isFinite)) {
      const change = ahead.map((v, i) => (v - behind[i]) / (2 * step));
      const part = step * Math.sqrt(Math.abs(dot(d, change)));
      if (part <= MOST_PART) return change;
      step *= PART / part;
    } else step /= 100;
  }
  return null;
}
