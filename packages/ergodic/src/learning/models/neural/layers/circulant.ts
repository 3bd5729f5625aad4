import { circulant, pad, patches, reshape, type SymbolicArray, sizeOf, slice } from "../../../../engine/compiler/array/index.ts";
import { add } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { heNormal, zeros } from "../initialisers.ts";
import type { Layer, Scope } from "../scope.ts";
import type { WeightOptions } from "./dense.ts";
import { checkExtent, checkPadding, count, expectRank } from "./expected.ts";
import { layer } from "./layer.ts";
import { type ConvolutionOptions, spatial } from "./spatial.ts";

/** Options of `circulantDense`. */
export interface CirculantOptions extends WeightOptions {
  /** Block size k; powers of two are fast. Default 8; a whole number >= 1. */
  readonly block?: number;
}

/** Options of `circulantConvolution`. */
export interface CirculantConvolutionOptions extends CirculantOptions, ConvolutionOptions {}

const makeDense = layer<CirculantOptions & { readonly units: number }>(
  "circulantDense",
  (x, scope, { units, ...options }) => {
    if (x.rank < 2) expectRank("circulantDense", scope, x, [2], "[features]");
    return multiply(filled(x, options.block ?? 8), x.shape[x.rank - 1], units, scope, options);
  },
  {
    options: { units: count, block: count, bias: "boolean", initial: "own", initialBias: "own" },
    required: ["units"],
    example: { options: { units: 5, block: 4 }, input: [2, 3] },
    initialisers: ["initial", "initialBias"],
  },
);

const makeConvolution = layer<CirculantConvolutionOptions & { readonly channels: number }>(
  "circulantConvolution",
  (x, scope, { channels, ...options }) => {
    expectRank("circulantConvolution", scope, x, [3, 4], "[height, width, channels] or [length, channels]");
    const { image, kernel, stride, padding, dilation } = spatial(filled(x, options.block ?? 8), options);
    const cells = patches(image, { size: kernel, strides: stride, padding, dilation });
    const y = multiply(cells, x.shape[x.rank - 1] * sizeOf(kernel), channels, scope, options);
    return x.rank === 3 ? reshape(y, [y.shape[0], y.shape[2], channels]) : y;
  },
  {
    options: {
      channels: count,
      block: count,
      kernel: "own",
      stride: "own",
      padding: "own",
      dilation: "own",
      bias: "boolean",
      initial: "own",
      initialBias: "own",
    },
    required: ["channels"],
    example: { options: { channels: 3, block: 2, stride: 2 }, input: [1, 4, 4, 3] },
    initialisers: ["initial", "initialBias"],
    check({ kernel, stride, padding, dilation }) {
      checkExtent("circulantConvolution", "kernel", kernel);
      checkExtent("circulantConvolution", "stride", stride);
      checkExtent("circulantConvolution", "dilation", dilation);
      checkPadding("circulantConvolution", padding);
    },
  },
);

/**
 * Block-circulant layers (CirCNN). Weights are k × k blocks. The first column of a block determines the other columns,
 * so that k numbers are enough for k² weights.
 *
 *   circulantDense: y_i = Σ_j C(w_ij) x_j + b_i for blocks x_j, y_i of k numbers, (C(w) v)_a = Σ_c w[(a − c) mod k] v_c
 *   circulantConvolution: the same on the patch around each position, block by block of input and output channels
 *
 * w ("weight"): [p, q, k], for q blocks of inputs and p blocks of outputs. For a convolution, the inputs are all cells
 * of the patch. The last block of inputs is padded with zeros, and surplus outputs are dropped. b ("bias"): [units].
 * `block`: k; powers of two are fast, O(k log k) per block.
 * Initial values: He-normal, with fan-in and fan-out of the whole matrix. Multiply-adds are counted as 2 k for each
 * product of spectra and k log₂ k for each transform. A block that is multiplied without transforms (k < 4 or not a
 * power of two) is counted as k².
 * Source: Ding et al. 2017.
 *
 * @throws OptionError for options out of range
 */
export const circulantDense = (units: number, options: CirculantOptions = {}): Layer =>
  makeDense({ units, ...plain("circulantDense", options, ["units"]) });
/**
 * Convolution with block-circulant weights, block by block of input and output channels; see `circulantDense`.
 * @throws OptionError
 */
export const circulantConvolution = (channels: number, options: CirculantConvolutionOptions = {}): Layer =>
  makeConvolution({ channels, ...plain("circulantConvolution", options, ["channels"]) });

/** Pads the last axis with zeros until it consists of whole blocks. */
function filled(x: SymbolicArray, block: number): SymbolicArray {
  const last = x.rank - 1;
  const missing = (block - (x.shape[last] % block)) % block;
  return pad(
    x,
    x.shape.map((_, axis): [number, number] => [0, axis === last ? missing : 0]),
  );
}

/**
 * Multiplies the last axis, which consists of q blocks, by the weights. `fanIn`: number of inputs that are not padding.
 */
function multiply(x: SymbolicArray, fanIn: number, units: number, scope: Scope, options: CirculantOptions): SymbolicArray {
  const { block = 8, bias = true, initial = heNormal(), initialBias = zeros() } = options;
  const outer = x.shape.slice(0, -1);
  const width = x.shape[x.rank - 1];
  const q = width / block;
  const p = Math.ceil(units / block);
  const weight = scope.parameter("weight", [p, q, block], { initial, fans: { fanIn, fanOut: units } });
  const transformed = block >= 4 && (block & (block - 1)) === 0;
  scope.count(
    sizeOf(outer.slice(1)) * (transformed ? 2 * p * q * block + (p + q) * block * (31 - Math.clz32(block)) : p * q * block ** 2),
  );
  const whole = circulant(reshape(x, [sizeOf(outer), width]), weight);
  const y = reshape(slice(whole, { axis: 1, to: units }), [...outer, units]);
  return bias ? add(y, scope.parameter("bias", [units], { initial: initialBias, decay: false })) : y;
}
