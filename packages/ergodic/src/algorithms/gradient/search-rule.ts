/**
 * Search rules: rules that choose the size of a step by the loss of the *same* batch (and the same randomness) at trial points.
 *
 * Such a rule is data: kernels/search.ts makes the search, inside the loop that owns the batch. α starts at `initial`; each update first takes
 * α · growth^(1/updates an epoch), then shrinks it by `shrink` until f_B(p − α g) ≤ f_B(p) − c α ‖g‖², at most `maxTrials` times; after that
 * a step of `fallback` is made.
 */
import type { StatedCost } from "./host-rule.ts";
import type { RuleBase } from "./rule.ts";

export interface SearchOptions {
  c: number;
  shrink: number;
  initial: number;
  growth: number;
  maxTrials: number;
  fallback: number;
}

export interface SearchRule extends RuleBase {
  readonly kind: "search";
  readonly options: RuleBase["options"] & Readonly<SearchOptions>;
  readonly cost: StatedCost;
}
