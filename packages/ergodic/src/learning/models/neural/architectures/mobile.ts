/**
 * Networks of depthwise separable convolutions.
 *
 * mobileNetV1 (Howard et al. 2017): a 3×3 convolution with stride 2, 13 separable blocks with ReLU, global average
 * pooling, a dense layer. mobileNetV2 (Sandler et al. 2018): a 3×3 convolution, 17 inverted residuals with ReLU6, a 1×1
 * convolution, global average pooling, dropout, a dense layer.
 * `width` scales all channels. V1 rounds them to whole numbers. V2 rounds them to multiples of 8, and rounds down by at
 * most 10 %. It scales its last convolution only if width > 1.
 * `form`: "published" is for images of 224 × 224; "small" is for images of about 8 … 32 cells, and has stride 1 in the
 * first convolution and no later stages. By default, the size of the images determines the form (form.ts). `dropout`:
 * rate before the output layer. Without `outputs`, the network returns the average over all positions: [n, channels].
 *
 * @throws OptionError for options out of range
 */
import { checkKeys } from "../../../../engine/errors/errors.ts";
import { invertedResidual, normalised, separable } from "../layers/blocks.ts";
import { dropout } from "../layers/dropout.ts";
import { globalAveragePool } from "../layers/pool.ts";
import { sequential } from "../layers/sequential.ts";
import type { Layer } from "../scope.ts";
import { byForm, checkForm, type NetworkForm } from "./form.ts";
import { checkWidths, type OutputOptions, outputLayers } from "./plain.ts";

/** Options of `mobileNetV1` and `mobileNetV2`. */
export interface MobileNetOptions extends OutputOptions {
  /** Factor by which all numbers of channels are multiplied, > 0. Default 1. */
  readonly width?: number;
  /** Variant of the network. Default: "small" for images with fewer than 64 rows or columns, otherwise "published". */
  readonly form?: NetworkForm;
  /** Rate of dropout before the output layer, in [0, 1). Default 0 for V1, 0.2 for V2. */
  readonly dropout?: number;
}

/** Channels and stride of each block. */
const V1: Readonly<Record<NetworkForm, readonly (readonly [channels: number, stride: number])[]>> = {
  published: [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], ...new Array(5).fill([512, 1]), [1024, 2], [1024, 1]],
  small: [
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
  ],
};

/**
 * MobileNetV1: depthwise separable convolutions. Howard et al. 2017. Examples: [height, width, channels].
 * @throws OptionError
 */
export function mobileNetV1(options: MobileNetOptions = {}): Layer {
  checkKeys("mobileNetV1", options, ["outputs", "width", "form", "dropout"]);
  const { width = 1, dropout: rate = 0, outputs } = options;
  checkForm("mobileNetV1", options);
  checkWidths("mobileNetV1", { outputs, dropout: rate });
  const scaled = (channels: number): number => Math.max(1, Math.round(channels * width));
  return byForm(options, (form) =>
    sequential([
      normalised(scaled(32), { stride: form === "published" ? 2 : 1 }),
      ...V1[form].map(([channels, stride]) => separable(scaled(channels), { stride })),
      ...ending(rate, outputs),
    ]),
  );
}

/** Expansion, channels, number of blocks, and stride of the first block. */
const V2: Readonly<
  Record<NetworkForm, readonly (readonly [expansion: number, channels: number, blocks: number, stride: number])[]>
> = {
  published: [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ],
  small: [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 2, 2],
    [6, 64, 2, 1],
  ],
};

/**
 * MobileNetV2: inverted residuals with linear bottlenecks. Sandler et al. 2018. Examples: [height, width, channels].
 * @throws OptionError
 */
export function mobileNetV2(options: MobileNetOptions = {}): Layer {
  checkKeys("mobileNetV2", options, ["outputs", "width", "form", "dropout"]);
  const { width = 1, dropout: rate = 0.2, outputs } = options;
  checkForm("mobileNetV2", options);
  checkWidths("mobileNetV2", { outputs, dropout: rate });
  return byForm(options, (form) => sequential([...residuals(width, form), ...ending(rate, outputs)]));
}

function residuals(width: number, form: NetworkForm): Layer[] {
  let inside = toEights(32 * width);
  const layers = [normalised(inside, { stride: form === "published" ? 2 : 1, activation: "relu6" })];
  for (const [expansion, given, blocks, first] of V2[form]) {
    const channels = toEights(given * width);
    for (let i = 0; i < blocks; i++) {
      layers.push(invertedResidual(inside, channels, { expansion, stride: i === 0 ? first : 1 }));
      inside = channels;
    }
  }
  const last = toEights((form === "published" ? 1280 : 256) * Math.max(1, width));
  return [...layers, normalised(last, { kernel: 1, activation: "relu6" })];
}

const ending = (rate: number, outputs: number | undefined): Layer[] => [
  globalAveragePool(),
  ...(rate !== 0 ? [dropout(rate)] : []),
  ...outputLayers(outputs),
];

/** Returns the nearest multiple of 8. If this is less than nine tenths of `channels`, returns the next multiple. */
function toEights(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return nearest < 0.9 * channels ? nearest + 8 : nearest;
}
