import { stream } from "../../random/stream.ts";
import { addTransformation } from "../transformations/index.ts";
import { type FeatureOptions, type FeaturesStep, type RandomFeatures, randomFeatures } from "./feature-map.ts";
import { checkMatrix, featureTransformation, matrixCost, matrixProjection, type Projection } from "./feature-step.ts";

/**
 * Random Fourier features: all frequencies w ~ N(0, 2γI) are independent.
 *
 * Frequency k uses the random numbers of update k of the stream (seed, "features", "rff"). Cost per row: count·d/2
 * multiplications. Source: Rahimi, Recht 2007. Pairs of cosine and sine give a smaller variance than the other common
 * variant. Differs from scikit-learn's RBFSampler, which draws a single cosine with a random phase per feature.
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
