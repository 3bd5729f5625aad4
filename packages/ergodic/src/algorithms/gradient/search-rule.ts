/**
 * Search rules: rules that choose the size of a step by the loss of the *same* batch (and the same randomness) at trial points.
 *
 * The loop that owns the batch drives the search; the rule is pure functions of numbers, and its state is numbers:
 *   stepSize = first(state, epochUpdates)
 *   until accepts({ loss, trialLoss, squaredNorm, stepSize }): stepSize = shrink(stepSize), at most maxTrials times
 *   state = settle(state, stepSize or fallback)
 * where trialLoss = loss of the batch at p − stepSize · g and squaredNorm = ‖g‖².
 */
import type { StatedCost } from "./host-rule.ts";
import type { RuleBase } from "./rule.ts";

export type SearchState = Readonly<Record<string, number>>;

export interface SearchTrial {
  loss: number;
  trialLoss: number;
  squaredNorm: number;
  stepSize: number;
}

export interface SearchRule extends RuleBase {
  readonly kind: "search";
  /** What the loop must offer. */
  readonly needs: "lossOfSameBatch";
  readonly cost: StatedCost;
  readonly maxTrials: number;
  /** The step size taken when every trial failed. */
  readonly fallback: number;
  start(): SearchState;
  first(state: SearchState, epochUpdates: number): number;
  accepts(trial: SearchTrial): boolean;
  shrink(stepSize: number): number;
  settle(state: SearchState, stepSize: number): SearchState;
}

export interface SearchOutcome {
  stepSize: number;
  /** Losses of the batch that were computed beside the one that came with the gradient. */
  trials: number;
  accepted: boolean;
  state: SearchState;
}

/** Drives a search with a function that gives the batch's loss at p − stepSize · g. */
export function search(
  rule: SearchRule,
  state: SearchState,
  at: { loss: number; squaredNorm: number; epochUpdates: number },
  trialLoss: (stepSize: number) => number,
): SearchOutcome {
  let stepSize = rule.first(state, at.epochUpdates);
  for (let trials = 1; trials <= rule.maxTrials; trials++) {
    const trial = { loss: at.loss, trialLoss: trialLoss(stepSize), squaredNorm: at.squaredNorm, stepSize };
    if (rule.accepts(trial)) return { stepSize, trials, accepted: true, state: rule.settle(state, stepSize) };
    stepSize = rule.shrink(stepSize);
  }
  return { stepSize: rule.fallback, trials: rule.maxTrials, accepted: false, state: rule.settle(state, rule.fallback) };
}
