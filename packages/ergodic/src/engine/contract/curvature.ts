/** Capability: the Hessian. */

/** Capability: the mean loss, penalties apart, with its gradient and Hessian, where parameters fall into parts that share no curvature. */
export interface Curvature {
  /** Memory, and what fills it, which may be loaded first. @throws CapabilityError where this loss has no Hessian */
  bind(): Promise<CurvatureBinding>;
}

/** Of parameters that share curvature: the loss, its gradient, and the lower triangle of its Hessian, rows `width` numbers apart. To be read at once. */
export interface Curved {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}

/** The loss and its Hessian, bound to memory. What takes long yields every few milliseconds. */
export interface CurvatureBinding {
  /** Parameters that share curvature, side by side. */
  readonly parts: readonly { readonly first: number; readonly count: number }[];
  /** Of a Hessian's rows; at least the largest part's count. */
  readonly width: number;
  /** The mean loss at x, of all parts. What it has found out is kept for `at` of the same x, to the same bits. */
  value(x: Float64Array): Generator<void, number>;
  /** Part k's share of the mean loss at x, its gradient, and its Hessian. */
  at(x: Float64Array, k: number): Generator<void, Curved>;
  /** Gives memory back. */
  dispose(): void;
}
