/** Prediction alone: reaches no trainer and no compiler. */
export { LinearPredictor, type Prediction } from "./linear.ts";
export { predictor } from "./load.ts";
export {
  type AnyMetrics,
  type ClassMetrics,
  type CountMetrics,
  type Metrics,
  type MetricsByTask,
  metrics,
  type RegressionMetrics,
} from "./metrics.ts";
