/** `ergodic/distributions`: distributions of parameters and observations. */
import "../bayes/at-start.ts"; // left out by bundlers

export * from "../bayes/distributions/all.ts";
export { distribution } from "../bayes/distributions/distribution.ts";
export { type DistributionRow, distributionLedger } from "../bayes/distributions/ledger.ts";
export { Distribution } from "../bayes/distributions/value.ts";
