/** `ergodic/learning`: linear models, networks and recommenders, their training algorithms and their benchmarks. */
import "../learning/at-start.ts"; // left out by bundlers

export { fit } from "../join/fit.ts";
export type { ResumeOptions } from "../join/resume.ts";
export { type AlternatingOptions, alternatingLeastSquares } from "../learning/coordinates/alternating.ts";
export { coordinateDescent } from "../learning/coordinates/coordinate-descent.ts";
export { type DualCoordinateDescentOptions, dualCoordinateDescent } from "../learning/coordinates/dual-coordinate-descent.ts";
export { type FactorDescentOptions, factorCoordinateDescent } from "../learning/coordinates/factor-descent.ts";
export { gradientDescent } from "../learning/descent/gradient-descent.ts";
export { type Explanation, explain, type RowFacts } from "../learning/explain.ts";
export { algorithmFromJson } from "../learning/fit/algorithm-from-json.ts";
export {
  type CrossValidated,
  type CrossValidateOptions,
  crossValidate,
  type FoldResult,
  type Spread,
} from "../learning/fit/cross-validate.ts";
export { boltzmannMachine } from "../learning/fit/kinds/boltzmann.ts";
export { extraTrees, forest, tree } from "../learning/fit/kinds/forest.ts";
export { linear } from "../learning/fit/kinds/linear.ts";
export { network } from "../learning/fit/kinds/network.ts";
export { factorisation } from "../learning/fit/kinds/ratings.ts";
export type { FitOptions, Trainable, TrainableModel } from "../learning/fit/kinds/trainable.ts";
export { trees } from "../learning/fit/kinds/trees.ts";
export type { Fitted, Trained } from "../learning/fit/launch.ts";
export { type CrossValidation, LinearPath } from "../learning/fit/linear-path.ts";
export { modelFromJson } from "../learning/fit/model-from-json.ts";
export type { FitPathOptions } from "../learning/fit/path-options.ts";
export {
  type RegressionCoefficient,
  type RegressionTable,
  type RegressionTableOptions,
  regressionTable,
} from "../learning/fit/regression-table.ts";
export type { BoltzmannModel, BoltzmannOptions } from "../learning/models/boltzmann/boltzmann.ts";
export type { LinearModel, LinearOptions } from "../learning/models/linear/linear.ts";
export type { FactorisationModel } from "../learning/models/ratings/factorisation.ts";
export type { FactorisationOptions } from "../learning/models/ratings/settings.ts";
export type { ForestModel } from "../learning/models/trees/forest.ts";
export type { ExtraTreesOptions, ForestOptions, TreeOptions } from "../learning/models/trees/forest-settings.ts";
export { type Pruning, prunings } from "../learning/models/trees/pruning.ts";
export type { TreesOptions } from "../learning/models/trees/settings.ts";
export type { TreesModel } from "../learning/models/trees/trees.ts";
export { type NewtonCholeskyOptions, newtonCholesky } from "../learning/newton/newton-cholesky.ts";
export { bagging, boosting } from "../learning/trees/boosting.ts";
export type { LedgerItem } from "../predict/measure/ledger.ts";
export { measure } from "../predict/measure/measure.ts";
export type { Energy, Latencies, Measurable, Measurement, MeasureOptions, Scenario } from "../predict/measure/measurement.ts";
export type { MeasureInputs } from "../predict/measure/queries.ts";
export type { MeasureClock, RateTrial } from "../predict/measure/scenarios.ts";
