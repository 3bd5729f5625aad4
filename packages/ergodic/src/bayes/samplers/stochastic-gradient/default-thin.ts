/**
 * Default number of updates per transition: the relaxation time of the slowest direction at the mode, so that
 * successive draws have a correlation of about 1/e there.
 *
 * The density is treated as normal with the curvature H of the mode. Updates with step size h act on an eigenvector of
 * D^½ H D^½ with eigenvalue λ as a linear recursion with w = hλ. Its modulus r per update is
 *
 * - Langevin rules: r = |1 − w|.
 * - Hamiltonian rules with friction a: the larger |z| with z² − (2 − a − w) z + 1 − a = 0.
 *
 * The slowest direction is the one with the smallest λ. Its λ is a Rayleigh–Ritz value in a Krylov space of at most
 * PROBES dimensions, from as many gradients of all rows. The value is exact if d <= PROBES, and otherwise an upper
 * bound. Source of the estimate: Golub, Van Loan 2013, section 10.1.
 */
import { log } from "../../../engine/numbers/log.ts";
import { symmetricEigen } from "../../../engine/numbers/symmetric-eigen.ts";
import type { Stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import type { Evaluate, Mode } from "./mode.ts";
import type { StochasticRule } from "./stochastic-chain.ts";

const PROBES = 20;
/** Distance of a probe from the mode, in posterior standard deviations of the coordinate that moves furthest. */
const DISTANCE = 1e-3;
/** Directions whose remainder is smaller than this share of their length lie in the space already. */
const DEPENDENT = 1e-8;
/** Largest default, for densities that are flat in some direction. */
const MOST = 1024;

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

/**
 * Returns the smallest eigenvalue of D^½ H D^½, where D is diagonal (`scale`), or an upper bound on it.
 *
 * curvature: of each coordinate (curvature.ts); draws: for the first direction.
 */
export function smallestCurvature(
  evaluate: Evaluate,
  mode: Mode,
  curvature: Float64Array,
  scale: Float64Array,
  draws: Stream,
): number {
  const d = mode.x.length;
  const basis: Float64Array[] = [];
  const images: Float64Array[] = [];
  const normals = draws.at(0);
  let next: Float64Array = mode.x.map(() => normals.normal());
  while (basis.length < Math.min(d, PROBES)) {
    const length = Math.sqrt(dot(next, next));
    // Twice, because one pass leaves errors of rounding.
    for (const q of [...basis, ...basis]) {
      const along = dot(q, next);
      next = next.map((value, i) => value - along * q[i]);
    }
    const rest = Math.sqrt(dot(next, next));
    if (!(rest > DEPENDENT * length)) break;
    basis.push(next.map((value) => value / rest));
    images.push(product(evaluate, mode, curvature, scale, basis[basis.length - 1]));
    next = images[images.length - 1].slice();
  }
  const n = basis.length;
  const projected = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) projected[i * n + j] = (dot(basis[i], images[j]) + dot(basis[j], images[i])) / 2;
  const values = new Float64Array(n);
  return symmetricEigen(n, projected, values, new Float64Array(n * n)) ? values[0] : 0;
}

/** D^½ H D^½ q, from the gradient at a point near the mode. */
function product(evaluate: Evaluate, mode: Mode, curvature: Float64Array, scale: Float64Array, q: Float64Array): Float64Array {
  const direction = q.map((value, i) => value * Math.sqrt(scale[i]));
  const furthest = direction.reduce((most, value, i) => Math.max(most, Math.abs(value) * Math.sqrt(curvature[i])), 0);
  const step = DISTANCE / (furthest || 1);
  const gradient = new Float64Array(q.length);
  evaluate(
    mode.x.map((value, i) => value + step * direction[i]),
    gradient,
  );
  mode.evaluations++;
  return gradient.map((value, i) => (Math.sqrt(scale[i]) * (mode.gradient[i] - value)) / step);
}

/** Number of updates in which a deviation along the slowest direction shrinks by 1/e: from 1 to MOST. */
export function relaxationUpdates(
  { kind }: Pick<StochasticRule, "kind">,
  h: number,
  curvature: number,
  friction: number,
): number {
  const w = h * curvature;
  const langevin = kind === field.STOCHASTIC_LANGEVIN || kind === field.STOCHASTIC_PRECONDITIONED;
  const r = langevin ? Math.abs(1 - w) : largestRoot(2 - friction - w, 1 - friction);
  if (!(w > 0) || !(r < 1)) return MOST;
  return Math.max(1, Math.min(MOST, Math.ceil(-1 / log(r))));
}

/** The larger modulus of the roots of z² − t z + p. */
function largestRoot(t: number, p: number): number {
  const quarter = t ** 2 / 4 - p;
  return quarter < 0 ? Math.sqrt(p) : Math.abs(t / 2) + Math.sqrt(quarter);
}
