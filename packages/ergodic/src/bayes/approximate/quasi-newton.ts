import { dot, largest } from "../../engine/optimise/dense.ts";
import { along, made, strongWolfe } from "../../engine/optimise/wolfe.ts";
import { InverseCurvature, nextDiagonal } from "./inverse-curvature.ts";
import type { Kept } from "./kept.ts";

/** f(x), its gradient written unless null; ∞ where there is none. */
export type Minimised = (x: Float64Array, gradient: Float64Array | null) => number;

export interface Tolerances {
  /** Ends where |Δf| stays at most this. Default 1e-12; >= 0. */
  objectiveTolerance: number;
  /** Ends where |Δf|/max(|f|, ε) stays at most this, in units of ε = 2^-52. Default 1e4; >= 0. */
  relativeObjectiveTolerance: number;
  /** Ends where the gradient's norm is at most this. Default 1e-8; >= 0. */
  gradientTolerance: number;
  /** Ends where ∇fᵀH∇f/max(|f|, ε) stays at most this, in units of ε = 2^-52. Default 10; >= 0. */
  relativeGradientTolerance: number;
  /** Ends where ‖Δx‖ stays at most this. Default 1e-8; >= 0. */
  parameterTolerance: number;
}

export interface QuasiNewtonOptions extends Tolerances {
  /** Pairs of steps and gradient changes that L-BFGS keeps. Default 10; a whole number, 1 to 1000. */
  history: number;
  /** The first trial step along −∇f, > 0. Default 1e-3. */
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
/** Iterates in a row within a tolerance: along a narrow valley, one small step is no sign of an end. */
const PATIENCE = 3;

/**
 * L-BFGS on a function in memory, and the curvature it has seen: x ← x − t H ∇f(x), t by a strong Wolfe search from 1.
 *
 * H: the estimate of inverse-curvature.ts from the last `history` pairs, on a diagonal α that learns from all. The first
 * direction is −∇f and its first trial `firstStep`, or a unit move where that is shorter. A pair s = Δx, y = Δ∇f is kept where
 * yᵀs > 1e-12 yᵀy. Where H no longer descends it is forgotten once, then the search ends. f(x) = ∞ outside the support: the
 * line search turns back. Ends where ‖∇f‖ is within its tolerance, or at the third iterate in a row that is within any of four:
 * |Δf|; |Δf|/max(|f|, ε) and ∇fᵀH∇f/max(|f|, ε) in units of ε = 2^-52; ‖Δx‖. Source: Nocedal, Wright 2006; the diagonal:
 * Gilbert, Lemaréchal 1989. The tolerances are Stan's but for ∇fᵀH∇f: 10 for 10⁷, as an H that knows a narrow valley's walls
 * alone makes that number small anywhere.
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

  /** One move; true once no further one is wanted. */
  step(): boolean {
    const { numbers, arrays } = this.state;
    const { x, gradient, loss } = this;
    if (!gradient.every(Number.isFinite) || Math.sqrt(dot(gradient, gradient)) <= this.options.gradientTolerance) return true;
    const direction = this.curvature.times(gradient).map((v) => -v);
    const slope = dot(gradient, direction);
    if (!(slope < 0)) return this.forget();
    // A unit move at the most: a slope of 10¹² at a random point says nothing about how far its tangent holds.
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

  /** True if there was nothing to forget. */
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
