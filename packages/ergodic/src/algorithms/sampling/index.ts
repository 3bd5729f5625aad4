/** What samplers share, and all that there are. */
export type { DualAveragingOptions } from "../mcmc/hamiltonian/dual-averaging.ts";
export { type HmcOptions, hmc } from "../mcmc/hamiltonian/hmc.ts";
export type { MetricKind } from "../mcmc/hamiltonian/metric.ts";
export { type AdaptationOptions, type NutsOptions, nuts } from "../mcmc/hamiltonian/nuts.ts";
export { type WindowOptions, warmupWindows } from "../mcmc/hamiltonian/windows.ts";
export { ChainDraws } from "./chain-draws.ts";
export { prior } from "./prior.ts";
export { samplerFromJson, samplerNames, samplerRegistry } from "./registry.ts";
export type { Sampler, Sampling, SamplingPlan } from "./sampler.ts";
