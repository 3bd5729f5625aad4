/**
 * Operations on arrays. All operations consist of primitives. Each primitive has one file, with its evaluation,
 * derivative and code.
 */
export { type BatchNormalised, batchNormalised } from "./batch-normalised.ts";
export { cholesky, choleskySolve, logDeterminant, logDeterminantOfCholesky } from "./cholesky.ts";
export { circulant } from "./circulant.ts";
export {
  batchStatistics,
  channelShuffle,
  diagonal,
  identity,
  layerNormalised,
  logSoftmax,
  logSumExp,
  mean,
  minimum,
  norm,
  outer,
  softmax,
  trace,
  triangle,
  type VarianceOptions,
  variance,
} from "./composed.ts";
export { type ConvolutionOptions, conv1d, conv2d, type SequenceOptions } from "./convolution.ts";
export { cumsum } from "./cumulative-sum.ts";
export { type Backward, customDerivative } from "./custom-derivative.ts";
export { gather, type Indices, oneHot, pick, scatter, take } from "./gather.ts";
export { broadcastTo, mapArrays } from "./map-reduce.ts";
export { dot, matmul, matrixTranspose } from "./matmul.ts";
export { type OdeOptions, type OdeSolution, ode, type Slope } from "./ode/ode.ts";
export { kthSmallest, median, quantile } from "./order-statistics.ts";
export { type PatchOptions, patches } from "./patches.ts";
export { at, concatenate, flip, pad, slice, stack } from "./places.ts";
export { averagePool, maxPool, type PoolOptions } from "./pooling.ts";
export { normal, uniform } from "./random.ts";
export { reshape } from "./reshape.ts";
export { type ScanBody, type Scanned, type ScanOptions, scan } from "./scan.ts";
export { solve } from "./solve.ts";
export { stopGradient, straightThrough } from "./stop-gradient.ts";
export { transpose } from "./transpose.ts";
export { type TriangularOptions, triangularSolve } from "./triangular-solve.ts";
export type { Pair, WindowOptions } from "./windows.ts";
