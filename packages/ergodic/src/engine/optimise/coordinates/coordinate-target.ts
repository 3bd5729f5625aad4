/**
 * A target for coordinate descent: F(x) = f(x) + Σ_j (l1_j |x_j| + l2_j/2 x_j²) over lower_j <= x_j <= upper_j, f smooth. Its
 * functions must not change x.
 */

export interface CoordinateTargetOptions {
  /** Numbers in x. A whole number, 1 to 2³¹. */
  dimension: number;
  /** f(x), which is minimised. */
  value(x: Float64Array, residual: Float64Array): number;
  /** ∂f/∂x_j. Default: central differences of `value`. */
  partial?(x: Float64Array, j: number, residual: Float64Array): number;
  /** L_j >= ∂²f/∂x_j², > 0: by coordinate, or a function of j. Steps of 1/L and picks by importance need it. */
  curvature?: ((j: number) => number) | ArrayLike<number>;
  /** Whether `curvature` equals ∂²f/∂x_j² everywhere, so that minima along a coordinate have a closed form. Default false. */
  quadratic?: boolean;
  /** ∂²f/∂x_j², for Newton's method along a coordinate. Default: none. */
  secondPartial?(x: Float64Array, j: number, residual: Float64Array): number;
  /** The x_j that minimises F with all other coordinates held; replaces any search. Bounds are applied to it. */
  minimiser?(x: Float64Array, j: number, residual: Float64Array): number;
  /**
   * Computes whatever makes partial derivatives cheap (residuals, say) from x. All functions receive it as their last argument.
   * Needs `moved`.
   */
  residual?(x: Float64Array): Float64Array;
  /** x_j has just moved by delta: changes the residual in place. */
  moved?(x: Float64Array, j: number, delta: number, residual: Float64Array): void;
  /** f is the mean over this many rows; needed for `estimate`, together with `rowPartial`. */
  rows?: number;
  /** The partial derivative ∂/∂x_j of one row's term of f. */
  rowPartial?(x: Float64Array, j: number, row: number, residual: Float64Array): number;
  /** Strength of the penalty |x_j|: one number, or one for each coordinate. Default 0; >= 0. */
  l1?: number | ArrayLike<number>;
  /** Strength of the penalty x_j²/2: one number, or one for each coordinate. Default 0; >= 0. */
  l2?: number | ArrayLike<number>;
  /** Lower bound of x_j: one number, or one for each coordinate. Default -Infinity. */
  lower?: number | ArrayLike<number>;
  /** Upper bound of x_j: one number, or one for each coordinate. Default Infinity. */
  upper?: number | ArrayLike<number>;
}

/**
 * A checked target for coordinate descent, as `coordinateTarget` makes it: options given as one number are spread over all
 * coordinates.
 */
export interface CoordinateTarget
  extends Omit<CoordinateTargetOptions, "partial" | "curvature" | "l1" | "l2" | "lower" | "upper"> {
  /** Tells targets from plain functions. */
  readonly kind: "coordinateTarget";
  /** ∂f/∂x_j; by central differences where none was given. */
  partial(x: Float64Array, j: number, residual: Float64Array): number;
  /** L_j by coordinate; undefined where not known. */
  curvature: Float64Array | undefined;
  /** Strengths of |x_j|, by coordinate. */
  l1: Float64Array;
  /** Strengths of x_j²/2, by coordinate. */
  l2: Float64Array;
  /** Lower bounds, by coordinate. */
  lower: Float64Array;
  /** Upper bounds, by coordinate. */
  upper: Float64Array;
}
