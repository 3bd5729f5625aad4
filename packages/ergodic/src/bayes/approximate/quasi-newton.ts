import { dot, largest } from "../../engine/optimise/dense.ts";
import { along, made, strongWolfe } from "../../engine/optimise/wolfe.ts";
import { InverseCurvature, nextDiagonal } from "./inverse-curvature.ts";
import type { Kept } from "./kept.ts";

/** Function that returns f(x), or ∞ outside its domain, and writes the gradient unless null. */
export type Minimised = (x: Float64Array, gradient: Float64Array | null) => number;

export interface Tolerances {
  /** Largest |Δf| that counts as converged. Default 1e-12; >= 0. */
  objectiveTolerance: number;
  /** Largest |Δf|/max(|f|, ε) that counts as converged, in units of ε = 2^-52. Default 1e4; >= 0. */
  relativeObjectiveTolerance: number;
  /** Largest gradient norm that counts as converged. Default 1e-8; >= 0. */
  gradientTolerance: number;
  /** Largest ∇fᵀH∇f/max(|f|, ε) that counts as converged, in units of ε = 2^-52. Default 10; >= 0. */
  relativeGradientTolerance: number;
  /** Largest ‖Δx‖ that counts as converged. Default 1e-8; >= 0. */
  parameterTolerance: number;
}

export interface QuasiNewtonOptions extends Tolerances {
  /** Number of pairs of steps and gradient changes that L-BFGS stores. Default 10; a whole number, 1 to 1000. */
  history: number;
  /** First trial step along −∇f, > 0. Default 1e-3. */
  firstStep: number;
}

export const quasiNewtonDefaults: Readonly<QuasiNewtonOptions> = {
  history: 10,
  firstStep: 1e-3,
  objectiveTolerance: 1e-12,
  relativeObjectiveTolerance: 1e4,
  gradientTolerance: 1e-8,
  relativeGradientTolerance: 10,
  parameterTolerance: 1e-8,
};

const LEAST_CURVATURE = 1e-12;
const EPSILON = 2 ** -52;
/**
 * Number of successive iterates within a tolerance after which the search ends. A single small step does not prove
 * convergence in a narrow valley.
 */
const PATIENCE = 3;

/**
 * L-BFGS on a function in memory. The result includes the estimated curvature. A step is x ← x − t H ∇f(x), where a
 * strong Wolfe search, which starts at t = 1, finds t.
 *
 * H: the estimate of inverse-curvature.ts from the last `history` pairs, and a diagonal α that is updated by all pairs.
 * The first direction is −∇f. The first trial step is either `firstStep` or a move of length 1, whichever is shorter. A
 * pair s = Δx, y = Δ∇f is stored if yᵀs > 1e-12 yᵀy. If H gives no descent direction, it is reset. If the reset H gives
 * no descent direction either, the search ends. f(x) = ∞ outside the support makes the line search turn back.
 *
 * Ends when ‖∇f‖ is within `gradientTolerance`, or at the third successive iterate within any of four tolerances: |Δf|
 * (`objectiveTolerance`); |Δf|/max(|f|, ε) (`relativeObjectiveTolerance`) and ∇fᵀH∇f/max(|f|, ε)
 * (`relativeGradientTolerance`) in units of ε = 2^-52; ‖Δx‖ (`parameterTolerance`).
 *
 * Source: Nocedal, Wright 2006; the diagonal: Gilbert, Lemaréchal 1989. The tolerances are Stan's, except that the
 * tolerance for ∇fᵀH∇f is 10 instead of 10⁷. If H contains only the directions of the walls of a narrow valley, ∇fᵀH∇f
 * is small everywhere in the valley.
 */
export class QuasiNewton {
  readonly state = {
    numbers: { loss: Number.NaN, iterations: 0, fresh: 1, still: 0 },
    arrays: {
      x: [] as Float64Array[],
      gradient: [] as Float64Array[],
      alpha: [] as Float64Array[],
      s: [] as Float64Array[],
      y: [] as Float64Array[],
    },
  } satisfies Kept;
  private readonly f: Minimised;
  private readonly options: QuasiNewtonOptions;

  constructor(f: Minimised, options: QuasiNewtonOptions = quasiNewtonDefaults) {
    this.f = f;
    this.options = options;
  }

  start(x: Float64Array): void {
    const { numbers, arrays } = this.state;
    const gradient = new Float64Array(x.length);
    numbers.loss = this.f(x, gradient);
    arrays.x[0] = x.slice();
    arrays.gradient[0] = gradient;
    this.forget();
  }

  get x(): Float64Array {
    return this.state.arrays.x[0];
  }

  get gradient(): Float64Array {
    return this.state.arrays.gradient[0];
  }

  get loss(): number {
    return this.state.numbers.loss;
  }

  get curvature(): InverseCurvature {
    const { alpha, s, y } = this.state.arrays;
    return new InverseCurvature(alpha[0], s, y);
  }

  /** Makes one move. Returns true once no further move is needed. */
  step(): boolean {
    const { numbers, arrays } = this.state;
    const { x, gradient, loss } = this;
    if (!gradient.every(Number.isFinite) || Math.sqrt(dot(gradient, gradient)) <= this.options.gradientTolerance) return true;
    const direction = this.curvature.times(gradient).map((v) => -v);
    const slope = dot(gradient, direction);
    if (!(slope < 0)) return this.forget();
    // The first move has a length of at most 1, because a slope of 10¹² at a random point says nothing about how far
    // the linearisation holds.
    const first = numbers.fresh ? Math.min(this.options.firstStep, 1 / Math.sqrt(-slope)) : 1;
    const from = { stepSize: 0, loss, slope, gradient };
    const { point } = made(along(x, direction, strongWolfe(from, first, largest(direction))), this.f);
    const moved = point.stepSize > 0 && point.loss < loss && point.gradient.every(Number.isFinite);
    if (!moved) return this.forget();
    const s = direction.map((v) => v * point.stepSize);
    const y = point.gradient.map((v, i) => v - gradient[i]);
    arrays.x[0] = x.map((v, i) => v + s[i]);
    arrays.gradient[0] = point.gradient;
    numbers.loss = point.loss;
    numbers.iterations++;
    this.remember(s, y);
    return this.stands(loss, s);
  }

  private remember(s: Float64Array, y: Float64Array): void {
    const { numbers, arrays } = this.state;
    if (!(dot(s, y) > LEAST_CURVATURE * dot(y, y))) return;
    numbers.fresh = 0;
    arrays.alpha[0] = nextDiagonal(arrays.alpha[0], s, y);
    if (arrays.s.length === this.options.history) {
      arrays.s.shift();
      arrays.y.shift();
    }
    arrays.s.push(s);
    arrays.y.push(y);
  }

  /** Resets the estimate of curvature. Returns true if the estimate already had its initial value. */
  private forget(): boolean {
    const { numbers, arrays } = this.state;
    const nothing = numbers.fresh === 1 && arrays.alpha.length > 0;
    arrays.alpha[0] = new Float64Array(arrays.x[0].length).fill(1);
    arrays.s.length = 0;
    arrays.y.length = 0;
    numbers.fresh = 1;
    return nothing;
  }

  private stands(before: number, s: Float64Array): boolean {
    const { loss, gradient, options } = this;
    const change = Math.abs(before - loss);
    const decrement = dot(gradient, this.curvature.times(gradient));
    const within =
      change <= options.objectiveTolerance ||
      change <= options.relativeObjectiveTolerance * EPSILON * Math.max(Math.abs(before), Math.abs(loss), EPSILON) ||
      decrement <= options.relativeGradientTolerance * EPSILON * Math.max(Math.abs(loss), EPSILON) ||
      Math.sqrt(dot(s, s)) <= options.parameterTolerance;
    this.state.numbers.still = within ? this.state.numbers.still + 1 : 0;
    return this.state.numbers.still >= PATIENCE;
  }
}
