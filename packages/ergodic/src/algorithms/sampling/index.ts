/** What samplers share, and all that there are. */
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
} from "../gibbs/index.ts";
export type { DualAveragingOptions } from "../mcmc/hamiltonian/dual-averaging.ts";
export { type HmcOptions, hmc } from "../mcmc/hamiltonian/hmc.ts";
export type { MetricKind } from "../mcmc/hamiltonian/metric.ts";
export { type AdaptationOptions, type NutsOptions, nuts } from "../mcmc/hamiltonian/nuts.ts";
export { type WindowOptions, warmupWindows } from "../mcmc/hamiltonian/windows.ts";
export { type IndependenceOptions, independence } from "../mcmc/metropolis/independence.ts";
export { type MalaOptions, mala } from "../mcmc/metropolis/mala.ts";
export { type MetropolisHastingsOptions, metropolisHastings } from "../mcmc/metropolis/metropolis-hastings.ts";
export { type MetropolisWithinGibbsOptions, metropolisWithinGibbs } from "../mcmc/metropolis/metropolis-within-gibbs.ts";
export type { Proposal, Propose } from "../mcmc/metropolis/proposal-run.ts";
export { type RandomWalkOptions, randomWalk } from "../mcmc/metropolis/random-walk.ts";
export { type EllipticalSliceOptions, ellipticalSlice } from "../mcmc/slice/elliptical-slice.ts";
export { type SliceOptions, slice } from "../mcmc/slice/slice.ts";
export type { EstimateOptions } from "../mcmc/stochastic-gradient/estimate.ts";
export { type PsgldOptions, psgld } from "../mcmc/stochastic-gradient/psgld.ts";
export type { CycleOptions, ScheduleOptions, StepDecay } from "../mcmc/stochastic-gradient/schedule.ts";
export { type SghmcOptions, sghmc } from "../mcmc/stochastic-gradient/sghmc.ts";
export { type SgldOptions, sgld } from "../mcmc/stochastic-gradient/sgld.ts";
export { type SgnhtOptions, sgnht } from "../mcmc/stochastic-gradient/sgnht.ts";
export {
  type ParallelTemperingOptions,
  parallelTempering,
  type SequentialMonteCarloOptions,
  sequentialMonteCarlo,
} from "../mcmc/tempering/index.ts";
export { type AdviOptions, fullRank, meanField } from "../variational/advi.ts";
export { type PathfinderOptions, pathfinder } from "../variational/pathfinder.ts";
export { svgd } from "../variational/svgd.ts";
export type { SvgdOptions } from "../variational/svgd-options.ts";
export { ChainDraws } from "./chain-draws.ts";
export { prior } from "./prior.ts";
export { samplerFromJson, samplerNames, samplerRegistry } from "./registry.ts";
export type { GivenOptions, Sampler, Sampling, SamplingPlan, VisitedPlace } from "./sampler.ts";
export { checkGivenOptions } from "./sampler.ts";
