import { layerNormalised } from "../../../../engine/compiler/array/index.ts";
import { add, mul } from "../../../../engine/compiler/index.ts";
import { ones, zeros } from "../initialisers.ts";
import type { Layer } from "../scope.ts";
import { expectRank } from "./expected.ts";
import { layer, type Named } from "./layer.ts";

/** Options of `layerNorm`. */
export interface LayerNormOptions extends Named {
  /** ε, added to the variance, > 0. Default 1e-5. */
  readonly epsilon?: number;
}

const make = layer<LayerNormOptions>(
  "layerNorm",
  (x, scope, { epsilon = 1e-5 }) => {
    if (x.rank < 2) expectRank("layerNorm", scope, x, [2, 3, 4], "[…, channels]");
    const channels = x.shape.slice(-1);
    const scale = scope.parameter("scale", channels, { initial: ones(), decay: false });
    const shift = scope.parameter("shift", channels, { initial: zeros(), decay: false });
    return add(mul(layerNormalised(x, { epsilon }), scale), shift);
  },
  {
    options: { epsilon: { low: 0, open: true } },
    example: { options: { epsilon: 1e-3 }, input: [2, 3] },
  },
);

/**
 * Layer normalisation: y = γ (x − μ) / √(σ² + ε) + β, with mean and variance (divided by the count) over the last axis
 * of each example. ε is `epsilon`.
 *
 * x: [n, …, channels]. γ ("scale"): [channels], initially 1. β ("shift"): [channels], initially 0. Neither is
 * penalised.
 * Source: Ba, Kiros & Hinton 2016.
 *
 * @throws OptionError unless epsilon > 0
 */
export const layerNorm = (options: LayerNormOptions = {}): Layer => make(options);
