import type { Certificate } from "../../engine/contract/index.ts";
import { psis } from "../../engine/statistics/psis.ts";
import type { WeightSums } from "./weight-sums.ts";

/** Weights of the draws from one proposal. */
export interface Weighed {
  readonly sums: WeightSums;
  /** First log weights, for k̂. */
  readonly logWeights: readonly number[];
}

/** Number of standard errors beyond which two proposals disagree. */
const APART = 5;
/** Smallest effective sample size at which k̂ is meaningful. */
const LEAST_SIZE = 200;

/** Returns k̂ and the effective sample size of the chosen proposal if both proposals have a good k̂ and agree. */
export function judged(arms: readonly Weighed[], chosen: number): Certificate | undefined {
  if (arms.some(({ sums }) => sums.effectiveSize < LEAST_SIZE)) return undefined;
  const found = arms.map(({ logWeights }) => psis(Float64Array.from(logWeights)));
  if (found.some(({ paretoK, threshold }) => !(paretoK <= threshold))) return undefined;
  const [a, b] = arms.map(({ sums }) => ({ value: sums.total(0.5).value, error: sums.relativeError }));
  if (Math.abs(a.value - b.value) > APART * Math.sqrt(a.error * a.error + b.error * b.error)) return undefined;
  return { khat: found[chosen].paretoK, ess: arms[chosen].sums.effectiveSize };
}
