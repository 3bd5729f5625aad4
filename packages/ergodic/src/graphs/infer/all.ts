/**
 * Exports every algorithm of `infer`, one per line. The registry, the public entry point and the conformance tests read
 * this list.
 */
export { type ImportanceSamplingOptions, importanceSampling } from "../bounds/importance-sampling.ts";
export { type MiniBucketsOptions, miniBuckets } from "../bounds/mini-buckets.ts";
export { type EliminationOptions, elimination } from "../exact/elimination.ts";
export { type LoopyBeliefPropagationOptions, loopyBeliefPropagation } from "../exact/loopy-belief-propagation.ts";
export { type NaiveMeanFieldOptions, naiveMeanField } from "../exact/naive-mean-field.ts";
export {
  type AnnealedImportanceSamplingOptions,
  annealedImportanceSampling,
} from "../sampling/ensembles/annealed-importance-sampling.ts";
export { type GraphLadderOptions, graphTempering } from "../sampling/ensembles/graph-tempering.ts";
export { type GraphGibbsOptions, graphGibbs } from "../sampling/gibbs/graph-gibbs.ts";
export { type ReplicaGibbsOptions, replicaGibbs } from "../sampling/replicas/replica-gibbs.ts";
export { type GraphAnnealingOptions, graphAnnealing } from "../search/graph-annealing.ts";
export { type IteratedConditionalModesOptions, iteratedConditionalModes } from "../search/iterated-conditional-modes.ts";
export { automatic } from "./automatic.ts";
