/** Prediction alone: reaches no trainer and no compiler. */
export {
  type FactorMetrics,
  FactorPredictor,
  type Pair,
  type Recommendation,
  type RecommendOptions,
} from "./factorisation.ts";
export { LinearPredictor, type Prediction } from "./linear.ts";
export { type AnyPredictor, predictor } from "./load.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "./metrics.ts";
