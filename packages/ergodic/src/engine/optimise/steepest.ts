/**
 * Shared code of searches along −∇f: the reason why they refuse a minibatch, and the report for a point without a
 * descent direction.
 */
import type { HostReport } from "./kinds.ts";

export const searchNeeds = (rowCount: number): string =>
  `a search over the whole objective costs ${rowCount.toLocaleString("en")} gradients, and a minibatch direction need not descend it; ` +
  "use stochasticLineSearch() or polyak() if the model can fit every row (interpolation); if it cannot, these never settle: " +
  "use sgd() with a decreasing rate, such as inverseTimeDecay() or optimalRate()";

export function stay(loss: number, squaredNorm: number, evaluations: number): HostReport {
  const stopped = squaredNorm === 0 ? "the gradient is 0" : `the gradient is not finite (squared norm ${squaredNorm})`;
  return { loss, stepSize: 0, evaluations, stopped };
}
