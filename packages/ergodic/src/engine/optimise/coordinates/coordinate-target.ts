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
   * L_j >= ∂²f/∂x_j², > 0: one per coordinate, or a function of j. Required for steps of size 1/L and for importance
   * sampling.
   */
  curvature?: ((j: number) => number) | ArrayLike<number>;
  /**
   * Whether `curvature` equals ∂²f/∂x_j² everywhere, so that minima along a coordinate have a closed form. Default
   * false.
   */
  quadratic?: boolean;
  /** Returns ∂²f/∂x_j², for Newton's method along a coordinate. Default: none. */
  secondPartial?(x: Float64Array, j: number, residual: Float64Array): number;
  /**
   * Returns the x_j that minimises F with all other coordinates fixed; it replaces any search. The result is clipped to
   * the bounds.
   */
  minimiser?(x: Float64Array, j: number, residual: Float64Array): number;
  /**
   * Computes a residual from x that makes partial derivatives cheap. All functions receive it as their last argument.
   * Requires `moved`.
   */
  residual?(x: Float64Array): Float64Array;
  /** Updates the residual in place after x_j has moved by delta. */
  moved?(x: Float64Array, j: number, delta: number, residual: Float64Array): void;
  /** Number of rows over which f is a mean; required for `estimate`, together with `rowPartial`. */
  rows?: number;
  /** Returns the partial derivative ∂/∂x_j of one row's term of f. */
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
 * A checked target for coordinate descent, as made by `coordinateTarget`. Options given as one number are expanded to
 * all coordinates.
 */
export interface CoordinateTarget
  extends Omit<CoordinateTargetOptions, "partial" | "curvature" | "l1" | "l2" | "lower" | "upper"> {
  /** Discriminates targets from plain functions. */
  readonly kind: "coordinateTarget";
  /** Returns ∂f/∂x_j, computed by central differences if the user gave no derivative. */
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
