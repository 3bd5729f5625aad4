/** `ergodic/predict`: prediction only. The entry imports neither training code nor the compiler. */
import "../predict/at-start.ts"; // left out by bundlers

export { newLevels } from "../engine/data/new-levels.ts";
export type { Remark } from "../engine/data/table.ts";
export type { AnyPredictor } from "../predict/any-predictor.ts";
export type {
  BoltzmannMachine,
  BoltzmannSampling,
  LogPartition,
  LogPartitionOptions,
} from "../predict/boltzmann/boltzmann.ts";
export { loadBoltzmannMachine } from "../predict/boltzmann/load.ts";
export type { Machine } from "../predict/boltzmann/machine.ts";
export {
  type FactorMetrics,
  FactorPredictor,
  type Pair,
  type Rated,
  type Recommendation,
  type RecommendOptions,
} from "../predict/factorisation.ts";
export { LinearPredictor } from "../predict/linear.ts";
export { type PredictorOptions, predictor } from "../predict/load.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "../predict/metrics.ts";
export { NetworkPredictor } from "../predict/network.ts";
export { OutputPredictor, type Prediction } from "../predict/output-predictor.ts";
export type { TreesPredictor } from "../predict/trees/trees.ts";
