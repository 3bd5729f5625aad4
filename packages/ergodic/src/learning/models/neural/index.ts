/** Neural networks: layers, what they are made of, and known architectures. */
export { type MobileNetOptions, mobileNetV1, mobileNetV2, type NetworkForm } from "./architectures/mobile.ts";
export {
  type CirculantNetOptions,
  type CnnOptions,
  circulantNet,
  cnn,
  type MlpOptions,
  mlp,
  type OutputOptions,
} from "./architectures/plain.ts";
export { type ShuffleNetV1Options, type ShuffleNetV2Options, shuffleNetV1, shuffleNetV2 } from "./architectures/shuffle.ts";
export { noise, randomCutout, randomFlip, randomShift, type ShiftOptions } from "./augment.ts";
export { countNetwork, type NetworkCount } from "./count.ts";
export {
  blockConstants,
  constantInitial,
  type Fans,
  fansOf,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initialiser,
  initialiser,
  initialiserFromJson,
  initialValues,
  lecunNormal,
  lecunUniform,
  normalInitial,
  ones,
  orthogonal,
  uniformInitial,
  zeros,
} from "./initialisers.ts";
export {
  type ActivationName,
  activation,
  activationNames,
  gelu,
  hardSwish,
  relu,
  relu6,
  silu,
} from "./layers/activation.ts";
export { type BatchNormOptions, batchNorm } from "./layers/batch-norm.ts";
export {
  type InvertedResidualOptions,
  invertedResidual,
  type NormalisedOptions,
  normalised,
  normalisedDepthwise,
  type SeparableOptions,
  separable,
} from "./layers/blocks.ts";
export { channelShuffle, concatenating, type ResidualOptions, residual } from "./layers/branches.ts";
export { layerFromJson, layerKinds } from "./layers/by-kind.ts";
export {
  type CirculantConvolutionOptions,
  type CirculantOptions,
  circulantConvolution,
  circulantDense,
} from "./layers/circulant.ts";
export {
  type ConvolutionOptions,
  convolution,
  type DepthwiseOptions,
  depthwise,
  type GroupedConvolutionOptions,
} from "./layers/convolution.ts";
export { dense, type WeightOptions } from "./layers/dense.ts";
export { type DropoutOptions, dropout } from "./layers/dropout.ts";
export { type EmbeddingOptions, embedding } from "./layers/embedding.ts";
export { gru } from "./layers/gru.ts";
export { type LayerFacts, layer, type Named } from "./layers/layer.ts";
export { type LayerNormOptions, layerNorm } from "./layers/layer-norm.ts";
export { lstm } from "./layers/lstm.ts";
export { type AveragePoolOptions, averagePool, globalAveragePool, maxPool, type PoolOptions } from "./layers/pool.ts";
export type { RecurrentOptions } from "./layers/recurrence.ts";
export { flatten, reshaped } from "./layers/reshaped.ts";
export { frozen, grouped, sequential } from "./layers/sequential.ts";
export {
  halfOfChannels,
  type ShuffleUnitOptions,
  type ShuffleUnitV1Options,
  shuffleUnitV1,
  shuffleUnitV2,
} from "./layers/shuffle.ts";
export type { Layer, LayerFunction, LayerLike, Marks, ParameterOptions, Scope } from "./scope.ts";
export { isLayer } from "./scope.ts";
export {
  type TracedNetwork,
  type TracedParameter,
  type TracedState,
  type TraceOptions,
  traceNetwork,
} from "./trace.ts";
