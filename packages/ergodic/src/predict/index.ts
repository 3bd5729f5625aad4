/** Prediction alone: reaches no trainer and no compiler. */
import "./at-start.ts"; // left out by bundlers

export { newLevels } from "../data/new-levels.ts";
export type { Remark } from "../data/table.ts";
export type { AnyPredictor } from "./any-predictor.ts";
export {
  type FactorMetrics,
  FactorPredictor,
  type Pair,
  type Rated,
  type Recommendation,
  type RecommendOptions,
} from "./factorisation.ts";
export { LinearPredictor } from "./linear.ts";
export { type PredictorOptions, predictor } from "./load.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "./metrics.ts";
export { NetworkPredictor } from "./network.ts";
export { OutputPredictor, type Prediction } from "./output-predictor.ts";
