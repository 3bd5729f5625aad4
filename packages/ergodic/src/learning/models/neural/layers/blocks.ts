/**
 * Blocks of efficient convolutional networks. Each block is a sequential() of plain layers. A layer's name is its part
 * of the path.
 *
 * `normalised`: a convolution without bias ("conv"), batch norm ("norm") and an activation, which "linear" omits.
 * `separable`: depthwise k×k and pointwise 1×1, both normalised. Howard et al. 2017 (MobileNetV1).
 * `invertedResidual`: pointwise to `expansion` times the channels, depthwise k×k, linear pointwise; x is added if the
 * stride is 1 and input and output have the same number of channels. Sandler et al. 2018 (MobileNetV2).
 *
 * @throws OptionError for options out of range
 */
import { checkKeys } from "../../../../engine/errors/errors.ts";
import type { Layer } from "../scope.ts";
import { activation } from "./activation.ts";
import { type ActivationName, checkActivation } from "./activations.ts";
import { batchNorm } from "./batch-norm.ts";
import { residual } from "./branches.ts";
import { convolution, type DepthwiseOptions, depthwise, type GroupedConvolutionOptions } from "./convolution.ts";
import { checkCount } from "./expected.ts";
import type { Named } from "./layer.ts";
import { sequential } from "./sequential.ts";

/** Options of `normalised`. */
export interface NormalisedOptions extends Omit<GroupedConvolutionOptions, "bias" | "initialBias"> {
  /** Activation that follows batch norm; "linear" for none. Default "relu". */
  readonly activation?: ActivationName;
}

const convolutionKeys = ["kernel", "stride", "padding", "dilation"];

const closing = (name: ActivationName): Layer[] => [
  batchNorm({ name: "norm" }),
  ...(name === "linear" ? [] : [activation(name)]),
];

/** A convolution without bias ("conv"), batch norm ("norm") and an activation. @throws OptionError */
export function normalised(channels: number, given: NormalisedOptions = {}): Layer {
  checkKeys("normalised", given, [...convolutionKeys, "groups", "initial", "activation", "name"]);
  const { activation: end = "relu", name, ...options } = given;
  checkActivation("normalised", "activation", end);
  return sequential([convolution(channels, { ...options, bias: false, name: "conv" }), ...closing(end)], { name });
}

/** A depthwise convolution without bias ("conv"), batch norm ("norm") and an activation. @throws OptionError */
export function normalisedDepthwise(given: Omit<NormalisedOptions, "groups"> & Pick<DepthwiseOptions, "multiplier"> = {}): Layer {
  checkKeys("normalisedDepthwise", given, [...convolutionKeys, "multiplier", "initial", "activation", "name"]);
  const { activation: end = "relu", name, ...options } = given;
  checkActivation("normalisedDepthwise", "activation", end);
  return sequential([depthwise({ ...options, bias: false, name: "conv" }), ...closing(end)], { name });
}

/** Options of `separable`. */
export interface SeparableOptions extends Named {
  /** Kernel size of the depthwise convolution, in cells. Default 3. */
  readonly kernel?: number;
  /** Stride of the depthwise convolution. Default 1. */
  readonly stride?: number;
  /** Activation after both convolutions. Default "relu". */
  readonly activation?: ActivationName;
}

/**
 * A depthwise k×k and a pointwise 1×1 convolution, both with batch norm and activation. Howard et al. 2017
 * (MobileNetV1).
 * @throws OptionError
 */
export function separable(channels: number, options: SeparableOptions = {}): Layer {
  checkKeys("separable", options, ["kernel", "stride", "activation", "name"]);
  const { kernel = 3, stride = 1, activation: end = "relu", name } = options;
  checkActivation("separable", "activation", end);
  return sequential(
    [
      normalisedDepthwise({ kernel, stride, activation: end, name: "depthwise" }),
      normalised(channels, { kernel: 1, activation: end, name: "pointwise" }),
    ],
    { name },
  );
}

/** Options of `invertedResidual`. */
export interface InvertedResidualOptions extends SeparableOptions {
  /** Number of inner channels per input channel. Default 6; a whole number >= 1. */
  readonly expansion?: number;
}

/**
 * A pointwise convolution to `expansion` times the channels, a depthwise k×k convolution and a linear pointwise
 * convolution. The input x is added if the stride is 1 and input and output have the same number of channels.
 *
 * From `inside` to `channels` channels; the activation is "relu6" by default. Sandler et al. 2018 (MobileNetV2).
 * @throws OptionError
 */
export function invertedResidual(inside: number, channels: number, options: InvertedResidualOptions = {}): Layer {
  checkKeys("invertedResidual", options, ["kernel", "stride", "activation", "expansion", "name"]);
  const { kernel = 3, stride = 1, activation: end = "relu6", expansion = 6, name } = options;
  checkActivation("invertedResidual", "activation", end);
  checkCount("invertedResidual", "inside", inside);
  checkCount("invertedResidual", "expansion", expansion);
  const parts = [
    ...(expansion === 1 ? [] : [normalised(inside * expansion, { kernel: 1, activation: end, name: "expand" })]),
    normalisedDepthwise({ kernel, stride, activation: end, name: "depthwise" }),
    normalised(channels, { kernel: 1, activation: "linear", name: "project" }),
  ];
  const straight = stride === 1 && inside === channels;
  return straight ? residual(sequential(parts), { name }) : sequential(parts, { name });
}
