/**
 * Search rules: rules that choose the size of a step by the loss of the *same* batch (and the same randomness) at trial points.
 *
 * Such a rule is data: kernels/engine/optimise/search.ts makes the search, inside the loop that owns the batch. α starts at `initial`; each update first takes
 * α · growth^(1/updates an epoch), then shrinks it by `shrink` until f_B(p − α g) ≤ f_B(p) − c α ‖g‖², at most `maxTrials` times; after that
 * a step of `fallback` is made.
 */

import { OptionError } from "../errors/errors.ts";
import type { SearchRule } from "./kinds.ts";

/** A function of its own would never be called, and so a rule that carries one is not what its author takes it for. */
export function refuseOwnFunctions(rule: SearchRule): void {
  const own = Object.entries(rule).find(([key, value]) => typeof value === "function" && key !== "toJSON");
  if (!own) return;
  throw new OptionError(
    "fit",
    `${rule.name} carries a function, ${own[0]}, but a search rule is data: its options alone say how to search; leave ${own[0]} out, or write a rule() for steps of your own`,
    "RULE_SEARCH",
  );
}
