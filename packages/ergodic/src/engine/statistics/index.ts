/** Diagnostics and summaries of draws: convergence, effective sizes, Monte Carlo errors, predictive accuracy. */
export { autocorrelation, autocovariance } from "./autocorrelation.ts";
export { effectiveSize, essBulk, essMean, essQuantile, essSd, essTail } from "./effective-size.ts";
export { ebfmi } from "./energy.ts";
export { fitGeneralisedPareto, type GeneralisedPareto, generalisedParetoQuantile } from "./generalised-pareto.ts";
export { type LooOptions, type LooResult, psisLoo } from "./loo.ts";
export { mcseMean, mcseQuantile, mcseSd } from "./monte-carlo-error.ts";
export { paretoKhat } from "./pareto-khat.ts";
export type { Estimate } from "./pointwise.ts";
export { type PsisOptions, type PsisResult, paretoKThreshold, psis } from "./psis.ts";
export { median, quantile, quantiles } from "./quantile.ts";
export { rankNormalise } from "./rank-normal.ts";
export { basicRhat, rhat } from "./rhat.ts";
export {
  HEAVY_MEAN,
  HEAVY_SD,
  type SummaryOptions,
  summary,
  summaryRow,
  summaryStages,
  type VariableSummary,
} from "./summary.ts";
export { type WaicResult, waic } from "./waic.ts";
