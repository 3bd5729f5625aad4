import { betaQuantile } from "../../../engine/numbers/beta-quantile.ts";

/** |T| is above it with probability `missed`: ν/(ν + T²) has a beta distribution of ν/2 and ½. */
export function studentQuantile(missed: number, degrees: number): number {
  const x = betaQuantile(missed, degrees / 2, 0.5);
  return Math.sqrt((degrees * (1 - x)) / x);
}
