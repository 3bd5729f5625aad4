/** Samplers, the types that they share, and their registry. */
export * from "./all.ts";
export { ChainDraws } from "./chain-draws.ts";
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
export type { DualAveragingOptions } from "./hamiltonian/dual-averaging.ts";
export type { MetricKind } from "./hamiltonian/metric.ts";
export { type WindowOptions, warmupWindows } from "./hamiltonian/windows.ts";
export type { Proposal, Propose } from "./metropolis/proposal-run.ts";
export { samplerFromJson, samplerNames, samplerRegistry } from "./registry.ts";
export type {
  GivenOptions,
  Sampler,
  SamplerDeclaration,
  SamplerFactory,
  SamplerFamily,
  Sampling,
  SamplingPlan,
  VisitedPlace,
} from "./sampler.ts";
export { checkGivenOptions } from "./sampler.ts";
export type { EstimateOptions } from "./stochastic-gradient/estimate.ts";
export type { CycleOptions, ScheduleOptions, StepDecay } from "./stochastic-gradient/schedule.ts";
