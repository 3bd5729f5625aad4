import { conv2d, reshape, type SymbolicArray, sizeOf } from "../../../../engine/compiler/array/index.ts";
import { add } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { OptionError } from "../../../../engine/errors/errors.ts";
import { heNormal, zeros } from "../initialisers.ts";
import type { Layer, Scope } from "../scope.ts";
import { checkExtent, checkPadding, count, expectDivisible, expectRank } from "./expected.ts";
import { layer } from "./layer.ts";
import { type ConvolutionOptions, spatial } from "./spatial.ts";

export type { ConvolutionOptions };

/** Options of `convolution`. */
export interface GroupedConvolutionOptions extends ConvolutionOptions {
  /**
   * Number of groups of channels that are convolved separately. It must divide the number of input channels and the
   * number of output channels. Default 1.
   */
  readonly groups?: number;
}

/** Options of `depthwise`. */
export interface DepthwiseOptions extends ConvolutionOptions {
  /** Number of output channels per input channel. Default 1. */
  readonly multiplier?: number;
}

const own = {
  kernel: "own",
  stride: "own",
  padding: "own",
  dilation: "own",
  bias: "boolean",
  initial: "own",
  initialBias: "own",
} as const;

const makeConvolution = layer<GroupedConvolutionOptions & { readonly channels: number }>(
  "convolution",
  (x, scope, { channels, groups = 1, ...options }) => {
    expectDivisible("convolution", scope, x, "groups", groups);
    return convolve("convolution", x, scope, { channels, groups, ...options });
  },
  {
    options: {
      channels: count,
      groups: count,
      ...own,
    },
    required: ["channels"],
    example: {
      options: { channels: 4, groups: 2, kernel: [3, 1], stride: 2, padding: [1, 0], dilation: 1 },
      input: [2, 5, 5, 2],
    },
    initialisers: ["initial", "initialBias"],
    check({ channels, groups = 1, ...options }) {
      if (channels % groups !== 0)
        throw new OptionError(
          "convolution",
          `groups is ${groups}, but must divide the ${channels} channels; change one of them`,
          "OPTION_CONFLICT",
        );
      checkField("convolution", options);
    },
  },
);

const makeDepthwise = layer<DepthwiseOptions>(
  "depthwise",
  (x, scope, { multiplier = 1, ...options }) => {
    const groups = x.shape.at(-1)!;
    return convolve("depthwise", x, scope, { channels: groups * multiplier, groups, ...options });
  },
  {
    options: {
      multiplier: count,
      ...own,
    },
    example: { options: { multiplier: 2, padding: "valid" }, input: [2, 5, 5, 2] },
    initialisers: ["initial", "initialBias"],
    check({ multiplier = 1, ...options }) {
      checkField("depthwise", options);
    },
  },
);

/**
 * Convolution in two dimensions (a cross-correlation, as usual in networks):
 *
 *   y[n, h, w, o] = b[o] + Σ_{i,j,c} x[n, h·s + i·d − p, w·s + j·d − p, c] W[i, j, c, o]
 *
 * c: channels of o's group. x: [n, height, width, in]. W ("weight"): [kernelHeight, kernelWidth, in / groups,
 * channels]. b ("bias"): [channels]. s: `stride`, d: `dilation`, p: the padding by `padding`; cells outside the image
 * are 0. Sequences [n, length, in] are treated as images of height 1 and returned as sequences. Initial values: W
 * He-normal (`initial`), b zero (`initialBias`).
 * `depthwise`: convolves each channel separately, `multiplier` times, so that groups = in and channels = in ·
 * multiplier.
 *
 * @param channels number of output channels
 * @param options kernel size, stride, padding, dilation, groups, bias, initial values, name
 * @throws OptionError for options out of range; when traced, if groups do not divide the channels or the input is not
 * an image
 */
export const convolution = (channels: number, options: GroupedConvolutionOptions = {}): Layer =>
  makeConvolution({ channels, ...plain("convolution", options, ["channels"]) });
/**
 * Convolves each channel separately with `multiplier` kernels, so that groups = in and channels = in · multiplier.
 * Otherwise like `convolution`. @throws OptionError
 */
export const depthwise = (options: DepthwiseOptions = {}): Layer => makeDepthwise(options);

function checkField(kind: string, { kernel, stride, padding, dilation }: ConvolutionOptions): void {
  checkExtent(kind, "kernel", kernel);
  checkExtent(kind, "stride", stride);
  checkExtent(kind, "dilation", dilation);
  checkPadding(kind, padding);
}

interface Convolved extends ConvolutionOptions {
  readonly channels: number;
  readonly groups: number;
}

function convolve(kind: string, x: SymbolicArray, scope: Scope, options: Convolved): SymbolicArray {
  expectRank(kind, scope, x, [3, 4], "[height, width, channels] or [length, channels]");
  const { channels, groups, bias = true, initial = heNormal(), initialBias = zeros() } = options;
  const { image, kernel, stride, padding, dilation } = spatial(x, options);
  const field = sizeOf(kernel);
  const inside = image.shape[3] / groups;
  const weight = scope.parameter("weight", [...kernel, inside, channels], {
    initial,
    fans: { fanIn: field * inside, fanOut: (field * channels) / groups },
  });
  const made = conv2d(image, weight, { strides: stride, padding, dilation, groups });
  scope.count(sizeOf(made.shape.slice(1)) * field * inside);
  const y = x.rank === 3 ? reshape(made, [made.shape[0], made.shape[2], channels]) : made;
  return bias ? add(y, scope.parameter("bias", [channels], { initial: initialBias, decay: false })) : y;
}
