import { exp } from "./exp.ts";
import { log } from "./log.ts";

/**
 * log Σ exp xᵢ. The largest term is factored out first, so that nothing overflows and the largest term is never lost.
 *
 * −∞ for no terms, or if all terms are −∞; ∞ if any term is ∞; NaN if any term is NaN.
 */
export function logSumExp(x: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i])) return Number.NaN;
    if (x[i] > largest) largest = x[i];
  }
  if (!Number.isFinite(largest)) return largest;
  let total = 0;
  for (let i = 0; i < x.length; i++) total += exp(x[i] - largest);
  return largest + log(total);
}
