import { stream } from "../../random/stream.ts";
import { addTransformation } from "../transformations/index.ts";
import { type FeatureOptions, type FeaturesStep, type RandomFeatures, randomFeatures } from "./feature-map.ts";
import { featureTransformation, NORMAL, type Projection } from "./feature-step.ts";
import { hadamard, paddedSize, SIGN, transformCost } from "./hadamard.ts";
import { gaussianLength } from "./orthogonal.ts";

interface Block {
  signs: Int8Array;
  permutation: Uint32Array;
  gaussian: Float64Array;
  scale: Float64Array;
}

/**
 * Fastfood: W = √(2γ/n) S H G Π H B in blocks of n = 2^⌈log₂ d⌉ frequencies. B: random signs; Π: a random permutation;
 * G: a diagonal of normals; H: the unscaled Walsh–Hadamard matrix; S: a diagonal with entries ‖v‖/‖G‖_F, v ~ N(0, I_n),
 * so that the lengths of the frequencies are distributed like the lengths of N(0, 2γI) vectors. Rows are padded with
 * zeros to n.
 *
 * Block b uses the random numbers of update b of the stream (seed, "features", "fastfood"). Cost per row: O(count·log
 * d), with no stored matrix. Source: Le, Sarlós, Smola 2013.
 */
export function fastfood(options: FeatureOptions): RandomFeatures {
  addTransformation(fastfoodStep);
  return randomFeatures("fastfood", options);
}

export const fastfoodStep = featureTransformation("fastfood", drawn, ({ inputs, count }) => {
  const size = paddedSize(inputs);
  const frequencies = Math.ceil(count / 2 / size) * size;
  // The length of a random vector takes one normal draw per element.
  const drawing = 2 * SIGN + NORMAL * (1 + size);
  return { work: frequencies * (drawing + 2 * transformCost(size)), bytes: 21 * frequencies + 16 * size };
});

function drawn(step: FeaturesStep): Projection {
  const size = paddedSize(step.inputs);
  const count = Math.ceil(step.count / 2 / size);
  const blocks = Array.from({ length: count }, (_, b) => drawBlock(step, size, b));
  const x = new Float64Array(size);
  const y = new Float64Array(size);
  return (row, into) => {
    for (let b = 0; b < count; b++) {
      const { signs, permutation, gaussian, scale } = blocks[b];
      x.fill(0);
      for (let k = 0; k < row.count; k++) {
        const j = row.columns ? row.columns[k] : k;
        x[j] = signs[j] * row.values[k];
      }
      hadamard(x, size);
      for (let i = 0; i < size; i++) y[i] = gaussian[i] * x[permutation[i]];
      hadamard(y, size);
      const first = b * size;
      const end = Math.min(size, into.length - first);
      for (let i = 0; i < end; i++) into[first + i] = scale[i] * y[i];
    }
  };
}

function drawBlock(step: FeaturesStep, size: number, b: number): Block {
  const update = stream(step.seed, "features", "fastfood").at(b);
  const signs = Int8Array.from({ length: size }, () => (update.bits() >>> 31 ? -1 : 1));
  const permutation = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = update.integer(i + 1);
    [permutation[i], permutation[j]] = [permutation[j], permutation[i]];
  }
  const gaussian = Float64Array.from({ length: size }, () => update.normal());
  let squares = 0;
  for (const g of gaussian) squares += g * g;
  const factor = Math.sqrt((2 * step.gamma) / size / squares);
  const scale = Float64Array.from({ length: size }, () => factor * gaussianLength(update, size));
  return { signs, permutation, gaussian, scale };
}
