/** Exports of all transforms from unconstrained numbers, as an explicit list. */
export { angle } from "./angle.ts";
export { interval, lower, positive, unbounded, upper } from "./bounds.ts";
export { correlationCholesky, covarianceCholesky } from "./cholesky-factors.ts";
export { transformFor } from "./for-support.ts";
export { integers } from "./integers.ts";
export { ordered, positiveOrdered } from "./ordered.ts";
export { simplex } from "./simplex.ts";
export type { Constrained, Transform } from "./transform.ts";
export { unitVector } from "./unit-vector.ts";
