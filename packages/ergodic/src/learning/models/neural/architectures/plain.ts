/**
 * Options of architectures with an output layer, and the plain networks: an MLP, a small CNN and a circulant CNN.
 *
 * `outputs`: number of outputs of a last dense layer ("output") with Glorot-uniform weights. Without `outputs`, the
 * network ends with the last hidden layer.
 */
import { checkBoolean, checkNumbers } from "../../../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../../../engine/errors/errors.ts";
import { shown } from "../../../../engine/errors/shown.ts";
import { glorotUniform } from "../initialisers.ts";
import { activation } from "../layers/activation.ts";
import { type ActivationName, checkActivation } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { circulantConvolution, circulantDense } from "../layers/circulant.ts";
import { convolution } from "../layers/convolution.ts";
import { dense } from "../layers/dense.ts";
import { dropout } from "../layers/dropout.ts";
import { maxPool } from "../layers/pool.ts";
import { flatten } from "../layers/reshaped.ts";
import { sequential } from "../layers/sequential.ts";
import type { Layer } from "../scope.ts";

export interface OutputOptions {
  /** Number of units in a dense last layer: the number of classes, or 1. Default: no last layer. */
  readonly outputs?: number;
}

/** Returns the output layer, or none. */
export function outputLayers(outputs: number | undefined): Layer[] {
  return outputs === undefined ? [] : [dense(outputs, { name: "output", initial: glorotUniform() })];
}

/**
 * Checks the sizes of an architecture, so that errors name the architecture's options rather than the options of its
 * layers.
 */
export function checkWidths(
  where: string,
  {
    channels,
    hidden = [],
    outputs,
    dropout,
  }: Readonly<Partial<Record<"channels" | "hidden", unknown>>> & OutputOptions & { dropout: number },
): void {
  if (channels !== undefined) checkNumbers(where, "channels", channels, { low: 1, integer: true }, "channels: [32, 64]");
  checkNumbers(where, "hidden", hidden, { low: 1, integer: true }, "[64, 64]");
  if (outputs !== undefined) checkNumber(where, "outputs", outputs, { low: 1, integer: true });
  checkNumber(where, "dropout", dropout, { low: 0, high: 1 - 2 ** -20 });
}

/** Options of `mlp`. */
export interface MlpOptions extends OutputOptions {
  /** Activation after each hidden layer. Default "relu". */
  readonly activation?: ActivationName;
  /** Rate of dropout after each hidden layer, in [0, 1). Default 0. */
  readonly dropout?: number;
  /** Whether each hidden layer is batch-normalised before its activation. Default false. */
  readonly normalised?: boolean;
}

/**
 * A multilayer perceptron with hidden layers of these widths. Examples of any shape are flattened.
 *
 * @param hidden width of each hidden layer, in order
 * @param options activation (default relu), rate of dropout, batch normalisation, number of outputs
 * @throws OptionError
 */
export function mlp(hidden: readonly number[], options: MlpOptions = {}): Layer {
  checkKeys("mlp", options, ["outputs", "activation", "dropout", "normalised"]);
  if (!Array.isArray(hidden))
    throw new OptionError(
      "mlp",
      `hidden is ${shown(hidden)}, but the hidden widths must be a list; write mlp([${typeof hidden === "number" ? hidden : "64, 64"}])`,
      "OPTION_RANGE",
    );
  const { activation: name = "relu", dropout: rate = 0, normalised = false } = options;
  checkWidths("mlp", { hidden, outputs: options.outputs, dropout: rate });
  checkActivation("mlp", "activation", name);
  checkBoolean("mlp", "normalised", normalised);
  const block = (units: number): Layer[] => [
    dense(units, { bias: !normalised }),
    ...(normalised ? [batchNorm()] : []),
    activation(name),
    ...(rate !== 0 ? [dropout(rate)] : []),
  ];
  return sequential([flatten(), ...Array.from(hidden).flatMap(block), ...outputLayers(options.outputs)]);
}

/** Options of `cnn`. */
export interface CnnOptions extends OutputOptions {
  /** Number of channels of each convolution. Pooling follows each convolution. Default [32, 64]. */
  readonly channels?: readonly number[];
  /** Width of the dense layer. Default 128. */
  readonly hidden?: number;
  /** Rate of dropout before the last layer, in [0, 1). Default 0.25. */
  readonly dropout?: number;
}

/**
 * A small convolutional network. It has one block per entry of `channels`: a 3×3 convolution, batch norm, ReLU and 2×2
 * max pooling (odd sizes rounded up). The blocks are followed by a dense layer with ReLU and dropout. Examples:
 * [height, width, channels].
 * @throws OptionError
 */
export function cnn(options: CnnOptions = {}): Layer {
  checkKeys("cnn", options, ["outputs", "channels", "hidden", "dropout"]);
  const { channels = [32, 64], hidden = 128, dropout: rate = 0.25 } = options;
  checkWidths("cnn", { channels, hidden: [hidden], outputs: options.outputs, dropout: rate });
  const stage = (width: number): Layer[] => [
    convolution(width, { bias: false }),
    batchNorm(),
    activation("relu"),
    maxPool(2, { padding: "same" }),
  ];
  return sequential([
    ...Array.from(channels).flatMap(stage),
    flatten(),
    dense(hidden),
    activation("relu"),
    ...(rate !== 0 ? [dropout(rate)] : []),
    ...outputLayers(options.outputs),
  ]);
}

/** Options of `circulantNet`. */
export interface CirculantNetOptions extends OutputOptions {
  /** Number of channels of each convolution. Pooling follows each convolution. Default: [32, 64]. */
  readonly channels?: readonly number[];
  /** Width of the circulant dense layer. Default: 128. */
  readonly hidden?: number;
  /** Size of a circulant block. Default: 8. */
  readonly block?: number;
}

/**
 * `cnn` with block-circulant weights (Ding et al. 2017), without dropout. It has about 1/block as many parameters as
 * `cnn`. The output layer is not circulant, and neither is the first convolution, because it has few input channels.
 * Examples: [height, width, channels]. @throws OptionError
 */
export function circulantNet(options: CirculantNetOptions = {}): Layer {
  checkKeys("circulantNet", options, ["outputs", "channels", "hidden", "block"]);
  const { channels = [32, 64], hidden = 128, block = 8 } = options;
  checkWidths("circulantNet", { channels, hidden: [hidden], outputs: options.outputs, dropout: 0 });
  checkNumber("circulantNet", "block", block, { low: 1, integer: true });
  const stage = (width: number, i: number): Layer[] => [
    i === 0 ? convolution(width, { bias: false }) : circulantConvolution(width, { block, bias: false }),
    batchNorm(),
    activation("relu"),
    maxPool(2, { padding: "same" }),
  ];
  return sequential([
    ...Array.from(channels).flatMap(stage),
    flatten(),
    circulantDense(hidden, { block }),
    activation("relu"),
    ...outputLayers(options.outputs),
  ]);
}
