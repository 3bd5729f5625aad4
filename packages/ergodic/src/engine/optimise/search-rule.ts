/**
 * Search rules choose a step size by comparing losses at trial points. All losses are computed on the *same* batch with
 * the same random draws.
 *
 * Such a rule is data: kernels/engine/optimise/search.ts makes the search, inside the loop that owns the batch. α
 * starts at `initial`. At the start of each update, α is multiplied by growth^(1/updates per epoch). The search then
 * multiplies α by `shrink`, at most `maxTrials` times, until f_B(p − α g) ≤ f_B(p) − c α ‖g‖². If no trial satisfies
 * this condition, α is set to `fallback`.
 */

import { OptionError } from "../errors/errors.ts";
import type { SearchRule } from "./kinds.ts";

/** Refuses a search rule with a function of its own, because the function would never be called. */
export function refuseOwnFunctions(rule: SearchRule): void {
  const own = Object.entries(rule).find(([key, value]) => typeof value === "function" && key !== "toJSON");
  if (!own) return;
  throw new OptionError(
    "fit",
    `${rule.name} carries a function, ${own[0]}, but a search rule is data: its options alone say how to search; leave ${own[0]} out, or write a rule() for steps of your own`,
    "RULE_SEARCH",
  );
}
