/**
 * ShuffleNets: a 3×3 convolution to 24 channels with stride 2, 3×3 max pooling with stride 2, and three stages of 4, 8
 * and 4 units (layers/shuffle.ts), each of which begins with stride 2. V2 adds a 1×1 convolution. The stages are
 * followed by global average pooling and a dense layer.
 *
 * V1 (Zhang et al. 2018): `groups` is 1, 2, 3, 4 or 8 and determines the channels of the stages. `width` scales these
 * channels to multiples of 4 · groups. V2 (Ma et al. 2018): `width` is 0.5, 1, 1.5 or 2.
 * `form`: "published" is for images of 224 × 224; "small" is for images of about 8 … 32 cells, and has stride 1 in the
 * first convolution, no max pooling, and two stages of 4 units. By default, the size of the images determines the form
 * (form.ts).
 *
 * @throws OptionError for options out of range
 */
import { checkChoice } from "../../../../engine/errors/checks.ts";
import { checkKeys } from "../../../../engine/errors/errors.ts";
import { normalised } from "../layers/blocks.ts";
import { globalAveragePool, maxPool } from "../layers/pool.ts";
import { sequential } from "../layers/sequential.ts";
import { shuffleUnitV1, shuffleUnitV2 } from "../layers/shuffle.ts";
import type { Layer } from "../scope.ts";
import { byForm, checkForm, type NetworkForm } from "./form.ts";
import { checkWidths, type OutputOptions, outputLayers } from "./plain.ts";

/** Options of `shuffleNetV2`. */
export interface ShuffleNetV2Options extends OutputOptions {
  /** Width of the published variants. Default 1. */
  readonly width?: 0.5 | 1 | 1.5 | 2;
  /** Variant of the network. Default: "small" for images with fewer than 64 rows or columns, otherwise "published". */
  readonly form?: NetworkForm;
}

/** Options of `shuffleNetV1`. */
export interface ShuffleNetV1Options extends OutputOptions {
  /**
   * Number of groups of the 1×1 convolutions. The number of groups determines the channels of the stages. Default 3.
   */
  readonly groups?: 1 | 2 | 3 | 4 | 8;
  /** Factor by which the numbers of channels in the stages are multiplied, > 0. Default 1. */
  readonly width?: number;
  /** Variant of the network. Default: "small" for images with fewer than 64 rows or columns, otherwise "published". */
  readonly form?: NetworkForm;
}

const FIRST = 24;
const UNITS: Readonly<Record<NetworkForm, readonly number[]>> = { published: [4, 8, 4], small: [4, 4] };
/** Channels of the first stage. Each further stage has twice as many. */
const V1_CHANNELS: Readonly<Record<number, number>> = { 1: 144, 2: 200, 3: 240, 4: 272, 8: 384 };
/**
 * Channels of the first stage, and of the last 1×1 convolution. Each further stage has twice as many channels as the
 * previous stage.
 */
const V2_CHANNELS: Readonly<Record<number, readonly [stage: number, last: number]>> = {
  0.5: [48, 1024],
  1: [116, 1024],
  1.5: [176, 1024],
  2: [244, 2048],
};

/** Layers before the stages. */
const stem = (first: number, form: NetworkForm): Layer[] =>
  form === "small" ? [normalised(first)] : [normalised(first, { stride: 2, padding: 1 }), maxPool(3, { stride: 2, padding: 1 })];

function stages(
  first: number,
  start: number,
  form: NetworkForm,
  unit: (inside: number, channels: number, stride: 1 | 2) => Layer,
): Layer[] {
  let inside = first;
  return UNITS[form].flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const channels = start * 2 ** stage;
      const made = unit(inside, channels, i === 0 ? 2 : 1);
      inside = channels;
      return made;
    }),
  );
}

/**
 * ShuffleNetV1: grouped 1×1 convolutions with shuffled channels. Zhang et al. 2018. Examples: [height, width,
 * channels].
 * @throws OptionError
 */
export function shuffleNetV1(options: ShuffleNetV1Options = {}): Layer {
  checkKeys("shuffleNetV1", options, ["outputs", "groups", "width", "form"]);
  const { groups = 3, width = 1, outputs } = options;
  checkForm("shuffleNetV1", options);
  checkWidths("shuffleNetV1", { outputs, dropout: 0 });
  checkChoice("shuffleNetV1", "groups", groups, numbersOf(V1_CHANNELS));
  const published = V1_CHANNELS[groups];
  const start = Math.max(1, Math.round((published * width) / (4 * groups))) * 4 * groups;
  const first = Math.min(FIRST, start - groups);
  const unit = (inside: number, channels: number, stride: 1 | 2): Layer =>
    shuffleUnitV1(inside, channels, { stride, groups, firstGroups: inside === first ? 1 : groups });
  return byForm(options, (form) =>
    sequential([...stem(first, form), ...stages(first, start, form, unit), globalAveragePool(), ...outputLayers(outputs)]),
  );
}

/**
 * ShuffleNetV2: channels are split, convolved and shuffled. Ma et al. 2018. Examples: [height, width, channels].
 * @throws OptionError
 */
export function shuffleNetV2(options: ShuffleNetV2Options = {}): Layer {
  checkKeys("shuffleNetV2", options, ["outputs", "width", "form"]);
  const { width = 1, outputs } = options;
  checkForm("shuffleNetV2", options);
  checkWidths("shuffleNetV2", { outputs, dropout: 0 });
  checkChoice("shuffleNetV2", "width", width, numbersOf(V2_CHANNELS));
  const channels = V2_CHANNELS[width];
  const [start, published] = channels;
  const lasts = { published, small: start * 2 ** (UNITS.small.length - 1) * 2 };
  const unit = (inside: number, wide: number, stride: 1 | 2): Layer => shuffleUnitV2(inside, wide, { stride });
  return byForm(options, (form) =>
    sequential([
      ...stem(FIRST, form),
      ...stages(FIRST, start, form, unit),
      normalised(lasts[form], { kernel: 1 }),
      globalAveragePool(),
      ...outputLayers(outputs),
    ]),
  );
}

const numbersOf = (known: object): number[] =>
  Object.keys(known)
    .map(Number)
    .sort((a, b) => a - b);
