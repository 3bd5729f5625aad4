/** Capability: Hessian of the loss. */

/**
 * Capability: the mean loss without penalties, its gradient and its Hessian. The Hessian is block diagonal: the
 * parameters form parts, and there is no curvature between different parts.
 */
export interface Curvature {
  /**
   * Binds the loss to memory, after loading its code if necessary.
   * @throws CapabilityError if this loss has no Hessian
   */
  bind(): Promise<CurvatureBinding>;
}

/**
 * Loss, gradient and Hessian of one part. Only the Hessian's lower triangle is stored. The starts of successive rows
 * are `width` numbers apart. The arrays are only valid until the next evaluation.
 */
export interface Curved {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}

/** The loss and its Hessian, bound to memory. Long computations yield every few milliseconds. */
export interface CurvatureBinding {
  /** Diagonal blocks of the Hessian, as consecutive ranges of parameters. */
  readonly parts: readonly { readonly first: number; readonly count: number }[];
  /** Distance between rows of a Hessian, at least the size of the largest part. */
  readonly width: number;
  /**
   * Returns the mean loss at x. The mean loss covers all parts. Intermediate results are cached, so that a call of `at`
   * with the same x can reuse them. The cache does not change any bits.
   */
  value(x: Float64Array): Generator<void, number>;
  /** Returns part k's contribution to the mean loss at x, with the gradient and Hessian of this contribution. */
  at(x: Float64Array, k: number): Generator<void, Curved>;
  /** Frees the memory. */
  dispose(): void;
}
