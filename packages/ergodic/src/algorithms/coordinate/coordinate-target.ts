/** What a user's own target for coordinate descent is (target.ts checks one). */

export interface CoordinateTargetOptions {
  dimension: number;
  value(x: Float64Array, residual: Float64Array): number;
  partial?(x: Float64Array, j: number, residual: Float64Array): number;
  curvature?: ((j: number) => number) | ArrayLike<number>;
  quadratic?: boolean;
  secondPartial?(x: Float64Array, j: number, residual: Float64Array): number;
  minimiser?(x: Float64Array, j: number, residual: Float64Array): number;
  residual?(x: Float64Array): Float64Array;
  /** x_j has just moved by delta: changes the residual in place. */
  moved?(x: Float64Array, j: number, delta: number, residual: Float64Array): void;
  rows?: number;
  rowPartial?(x: Float64Array, j: number, row: number, residual: Float64Array): number;
  l1?: number | ArrayLike<number>;
  l2?: number | ArrayLike<number>;
  lower?: number | ArrayLike<number>;
  upper?: number | ArrayLike<number>;
}

/** Options checked, and one number a coordinate where there was one for all. */
export interface CoordinateTarget
  extends Omit<CoordinateTargetOptions, "partial" | "curvature" | "l1" | "l2" | "lower" | "upper"> {
  readonly kind: "coordinateTarget";
  partial(x: Float64Array, j: number, residual: Float64Array): number;
  curvature: Float64Array | undefined;
  l1: Float64Array;
  l2: Float64Array;
  lower: Float64Array;
  upper: Float64Array;
}
