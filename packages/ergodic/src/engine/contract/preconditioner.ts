/** Capability: a change of variables that makes the curvature of an objective nearly equal in all directions. */

/** Capability: variables in which descent on the whole objective converges in few steps. */
export interface Preconditioner {
  /** Measures the data once, after loading the code if necessary. */
  bind(): Promise<ChangeOfVariables>;
}

/**
 * Linear change of variables p = A u, where p are the model's parameters. The objective and its minimum remain the
 * same: a method that minimises f(A u) over u minimises f over p.
 */
export interface ChangeOfVariables {
  /** Writes p = A u to `p`. Leaves the padding of p unchanged. */
  toParameters(u: Float64Array, p: Float64Array): void;
  /** Returns u such that A u has the same objective as p, or a lower one. */
  fromParameters(p: Float64Array): Float64Array;
  /** Replaces a gradient g with respect to p by Aᵀ g, the gradient with respect to u. */
  toGradient(g: Float64Array): void;
}
