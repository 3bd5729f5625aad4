/** Samplers of a log density, and what they draw. */
export { Draws, type TransitionField, transitionFields } from "./draws.ts";
export type { DualAveragingOptions } from "./dual-averaging.ts";
export { type HmcOptions, hmc } from "./hmc.ts";
export type { MetricKind } from "./metric.ts";
export { type AdaptationOptions, type NutsOptions, nuts } from "./nuts.ts";
export type { Sampler, Sampling, SamplingPlan } from "./sampler.ts";
export { type WindowOptions, warmupWindows } from "./windows.ts";
