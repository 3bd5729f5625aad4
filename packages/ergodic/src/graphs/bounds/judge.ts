import type { Certificate } from "../../engine/contract/index.ts";
import { psis } from "../../engine/statistics/psis.ts";
import type { WeightSums } from "./weight-sums.ts";

/** Weights of the draws from one proposal. */
export interface Weighed {
  readonly sums: WeightSums;
  /** ln of the first of them, for k̂. */
  readonly logWeights: readonly number[];
}

/** Beyond so many of their standard errors two proposals disagree. */
const APART = 5;
/** The least effective size with which k̂ says something. */
const LEAST_SIZE = 200;

/** k̂ and the effective size of the chosen one, if both proposals have a good k̂ and agree. */
export function judged(arms: readonly Weighed[], chosen: number): Certificate | undefined {
  if (arms.some(({ sums }) => sums.effectiveSize < LEAST_SIZE)) return undefined;
  const found = arms.map(({ logWeights }) => psis(Float64Array.from(logWeights)));
  if (found.some(({ paretoK, threshold }) => !(paretoK <= threshold))) return undefined;
  const [a, b] = arms.map(({ sums }) => ({ value: sums.total(0.5).value, error: sums.relativeError }));
  if (Math.abs(a.value - b.value) > APART * Math.sqrt(a.error * a.error + b.error * b.error)) return undefined;
  return { khat: found[chosen].paretoK, ess: arms[chosen].sums.effectiveSize };
}
