import { exp } from "./exp.ts";
import { log } from "./log.ts";

/**
 * log Σ exp xᵢ, with the largest taken out first, so that nothing overflows and the largest term is never lost.
 *
 * −∞ of no terms and of −∞ alone; ∞ if any term is; NaN if any term is.
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
