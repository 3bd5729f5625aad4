/**
 * Exports of coordinate ascent and of two models that use it. The approximations for sample() are exported with the
 * samplers.
 */
export {
  type CoordinateAscentOptions,
  type CoordinateAscentResult,
  coordinateAscent,
  type FactorParameters,
} from "./coordinate-ascent.ts";
export { type GaussianMixtureOptions, type GaussianMixtureResult, gaussianMixture } from "./gaussian-mixture.ts";
export { type TopicsOptions, type TopicsResult, topics } from "./topics.ts";
