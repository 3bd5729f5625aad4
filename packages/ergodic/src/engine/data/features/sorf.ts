import { stream } from "../../random/stream.ts";
import { addTransformation } from "../transformations/index.ts";
import { type FeatureOptions, type FeaturesStep, type RandomFeatures, randomFeatures } from "./feature-map.ts";
import { featureTransformation, type Projection } from "./feature-step.ts";
import { hadamard, paddedSize, SIGN, transformCost } from "./hadamard.ts";

/**
 * Structured orthogonal random features: W = √(2γ) n^{1/2}·(H D₁)(H D₂)(H D₃)/n^{3/2} in blocks of n = 2^⌈log₂ d⌉
 * frequencies. H is the Walsh–Hadamard matrix and D a diagonal of random signs. Rows are padded with zeros to n. Every
 * w has the length √(2γn) exactly.
 *
 * Block b uses the random numbers of update b of the stream (seed, "features", "sorf"). Cost per row: O(count·log d),
 * with no stored matrix. Source: Yu et al. 2016, section 4.
 */
export function sorf(options: FeatureOptions): RandomFeatures {
  addTransformation(sorfStep);
  return randomFeatures("sorf", options);
}

export const sorfStep = featureTransformation("sorf", drawn, ({ inputs, count }) => {
  const size = paddedSize(inputs);
  const frequencies = Math.ceil(count / 2 / size) * size;
  return { work: frequencies * (3 * SIGN + 3 * transformCost(size)), bytes: 3 * frequencies + 8 * size };
});

function drawn(step: FeaturesStep): Projection {
  const size = paddedSize(step.inputs);
  const blocks = Math.ceil(step.count / 2 / size);
  const draws = stream(step.seed, "features", "sorf");
  const signs = Array.from({ length: blocks }, (_, b) => {
    const update = draws.at(b);
    return Array.from({ length: 3 }, () => Int8Array.from({ length: size }, () => (update.bits() >>> 31 ? -1 : 1)));
  });
  const factor = Math.sqrt(2 * step.gamma) / size;
  const x = new Float64Array(size);
  return (row, into) => {
    for (let b = 0; b < blocks; b++) {
      x.fill(0);
      for (let k = 0; k < row.count; k++) x[row.columns ? row.columns[k] : k] = row.values[k];
      for (const diagonal of signs[b]) {
        for (let i = 0; i < size; i++) x[i] *= diagonal[i];
        hadamard(x, size);
      }
      const first = b * size;
      const end = Math.min(size, into.length - first);
      for (let i = 0; i < end; i++) into[first + i] = factor * x[i];
    }
  };
}
