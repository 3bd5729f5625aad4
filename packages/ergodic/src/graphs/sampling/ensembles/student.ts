import { betaQuantile } from "../../../engine/numbers/beta-quantile.ts";

/**
 * Returns the quantile that |T| exceeds with probability `missed`. ν/(ν + T²) has a beta distribution with parameters
 * ν/2 and ½.
 */
export function studentQuantile(missed: number, degrees: number): number {
  const x = betaQuantile(missed, degrees / 2, 0.5);
  return Math.sqrt((degrees * (1 - x)) / x);
}
