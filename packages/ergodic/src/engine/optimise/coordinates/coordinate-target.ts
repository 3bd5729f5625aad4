/**
 * A target for coordinate descent: F(x) = f(x) + Σ_j (l1_j |x_j| + l2_j/2 x_j²) over lower_j <= x_j <= upper_j, where f
 * is smooth. The target's functions must not change x.
 */

export interface CoordinateTargetOptions {
  /** Number of coordinates of x. A whole number, 1 to 2³¹. */
  dimension: number;
  /** Returns f(x), which is minimised. */
  value(x: Float64Array, residual: Float64Array): number;
  /** Returns ∂f/∂x_j. Default: central differences of `value`. */
  partial?(x: Float64Array, j: number, residual: Float64Array): number;
  /**
   * Upper bounds L_j >= ∂²f/∂x_j², > 0: a list with one bound per coordinate, or a function of j. The bounds are
   * required for steps of size 1/L and for importance sampling.
   */
  curvature?: ((j: number) => number) | ArrayLike<number>;
  /**
   * Whether `curvature` is not only a bound but equals ∂²f/∂x_j² everywhere. Minima along a coordinate then have a
   * closed form. Default false.
   */
  quadratic?: boolean;
  /** Returns ∂²f/∂x_j², for Newton's method along a coordinate. Default: none. */
  secondPartial?(x: Float64Array, j: number, residual: Float64Array): number;
  /**
   * Returns the x_j that minimises F while all other coordinates are fixed. If given, no search is needed. The result
   * is clipped to the bounds.
   */
  minimiser?(x: Float64Array, j: number, residual: Float64Array): number;
  /**
   * Computes a residual from x, which makes partial derivatives cheap. All other functions receive the residual as
   * their last argument. Requires `moved`.
   */
  residual?(x: Float64Array): Float64Array;
  /** Updates the residual in place, after x_j has changed by delta. */
  moved?(x: Float64Array, j: number, delta: number, residual: Float64Array): void;
  /** Number of rows over which f is a mean. Required for `estimate`, together with `rowPartial`. */
  rows?: number;
  /** Returns the partial derivative ∂/∂x_j of a single row's term of f. */
  rowPartial?(x: Float64Array, j: number, row: number, residual: Float64Array): number;
  /** Strength of the penalty |x_j|: one number, or one per coordinate. Default 0; >= 0. */
  l1?: number | ArrayLike<number>;
  /** Strength of the penalty x_j²/2: one number, or one per coordinate. Default 0; >= 0. */
  l2?: number | ArrayLike<number>;
  /** Lower bound of x_j: one number, or one per coordinate. Default -Infinity. */
  lower?: number | ArrayLike<number>;
  /** Upper bound of x_j: one number, or one per coordinate. Default Infinity. */
  upper?: number | ArrayLike<number>;
}

/**
 * A target for coordinate descent whose options have been checked, as made by `coordinateTarget`. Options given as one
 * number are expanded to all coordinates.
 */
export interface CoordinateTarget
  extends Omit<CoordinateTargetOptions, "partial" | "curvature" | "l1" | "l2" | "lower" | "upper"> {
  /** Tag that distinguishes targets from plain functions. */
  readonly kind: "coordinateTarget";
  /** Returns ∂f/∂x_j. If the user gave no derivative, it is computed by central differences. */
  partial(x: Float64Array, j: number, residual: Float64Array): number;
  /** L_j by coordinate; undefined if unknown. */
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
