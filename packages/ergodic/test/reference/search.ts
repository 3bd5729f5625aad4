/**
 * Plain twin of kernels/engine/optimise/search.ts: a stochastic Armijo search, driven by a function that returns the
 * batch's loss at p − stepSize · g.
 */
import type { SearchRule } from "../../src/engine/optimise/kinds.ts";

export interface SearchOutcome {
  stepSize: number;
  /** Number of batch losses that were computed in addition to the one that came with the gradient. */
  trials: number;
  accepted: boolean;
}

/** `last`: step size of the previous update, or undefined at the start. */
export function search(
  { options }: SearchRule,
  last: number | undefined,
  at: { loss: number; squaredNorm: number; epochUpdates: number },
  trialLoss: (stepSize: number) => number,
): SearchOutcome {
  const { c, shrink, initial, growth, maxTrials, fallback } = options;
  let stepSize = (last ?? initial) * growth ** (1 / at.epochUpdates);
  for (let trials = 1; trials <= maxTrials; trials++) {
    if (trialLoss(stepSize) <= at.loss - c * stepSize * at.squaredNorm) return { stepSize, trials, accepted: true };
    stepSize *= shrink;
  }
  return { stepSize: fallback, trials: maxTrials, accepted: false };
}
