import { OptionError } from "../../errors/errors.ts";
import { type Draws, stream } from "../../random/stream.ts";
import { addTransformation } from "../transformations/index.ts";
import { type FeatureOptions, type FeaturesStep, type RandomFeatures, randomFeatures } from "./feature-map.ts";
import { checkMatrix, featureTransformation, matrixCost, matrixProjection, type Projection } from "./feature-step.ts";

const MOST_INPUTS = 4096;

/**
 * Orthogonal random features: W = √(2γ) S Q in blocks of d frequencies, where Q is a uniformly random orthogonal matrix
 * and S is diagonal. The diagonal holds the lengths of independent N(0, I_d) vectors. Each w is still N(0, 2γI), but
 * the frequencies of a block are orthogonal. Orthogonality lowers the variance of the kernel estimate, most of all if
 * ‖x − y‖ is small compared with the kernel's width.
 *
 * Block b uses the random numbers of update b of the stream (seed, "features", "orthogonal"). Q is computed by modified
 * Gram–Schmidt, applied twice, from a Gaussian matrix: O(d³) per block. Source: Yu, Suresh, Choromanski, Holtmann-Rice,
 * Kumar 2016.
 *
 * @throws OptionError for more than 4096 columns
 */
export function orthogonal(options: FeatureOptions): RandomFeatures {
  addTransformation(orthogonalStep);
  return randomFeatures("orthogonal", options);
}

export const orthogonalStep = featureTransformation("orthogonal", drawn, (step) => {
  const { work, bytes } = matrixCost(step, 2);
  const rows = Math.min(step.inputs, step.count / 2);
  // Each row of a block is orthogonalised twice against the rows before it.
  return { work: work + 4 * (step.count / 2) * rows * step.inputs, bytes: bytes + 8 * rows * step.inputs };
});

function drawn(step: FeaturesStep): Projection {
  const { inputs, count } = step;
  if (inputs > MOST_INPUTS) {
    throw new OptionError(
      "orthogonal",
      `${inputs} columns would need ${inputs}³ operations; above ${MOST_INPUTS} use sorf() or fastfood()`,
      "OPTION_RANGE",
    );
  }
  checkMatrix("orthogonal", step);
  const draws = stream(step.seed, "features", "orthogonal");
  const matrix = new Float64Array((count / 2) * inputs);
  for (let first = 0, block = 0; first < count / 2; first += inputs, block++) {
    const update = draws.at(block);
    const rows = Math.min(inputs, count / 2 - first);
    const q = orthonormalRows(update, rows, inputs);
    for (let k = 0; k < rows; k++) {
      const length = Math.sqrt(2 * step.gamma) * gaussianLength(update, inputs);
      for (let j = 0; j < inputs; j++) matrix[(first + k) * inputs + j] = length * q[k * inputs + j];
    }
  }
  return matrixProjection(matrix, inputs);
}

/** Draws the length of a random vector of `dimension` independent normals. */
export function gaussianLength(draws: Draws, dimension: number): number {
  let squares = 0;
  for (let j = 0; j < dimension; j++) squares += draws.normal() ** 2;
  return Math.sqrt(squares);
}

/** Draws uniformly distributed orthonormal rows: each Gaussian row is orthogonalised against the rows before it. */
function orthonormalRows(draws: Draws, rows: number, size: number): Float64Array {
  const q = new Float64Array(rows * size);
  for (let k = 0; k < rows; k++) {
    const row = q.subarray(k * size, (k + 1) * size);
    for (let j = 0; j < size; j++) row[j] = draws.normal();
    // A second pass restores the orthogonality that a single pass loses when few dimensions are left.
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < k; other++) {
        let dot = 0;
        for (let j = 0; j < size; j++) dot += row[j] * q[other * size + j];
        for (let j = 0; j < size; j++) row[j] -= dot * q[other * size + j];
      }
      let squares = 0;
      for (let j = 0; j < size; j++) squares += row[j] * row[j];
      const inverse = 1 / Math.sqrt(squares);
      for (let j = 0; j < size; j++) row[j] *= inverse;
    }
  }
  return q;
}
