/**
 * Units of ShuffleNet: grouped or split convolutions. Channels are shuffled so that information flows between groups.
 *
 * `shuffleUnitV1` (Zhang et al. 2018): grouped 1×1 to a quarter of the channels, shuffle, depthwise 3×3, grouped 1×1
 * without activation. At stride 1, x is added. At stride 2, the unit also averages x over 3×3 windows with stride 2,
 * and concatenates the result. A ReLU follows. The very first 1×1 convolution of a network has few input channels and
 * therefore only one group (`firstGroups`).
 * `shuffleUnitV2` (Ma et al. 2018): at stride 1, half of the channels pass unchanged; the others go through 1×1,
 * depthwise 3×3 and 1×1 convolutions. At stride 2, all channels go through these three convolutions, and they also go
 * through a depthwise 3×3 and a 1×1 convolution in parallel. The two results are concatenated and shuffled in two
 * groups.
 *
 * @throws OptionError for options out of range
 */

import { slice } from "../../../../engine/compiler/array/index.ts";
import { checkChoice, plain } from "../../../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../../../engine/errors/errors.ts";
import type { Layer } from "../scope.ts";
import { activation } from "./activation.ts";
import { normalised, normalisedDepthwise } from "./blocks.ts";
import { channelShuffle, concatenating, residual } from "./branches.ts";
import { checkCount, expectRank } from "./expected.ts";
import { layer, type Named } from "./layer.ts";
import { averagePool } from "./pool.ts";
import { sequential } from "./sequential.ts";

/** Options of `shuffleUnitV2`. */
export interface ShuffleUnitOptions extends Named {
  /** Stride: 1 or 2. Default 1. */
  readonly stride?: 1 | 2;
}

/** Options of `shuffleUnitV1`. */
export interface ShuffleUnitV1Options extends ShuffleUnitOptions {
  /** Groups of the 1×1 convolutions. Default 3. */
  readonly groups?: number;
  /** Groups of the first 1×1 convolution. Default: `groups`. */
  readonly firstGroups?: number;
}

/**
 * Grouped 1×1 to a quarter of the channels, shuffle, depthwise 3×3, grouped 1×1. x is added at stride 1; pooled x is
 * concatenated at stride 2.
 *
 * From `inside` to `channels` channels. Zhang et al. 2018. @throws OptionError
 */
export function shuffleUnitV1(inside: number, channels: number, options: ShuffleUnitV1Options = {}): Layer {
  checkKeys("shuffleUnitV1", options, ["stride", "groups", "firstGroups", "name"]);
  const { stride = 1, groups = 3, firstGroups = groups, name } = options;
  checkUnit("shuffleUnitV1", inside, channels, stride);
  checkCount("shuffleUnitV1", "groups", groups);
  checkCount("shuffleUnitV1", "firstGroups", firstGroups);
  const narrow = channels / 4;
  if (!Number.isInteger(narrow / groups))
    throw new OptionError(
      "shuffleUnitV1",
      `channels is ${channels}, but must be a multiple of 4 · groups, ${4 * groups}`,
      "OPTION_CONFLICT",
    );
  if ((channels / 4) % firstGroups !== 0)
    throw new OptionError(
      "shuffleUnitV1",
      `firstGroups is ${firstGroups}, but must divide a quarter of the channels, ${channels / 4}`,
      "OPTION_CONFLICT",
    );
  const body = sequential([
    normalised(narrow, { kernel: 1, groups: firstGroups, name: "compress" }),
    channelShuffle(groups),
    normalisedDepthwise({ stride, activation: "linear", name: "depthwise" }),
    normalised(stride === 1 ? channels : channels - inside, { kernel: 1, groups, activation: "linear", name: "expand" }),
  ]);
  const joined =
    stride === 1 ? residual(body) : concatenating([averagePool(3, { stride: 2, padding: 1, countPadding: true }), body]);
  return sequential([joined, activation("relu")], { name });
}

const makeHalf = layer<{ readonly which: "first" | "second" }>(
  "halfOfChannels",
  (x, scope, { which }) => {
    if (x.rank < 2) expectRank("halfOfChannels", scope, x, [2, 3, 4], "[…, channels]");
    const half = Math.floor(x.shape[x.rank - 1] / 2);
    return which === "first" ? slice(x, { axis: -1, to: half }) : slice(x, { axis: -1, from: half });
  },
  {
    options: { which: ["first", "second"] },
    required: ["which"],
    example: { options: { which: "second" }, input: [2, 5] },
  },
);

/** Selects the first or the second half of the channels. */
export const halfOfChannels = (which: "first" | "second", options: Named = {}): Layer =>
  makeHalf({ which, ...plain("halfOfChannels", options, ["which"]) });

/**
 * At stride 1, one half of the channels passes unchanged and the other half is convolved. At stride 2, all channels are
 * convolved. The two results are concatenated and shuffled in two groups.
 *
 * From `inside` to `channels` channels, both even; equal at stride 1. Ma et al. 2018. @throws OptionError
 */
export function shuffleUnitV2(inside: number, channels: number, options: ShuffleUnitOptions = {}): Layer {
  checkKeys("shuffleUnitV2", options, ["stride", "name"]);
  const { stride = 1, name } = options;
  checkUnit("shuffleUnitV2", inside, channels, stride);
  if (channels % 2 === 1) throw new OptionError("shuffleUnitV2", `channels is ${channels}, but must be even`, "OPTION_RANGE");
  const half = channels / 2;
  const path = [
    normalised(half, { kernel: 1, name: "first" }),
    normalisedDepthwise({ stride, activation: "linear", name: "depthwise" }),
    normalised(half, { kernel: 1, name: "second" }),
  ];
  const straight =
    stride === 1
      ? halfOfChannels("first")
      : sequential([
          normalisedDepthwise({ stride, activation: "linear", name: "depthwise" }),
          normalised(half, { kernel: 1, name: "pointwise" }),
        ]);
  const filtered = sequential(stride === 1 ? [halfOfChannels("second"), ...path] : path);
  return sequential([concatenating([straight, filtered]), channelShuffle(2)], { name });
}

function checkUnit(kind: string, inside: number, channels: number, stride: number): void {
  checkCount(kind, "inside", inside);
  checkCount(kind, "channels", channels);
  checkChoice(kind, "stride", stride, [1, 2]);
  const fits = stride === 1 ? inside === channels : inside < channels;
  if (fits) return;
  const wanted = stride === 1 ? "equal at stride 1" : "more at stride 2";
  throw new OptionError(kind, `channels is ${channels} after ${inside}, but must be ${wanted}`, "OPTION_CONFLICT");
}
