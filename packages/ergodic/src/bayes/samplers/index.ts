/** What samplers share, and all that there are. */

export { type AdviOptions, fullRank, meanField } from "../approximate/advi.ts";
export { type PathfinderOptions, pathfinder } from "../approximate/pathfinder.ts";
export { svgd } from "../approximate/svgd.ts";
export type { SvgdOptions } from "../approximate/svgd-options.ts";
export { ChainDraws } from "./base/chain-draws.ts";
export type { EstimateOptions } from "./base/gradient-estimate.ts";
export type { MetricKind } from "./base/metric.ts";
export type { GivenOptions, Sampler, Sampling, SamplingPlan, VisitedPlace } from "./base/sampler.ts";
export { checkGivenOptions } from "./base/sampler.ts";
export { type WindowOptions, warmupWindows } from "./base/windows.ts";
export {
  type BlockOptions,
  type BlockUpdate,
  type BlockValues,
  type Conditional,
  conjugate,
  type EnumerateOptions,
  enumerate,
  type GibbsBlocks,
  gibbs,
  type UpdateBy,
  type Values as GibbsValues,
} from "./gibbs/index.ts";
export type { DualAveragingOptions } from "./hamiltonian/dual-averaging.ts";
export { type HmcOptions, hmc } from "./hamiltonian/hmc.ts";
export { type MalaOptions, mala } from "./hamiltonian/mala.ts";
export { type AdaptationOptions, type NutsOptions, nuts } from "./hamiltonian/nuts.ts";
export { type IndependenceOptions, independence } from "./metropolis/independence.ts";
export { type MetropolisHastingsOptions, metropolisHastings } from "./metropolis/metropolis-hastings.ts";
export { type MetropolisWithinGibbsOptions, metropolisWithinGibbs } from "./metropolis/metropolis-within-gibbs.ts";
export type { Proposal, Propose } from "./metropolis/proposal-run.ts";
export { type RandomWalkOptions, randomWalk } from "./metropolis/random-walk.ts";
export { prior } from "./prior.ts";
export { samplerFromJson, samplerNames, samplerRegistry } from "./registry.ts";
export { type EllipticalSliceOptions, ellipticalSlice } from "./slice/elliptical-slice.ts";
export { type SliceOptions, slice } from "./slice/slice.ts";
export { type PsgldOptions, psgld } from "./stochastic-gradient/psgld.ts";
export { type SghmcOptions, sghmc } from "./stochastic-gradient/sghmc.ts";
export { type SgldOptions, sgld } from "./stochastic-gradient/sgld.ts";
export { type SgnhtOptions, sgnht } from "./stochastic-gradient/sgnht.ts";
export type { CycleOptions, ScheduleOptions, StepDecay } from "./stochastic-gradient/step-schedule.ts";
export {
  type ParallelTemperingOptions,
  parallelTempering,
  type SequentialMonteCarloOptions,
  sequentialMonteCarlo,
} from "./tempering/index.ts";
