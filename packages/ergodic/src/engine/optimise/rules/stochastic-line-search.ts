import type { SearchRule } from "../kinds.ts";
import { definitionOf, optionsToJson, positive, resolve, share } from "../rule.ts";

const defaults = { c: 0.1, shrink: 0.9, initial: 1, growth: 2, maxTrials: 100, fallback: 1e-6 };
const ranges = {
  c: share,
  shrink: { low: 0, high: 0.999, open: true },
  initial: positive,
  growth: { low: 1 },
  maxTrials: { low: 1, integer: true },
  fallback: positive,
};

/**
 * Stochastic line search (SLS): p ← p − α g, with α found by backtracking on the loss of the *same* batch.
 *
 * α is accepted if f_i(p − α g) ≤ f_i(p) − c α ‖g‖² (Armijo); otherwise α ← `shrink` · α, at most `maxTrials` times,
 * then `fallback`. A step first tries the previous step's α times `growth`^(1/epochUpdates). The very first step tries
 * α = `initial`. State: one scalar. Each trial costs one more evaluation of the batch's loss, and a step typically
 * needs one or two trials. If the model can fit every row, the iterates converge as fast as gradient descent. Otherwise
 * they only reach a neighbourhood of the minimum. Source: Vaswani et al. 2019, with the constants of their code.
 * `c` in [0, 1] (0.1); shrink in (0, 0.999] (0.9); initial > 0 (1); `growth` >= 1 (2): the base of the first trial's
 * growth; maxTrials >= 1 (100); fallback > 0 (1e-6).
 *
 * @throws OptionError when an option is out of range
 */
export const stochasticLineSearch = Object.assign(
  (given: Partial<typeof defaults> = {}): SearchRule => {
    const options = resolve("stochasticLineSearch", defaults, given, ranges, false) as SearchRule["options"];
    return {
      kind: "search",
      name: "stochasticLineSearch",
      options,
      summary: "backtracking line search (Armijo) on the batch's loss",
      source: "Vaswani et al. 2019",
      cost: { floatsPerParameter: 0, perStep: "one or two more evaluations of the batch's loss" },
      toJSON: () => ({ rule: "stochasticLineSearch", options: optionsToJson(options) }),
    };
  },
  definitionOf("stochasticLineSearch", defaults, { ranges }),
);
