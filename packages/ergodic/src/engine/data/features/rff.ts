import { stream } from "../../random/stream.ts";
import { addTransformation } from "../transformations/index.ts";
import {
  checkMatrix,
  type FeatureOptions,
  type FeaturesStep,
  featureTransformation,
  matrixCost,
  matrixProjection,
  type Projection,
  type RandomFeatures,
  randomFeatures,
} from "./feature-map.ts";

/**
 * Random Fourier features: every frequency w ~ N(0, 2γI), independent.
 *
 * Frequency k takes update k of the stream (seed, "features", "rff"). Cost a row: count·d/2 multiplications.
 * Source: Rahimi, Recht 2007; the paired form with cosines and sines has the smaller variance of the two in use.
 * Differs from scikit-learn's RBFSampler: that one draws one cosine with a random phase a feature.
 */
export function rff(options: FeatureOptions): RandomFeatures {
  addTransformation(rffStep);
  return randomFeatures("rff", options);
}

export const rffStep = featureTransformation("rff", drawn, (step) => matrixCost(step, 1));

function drawn(step: FeaturesStep): Projection {
  checkMatrix("rff", step);
  const { inputs } = step;
  const draws = stream(step.seed, "features", "rff");
  const deviation = Math.sqrt(2 * step.gamma);
  const matrix = new Float64Array((step.count / 2) * inputs);
  for (let k = 0; k < step.count / 2; k++) {
    const update = draws.at(k);
    for (let j = 0; j < inputs; j++) matrix[k * inputs + j] = deviation * update.normal();
  }
  return matrixProjection(matrix, inputs);
}
