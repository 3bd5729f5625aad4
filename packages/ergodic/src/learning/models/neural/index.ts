/** Neural networks: layers, their building blocks, and known architectures. */
export type { NetworkForm } from "./architectures/form.ts";
export { type MobileNetOptions, mobileNetV1, mobileNetV2 } from "./architectures/mobile.ts";
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
export { layerFromJson, layerKinds } from "./layers/by-kind.ts";
export { type LayerFacts, layer, type Named } from "./layers/layer.ts";
export * from "./layers/library.ts";
export type { RecurrentOptions } from "./layers/recurrence.ts";
export type { Layer, LayerFunction, LayerLike, Marks, ParameterOptions, Scope } from "./scope.ts";
export { isLayer } from "./scope.ts";
export {
  type TracedNetwork,
  type TracedParameter,
  type TracedState,
  type TraceOptions,
  traceNetwork,
} from "./trace.ts";
