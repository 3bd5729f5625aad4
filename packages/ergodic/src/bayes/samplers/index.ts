/** Samplers, the types that they share, and their registry. */
export * from "./all.ts";
export { ChainDraws } from "./base/chain-draws.ts";
export type { DualAveragingOptions } from "./base/dual-averaging.ts";
export type { EstimateOptions } from "./base/gradient-estimate.ts";
export type { MetricKind } from "./base/metric.ts";
export type {
  GivenOptions,
  Sampler,
  SamplerDeclaration,
  SamplerFactory,
  SamplerFamily,
  Sampling,
  SamplingPlan,
  VisitedPlace,
} from "./base/sampler.ts";
export { checkGivenOptions } from "./base/sampler.ts";
export { type WindowOptions, warmupWindows } from "./base/windows.ts";
export {
  type BlockUpdate,
  type BlockValues,
  type Conditional,
  conjugate,
  type EnumerateOptions,
  enumerate,
  type Values as GibbsValues,
} from "./gibbs/index.ts";
export type { AdaptationOptions } from "./hamiltonian/adaptation.ts";
export type { Proposal, Propose } from "./metropolis/proposal-run.ts";
export { samplerFromJson, samplerNames, samplerRegistry } from "./registry.ts";
export type { CycleOptions, ScheduleOptions, StepDecay } from "./stochastic-gradient/step-schedule.ts";
