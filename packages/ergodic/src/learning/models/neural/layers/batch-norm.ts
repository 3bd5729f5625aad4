import { batchNormalised, type SymbolicArray } from "../../../../engine/compiler/array/index.ts";
import { add, div, mul, sqrt, sub } from "../../../../engine/compiler/index.ts";
import { ones, zeros } from "../initialisers.ts";
import type { Layer, Scope } from "../scope.ts";
import { expectRank, layerShapeError } from "./expected.ts";
import { layer, type Named } from "./layer.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions extends Named {
  /** Weight of a new batch in the running statistics, in [0, 1]. Default 0.1. */
  readonly momentum?: number;
  /** ε, added to the variance, > 0. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the layer has γ and β. Default true. */
  readonly affine?: boolean;
}

const make = layer<BatchNormOptions>(
  "batchNorm",
  (x, scope, { momentum = 0.1, epsilon = 1e-5, affine = true }) => {
    if (x.rank < 2) expectRank("batchNorm", scope, x, [2, 3, 4], "[…, channels]");
    const channels = x.shape.slice(-1);
    const scale = affine ? scope.parameter("scale", channels, { initial: ones(), decay: false }) : undefined;
    const shift = affine ? scope.parameter("shift", channels, { initial: zeros(), decay: false }) : undefined;
    if (scope.training) {
      expectCount(x, scope);
      const { normalised, mean, variance } = batchNormalised(x, epsilon, scale, shift);
      move(scope, momentum, { mean, variance }, x.size / channels[0]);
      return normalised;
    }
    // States are requested in the order in which they are updated, which is also their order in a saved network.
    const centre = scope.state("mean", channels, 0);
    const variance = scope.state("variance", channels, 1);
    // The result is written with one factor and one term per channel, so that the factor can be folded into the weights
    // of the previous layer.
    const factor = div(scale ?? 1, sqrt(add(variance, epsilon)));
    return add(mul(x, factor), sub(shift ?? 0, mul(centre, factor)));
  },
  {
    options: { momentum: { low: 0, high: 1 }, epsilon: { low: 0, open: true }, affine: "boolean" },
    example: { options: { momentum: 0.3, epsilon: 1e-3, affine: false }, input: [2, 3] },
  },
);

/**
 * Batch normalisation: y = γ (x − μ) / √(σ² + ε) + β, for each channel (the last axis).
 *
 * During training, μ and σ² are the mean and the variance (divided by the count m) over all other axes of the batch.
 * The running statistics are updated as running ← (1 − momentum) running + momentum · new, with the variance divided by
 * m − 1. In prediction and in frozen layers, μ and σ² are the running statistics. ε is `epsilon`.
 * With `affine`, γ ("scale") starts at 1 and β ("shift") at 0, both without L2 penalties. The running mean ("mean")
 * starts at 0 and the variance ("variance") at 1.
 * Source: Ioffe & Szegedy 2015. The running statistics follow PyTorch; other libraries divide the running variance by m
 * or define momentum as the weight of the old value.
 *
 * @throws OptionError for options out of range; when traced for training with one value per channel
 */
export const batchNorm = (options: BatchNormOptions = {}): Layer => make(options);

function expectCount(x: SymbolicArray, scope: Scope): void {
  if (x.size >= 2 * x.shape[x.rank - 1]) return;
  throw layerShapeError("batchNorm", scope, x, "one value per channel has no variance; train with a batch of at least 2");
}

function move(
  scope: Scope,
  momentum: number,
  { mean, variance }: Record<"mean" | "variance", SymbolicArray>,
  count: number,
): void {
  const moved = (name: string, initial: number, value: SymbolicArray): void =>
    scope.update(name, add(mul(1 - momentum, scope.state(name, mean.shape, initial)), mul(momentum, value)));
  moved("mean", 0, mean);
  moved("variance", 1, mul(count / (count - 1), variance));
}
