/** Samplers by powers of the likelihood. */
export { type ParallelTemperingOptions, parallelTempering } from "./parallel-tempering.ts";
export { type SequentialMonteCarloOptions, sequentialMonteCarlo } from "./sequential-monte-carlo.ts";
