/**
 * `ergodic/explain`: why a model predicts what it predicts. The entry is separate from `ergodic/predict`, so that
 * prediction starts quickly.
 */
export { type AttributionOptions, type Attributions, attributions } from "./attributions.ts";
export { type Importance, type ImportanceOptions, importance } from "./importance.ts";
export { type Dependence, type DependenceOptions, partialDependence } from "./partial-dependence.ts";
